/** Carries out the steps of one way, from consent to record. */
import { isMissing, orElse } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { RemovalPlan, WayPlan } from '../../steps/removal-plan.ts';
import type { Step } from '../../steps/step.ts';
import type { Header, JournalContent } from '../journal/entries.ts';
import { Journal } from '../journal/journal.ts';
import { keepRecord } from '../record.ts';
import type { RemovalRecord, RemovalStatus } from '../record.ts';
import { alarming, isAlive } from '../acts/state.ts';
import type { ProcessRef } from '../../host/actions.ts';
import { parseStat } from '../../machine/holders/stat.ts';
import { carryOut } from './step.ts';
import type { StepReport } from './step.ts';
import { releaseAll, undoSteps } from './undo.ts';
import type { UndoReport } from './undo.ts';
import type { Progress, Removal } from './removal.ts';

export interface RunOptions {
  readonly progress?: (progress: Progress) => void;
  /** Process ids that are us: our own, and those of children. Never touched. */
  readonly own?: readonly number[];
  /** Go on although some processes cannot be looked at; `hidden` accepted by name. */
  readonly acceptUnseen?: boolean;
  /** What the state was before, for the record; plain data. */
  readonly before?: unknown;
}

/** Throws REFUSED or NO_PERMISSION where nothing may begin; everything later is told in the record. */
export async function remove(host: Host, plan: RemovalPlan, way: WayPlan, deviceNumbers: readonly string[], options: RunOptions = {}): Promise<RemovalRecord> {
  if (!way.possible) {
    const blocker = way.blockers[0];
    throw new UnseatError('REFUSED', blocker?.text ?? 'the plan refuses this way', { subject: plan.deviceName, ...(blocker === undefined ? {} : { next: blocker.next }) });
  }
  const { actions } = mustAct(host);
  const header = headerOf(host, plan, way, deviceNumbers, options);
  const journal = await Journal.begin(host, actions.store, header);
  return finish(makeRemoval(host, header, journal, options), new Set(), options);
}

/** Goes on with an interrupted removal: every step looks first whether it is done already. */
export async function resume(host: Host, path: string, content: JournalContent, options: RunOptions = {}): Promise<RemovalRecord> {
  const { actions } = mustAct(host);
  const journal = Journal.continued(actions.store, path, content);
  await takeOver(host, journal, content, options);
  const removal = makeRemoval(host, content.header, journal, options);
  await journal.write({ entry: 'resumed', at: orElse(host.time.wall(), null), says: content.tornLine ? 'the last line of the journal was torn' : '' });
  return finish(removal, begunIn(content), options);
}

/** Puts everything back that an interrupted removal had changed. */
export async function rollback(host: Host, path: string, content: JournalContent, options: RunOptions = {}): Promise<RemovalRecord> {
  const { actions } = mustAct(host);
  const journal = Journal.continued(actions.store, path, content);
  await takeOver(host, journal, content, options);
  const removal = makeRemoval(host, content.header, journal, options);
  const undone = await undoSteps(removal, begunIn(content));
  const failed = undone.filter((u) => !u.ok);
  await journal.write({ entry: 'rolled-back', at: orElse(host.time.wall(), null), says: failed.length === 0 ? 'everything is as before' : `${failed.length} step(s) could not be put back` });
  const record = await close(removal, failed.length === 0 ? 'rolled-back' : 'partly', [], undone, options);
  return record;
}

/** Two at the same removal would undo each other's work. */
async function takeOver(host: Host, journal: Journal, content: JournalContent, options: RunOptions): Promise<void> {
  const by = content.entries.reduce<ProcessRef | null>((last, e) => (e.entry === 'removal' || e.entry === 'taken-over' ? (e.by ?? null) : last), null);
  if (by !== null && isAlive(host, by)) {
    throw new UnseatError('REFUSED', `the removal is still under way, by process ${by.pid}`, { subject: content.header.deviceName, next: 'Wait for it, or end that process first.' });
  }
  await journal.write({ entry: 'taken-over', by: self(host, options) });
}

