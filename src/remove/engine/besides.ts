/**
 * Removals at the same time. Two that share nothing do not meet. Where they share a device, a process or a setting, each would undo
 * the other's work: they would stop the same holder, or one would take the other's setting for the one that was there before.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { ProcessRef } from '../../host/actions.ts';
import type { Host } from '../../host/host.ts';
import type { StepAction } from '../../steps/step.ts';
import { isAlive } from '../acts/state.ts';
import type { Header, JournalContent } from '../journal/entries.ts';
import { findJournals } from '../journal/journal.ts';

/** Who carries it out now; null where that process has ended, or was not written down. */
export function inHandOf(host: Host, content: JournalContent): ProcessRef | null {
  const by = content.entries.reduce<ProcessRef | null>((last, e) => (e.entry === 'removal' || e.entry === 'taken-over' ? (e.by ?? null) : last), null);
  return by !== null && isAlive(host, by) ? by : null;
}

/** @throws UnseatError REFUSED where another removal that is under way has something in common with this one */
export function refuseBesides(host: Host, header: Header, me: ProcessRef | null = header.by ?? null): void {
  const ours = touchedBy(header);
  for (const { content } of findJournals(host)) {
    const by = inHandOf(host, content);
    if (by === null || (by.pid === me?.pid && by.startTime === me.startTime)) continue;
    const common = [...touchedBy(content.header)].find((what) => ours.has(what));
    if (common === undefined) continue;
    throw new UnseatError('REFUSED', `a removal of ${content.header.deviceName} is under way, by process ${by.pid}`, { subject: header.deviceName, seen: `both have to do with ${common}`, next: 'Wait for it to end.' });
  }
}

function touchedBy(header: Header): Set<string> {
  return new Set([`device ${header.device}`, ...header.deviceNumbers.map((number) => `device number ${number}`), ...header.steps.flatMap(({ action }) => touched(action))]);
}

function touched(action: StepAction): string[] {
  if ('process' in action) return [`process ${action.process.pid}`];
  if (action.kind === 'unbind') return [`${action.driverPath}/${action.device}`];
  if (action.kind === 'write') return [`${action.path} ${action.text}`];
  return 'path' in action && typeof action.path === 'string' ? [action.path] : [];
}