function self(host: Host, options: RunOptions): ProcessRef | null {
  const pid = options.own?.[0];
  const bytes = pid === undefined ? null : host.processes.read(pid, 'stat');
  const stat = bytes === null || isMissing(bytes) ? null : parseStat(Buffer.from(bytes).toString('latin1'));
  return pid === undefined || stat === null ? null : { pid, startTime: stat.startTime };
}

const begunIn = (content: JournalContent): Set<string> => new Set(content.entries.flatMap((e) => (e.entry === 'begin' ? [e.step] : [])));

function mustAct(host: Host): { actions: NonNullable<Host['actions']> } {
  if (host.actions === undefined) throw new UnseatError('READ_ONLY', 'this host cannot be changed', { subject: host.label });
  return { actions: host.actions };
}

function headerOf(host: Host, plan: RemovalPlan, way: WayPlan, deviceNumbers: readonly string[], options: RunOptions): Header {
  return {
    entry: 'removal', version: 1, device: plan.device, deviceName: plan.deviceName, way: way.way, deviceNumbers, kernel: plan.kernel.release,
    boot: orElse(host.files.text('/proc/sys/kernel/random/boot_id'), null), begun: orElse(host.time.wall(), null), acceptsUnseen: options.acceptUnseen === true, by: self(host, options), steps: way.steps,
  };
}

function makeRemoval(host: Host, header: Header, journal: Journal, options: RunOptions): Removal {
  const { actions } = mustAct(host);
  const mark = host.log.mark();
  const progress = (step: Step, text: string): void => options.progress?.({ step: step.id, phase: 'going', text });
  return {
    host, actions, trace: host.trace ?? null, header, devices: new Set(header.deviceNumbers), journal, stopped: new Map(), logMark: isMissing(mark) ? null : mark,
    own: options.own ?? [], progress,
  };
}

async function finish(removal: Removal, before: ReadonlySet<string>, options: RunOptions): Promise<RemovalRecord> {
  const begun = new Set(before);
  const reports: StepReport[] = [];
  for (const step of removal.header.steps) {
    options.progress?.({ step: step.id, phase: 'begin', text: step.title });
    begun.add(step.id);
    const report = await carryOut(removal, step);
    reports.push(report);
    options.progress?.({ step: step.id, phase: 'end', text: `${step.title}: ${report.outcome}${report.says === null ? '' : ` (${report.says})`}` });
    if (report.outcome === 'failed' || report.outcome === 'unknown') return callOff(removal, begun, reports, options);
  }
  await releaseAll(removal);
  return close(removal, 'done', reports, [], options);
}

/** Steps whose effect nothing puts back, but which do no harm to whoever goes on. */
const LEAVES_NOTHING = new Set(['sync', 'wait-for-holders', 'confirm-no-holders', 'confirm-gone', 'confirm-slot-off', 'note', 'stop-process', 'release-process', 'set']);

async function callOff(removal: Removal, begun: ReadonlySet<string>, reports: readonly StepReport[], options: RunOptions): Promise<RemovalRecord> {
  const undone = await undoSteps(removal, begun);
  const stays = reports.some((r) => {
    const step = removal.header.steps.find((s) => s.id === r.id);
    return r.outcome !== 'already' && r.outcome !== 'failed' && step !== undefined && step.undo === null && !LEAVES_NOTHING.has(step.action.kind);
  });
  return close(removal, stays || undone.some((u) => !u.ok) ? 'partly' : 'called-off', reports, undone, options);
}

async function close(removal: Removal, status: RemovalStatus, steps: readonly StepReport[], undone: readonly UndoReport[], options: RunOptions): Promise<RemovalRecord> {
  const { header, host } = removal;
  const record: RemovalRecord = {
    version: 1, device: header.device, deviceName: header.deviceName, way: header.way, kernel: header.kernel, begun: header.begun, ended: orElse(host.time.wall(), null),
    status, steps, undone, kernelLog: alarming(removal), before: options.before ?? null,
  };
  await removal.journal.write({ entry: 'finished', at: record.ended, says: status });
  await keepRecord(removal.actions.store, record);
  // A removal that stopped half way keeps its journal: `resume` and `rollback` need it.
  if (status !== 'partly') await removal.journal.remove();
  return record;
}
