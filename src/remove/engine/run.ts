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
import { ejectVetoed, isEject } from '../acts/eject.ts';
import { alarming } from '../acts/state.ts';
import type { ProcessRef } from '../../host/actions.ts';
import { parseStat } from '../../machine/holders/stat.ts';
import { inHandOf, refuseBesides } from './besides.ts';
import { noticePress } from './buttons.ts';
import { guardedActions, guardedTrace } from './guard.ts';
import { carryOut } from './step.ts';
import type { StepReport } from './step.ts';
import { doneForGood } from './stays.ts';
import { releaseAll, settingsBack, undoSteps } from './undo.ts';
import type { UndoReport } from './undo.ts';
import type { Progress, Removal } from './removal.ts';

export interface RunOptions {
  readonly progress?: (progress: Progress) => void;
  /** Process ids that are us: our own, and those of children. Never touched. */
  readonly own?: readonly number[];
  /** Go on although some processes cannot be looked at; `hidden` accepted by name. */
  readonly acceptUnseen?: boolean;
  /** Go on although pages may be in pipes; `pin-possible` accepted by name. */
  readonly acceptPins?: boolean;
  /** Names of the PCI slots that the device sits in: their buttons are watched. */
  readonly slots?: readonly string[];
  /** What the state was before, for the record; plain data. */
  readonly before?: unknown;
  /** Whether to call it off (a signal came). Asked before each step that could still be put back. */
  readonly stopAsked?: () => boolean;
}

/** Throws REFUSED or NO_PERMISSION where nothing may begin; everything later is told in the record. */
export async function remove(host: Host, plan: RemovalPlan, way: WayPlan, deviceNumbers: readonly string[], options: RunOptions = {}): Promise<RemovalRecord> {
  if (!way.possible) {
    const blocker = way.blockers[0];
    throw new UnseatError('REFUSED', blocker?.text ?? 'the plan refuses this way', { subject: plan.deviceName, ...(blocker === undefined ? {} : { next: blocker.next }) });
  }
  const { actions } = mustAct(host);
  const header = headerOf(host, plan, way, deviceNumbers, options);
  refuseBesides(host, header);
  const journal = await Journal.begin(actions.store, header);
  try {
    // Another one may have begun since; then neither has touched anything yet.
    refuseBesides(host, header);
  } catch (error) {
    await journal.remove();
    throw error;
  }
  return finish(makeRemoval(host, header, journal, options), new Set(), options);
}

/** Goes on with an interrupted removal: every step looks first whether it is done already. */
export async function resume(host: Host, path: string, content: JournalContent, options: RunOptions = {}): Promise<RemovalRecord> {
  const { actions } = mustAct(host);
  const journal = Journal.continued(actions.store, path, content);
  await takeOver(host, journal, content, options);
  const removal = makeRemoval(host, content.header, journal, options, begunIn(content));
  await journal.write({ entry: 'resumed', at: orElse(host.time.wall(), null), says: content.tornLine ? 'the last line of the journal was torn' : '' });
  return finish(removal, begunIn(content), options);
}

/** Puts everything back that an interrupted removal had changed. */
export async function rollback(host: Host, path: string, content: JournalContent, options: RunOptions = {}): Promise<RemovalRecord> {
  const { actions } = mustAct(host);
  const journal = Journal.continued(actions.store, path, content);
  await takeOver(host, journal, content, options);
  const removal = makeRemoval(host, content.header, journal, options, begunIn(content));
  const undone = [...(await undoSteps(removal, begunIn(content))), ...doneForGood(content)];
  // What nothing here can put back is told, and is no reason to keep the removal open.
  const open = undone.filter((u) => !u.ok && u.stays !== true);
  const stays = undone.filter((u) => u.stays === true);
  await journal.tell({ entry: 'rolled-back', at: orElse(host.time.wall(), null), says: open.length > 0 ? `${open.length} step(s) could not be put back` : stays.length > 0 ? `${stays.length} step(s) stay as they are` : 'everything is as before' });
  return close(removal, open.length === 0 ? 'rolled-back' : 'partly', [], undone, options);
}

/** Two at the same removal would undo each other's work. */
async function takeOver(host: Host, journal: Journal, content: JournalContent, options: RunOptions): Promise<void> {
  const by = inHandOf(host, content);
  if (by !== null) throw new UnseatError('REFUSED', `the removal is still under way, by process ${by.pid}`, { subject: content.header.deviceName, next: 'Wait for it, or end that process first.' });
  refuseBesides(host, content.header, self(host, options));
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
  return { actions: guardedActions(host, host.actions) };
}

function headerOf(host: Host, plan: RemovalPlan, way: WayPlan, deviceNumbers: readonly string[], options: RunOptions): Header {
  return {
    entry: 'removal', version: 1, device: plan.device, deviceName: plan.deviceName, way: way.way, deviceNumbers, kernel: plan.kernel.release,
    boot: orElse(host.files.text('/proc/sys/kernel/random/boot_id'), null), begun: orElse(host.time.wall(), null), acceptsUnseen: options.acceptUnseen === true, ...(options.acceptPins === true ? { acceptsPins: true } : {}), by: self(host, options),
    ...(options.slots === undefined ? {} : { slots: options.slots }), steps: way.steps,
  };
}

function makeRemoval(host: Host, header: Header, journal: Journal, options: RunOptions, begunBefore: ReadonlySet<string> = new Set()): Removal {
  const { actions } = mustAct(host);
  const mark = host.log.mark();
  const progress = (step: Step, text: string): void => options.progress?.({ step: step.id, phase: 'going', text });
  return {
    host, actions, trace: host.trace === undefined ? null : guardedTrace(host, host.trace), header, devices: new Set(header.deviceNumbers), journal, stopped: new Map(), begunBefore, logMark: isMissing(mark) ? null : mark,
    own: options.own ?? [], progress, stopAsked: options.stopAsked ?? (() => false), latecomers: { letGo: 0 }, noticed: [],
  };
}

async function finish(removal: Removal, before: ReadonlySet<string>, options: RunOptions): Promise<RemovalRecord> {
  const begun = new Set(before);
  const reports: StepReport[] = [];
  const { steps } = removal.header;
  const closing = closingSteps(steps);
  for (const step of steps) {
    if (removal.stopAsked() && !closing.has(step.id)) {
      reports.push({ id: step.id, title: step.title, outcome: 'failed', milliseconds: 0, says: 'interrupted: not begun' });
      return callOff(removal, begun, reports, options);
    }
    options.progress?.({ step: step.id, phase: 'begin', text: step.title });
    const report = await carryOutOrTell(removal, step, begun);
    await noticePress(removal, step);
    reports.push(report);
    options.progress?.({ step: step.id, phase: 'end', text: `${step.title}: ${report.outcome}${report.says === null ? '' : ` (${report.says})`}` });
    if (failed(report) && !closing.has(step.id)) return callOff(removal, begun, reports, options);
  }
  const back = await settingsBack(removal);
  await releaseAll(removal);
  return close(removal, reports.some(failed) || back.some((u) => !u.ok) ? 'partly' : 'done', reports, back, options);
}

const failed = (report: StepReport): boolean => report.outcome === 'failed' || report.outcome === 'unknown';

/** A step that cannot be written down is not carried out: nobody could put it back after a crash. */
async function carryOutOrTell(removal: Removal, step: Step, begun: Set<string>): Promise<StepReport> {
  try {
    begun.add(step.id);
    return await carryOut(removal, step);
  } catch (error) {
    if (!(error instanceof UnseatError)) throw error;
    return { id: step.id, title: step.title, outcome: 'failed', milliseconds: 0, says: `the journal could not be written (${error.facts.seen ?? error.facts.cause ?? error.message})` };
  }
}

/** The last steps, after which the device is gone already: that one of them fails is no reason to bring it back. */
function closingSteps(steps: readonly Step[]): Set<string> {
  const closes = ({ action }: Step): boolean => action.kind === 'release-process' || action.kind === 'note' || (action.kind === 'set' && action.to === '');
  const last = steps.findLastIndex((step) => !closes(step));
  return new Set(steps.slice(last + 1).map((s) => s.id));
}

/** Steps whose effect nothing puts back, but which do no harm to whoever goes on. */
const LEAVES_NOTHING = new Set(['sync', 'wait-for-holders', 'confirm-no-holders', 'confirm-gone', 'confirm-slot-off', 'note', 'stop-process', 'release-process', 'set']);

async function callOff(removal: Removal, begun: ReadonlySet<string>, reports: readonly StepReport[], options: RunOptions): Promise<RemovalRecord> {
  const undone = await undoSteps(removal, begun);
  const stays = removal.latecomers.letGo > 0 || reports.some((r) => {
    const step = removal.header.steps.find((s) => s.id === r.id);
    if (step === undefined || step.undo !== null || LEAVES_NOTHING.has(step.action.kind) || (isEject(step.action) && ejectVetoed(removal) !== null)) return false;
    return r.outcome !== 'already' && r.outcome !== 'failed';
  });
  return close(removal, stays || undone.some((u) => !u.ok) ? 'partly' : 'called-off', reports, undone, options);
}

async function close(removal: Removal, status: RemovalStatus, steps: readonly StepReport[], undone: readonly UndoReport[], options: RunOptions): Promise<RemovalRecord> {
  const { header, host, journal } = removal;
  const record: RemovalRecord = {
    version: 1, device: header.device, deviceName: header.deviceName, way: header.way, kernel: header.kernel, begun: header.begun, ended: orElse(host.time.wall(), null),
    status, steps, undone, kernelLog: alarming(removal), before: options.before ?? null,
    ...(removal.noticed.length === 0 ? {} : { noticed: removal.noticed }),
  };
  await journal.tell({ entry: 'finished', at: record.ended, says: status });
  const unkept = await keep(removal, record, status);
  return unkept === null ? record : { ...record, unkept };
}

/** Why the record is not kept, or the journal not taken away: what was done stays done all the same. */
async function keep(removal: Removal, record: RemovalRecord, status: RemovalStatus): Promise<string | null> {
  const tried = async (what: () => Promise<unknown>): Promise<string | null> => {
    try {
      await what();
      return null;
    } catch (error) {
      if (!(error instanceof UnseatError)) throw error;
      return `${error.facts.subject ?? ''}: ${error.facts.seen ?? error.facts.cause ?? error.message}`;
    }
  };
  const unkept = await tried(() => keepRecord(removal.actions.store, record));
  // A removal that stopped half way keeps its journal: `resume` and `rollback` need it.
  const left = status === 'partly' ? null : (await tried(() => removal.journal.remove()));
  const again = left === null ? null : await tried(() => removal.journal.remove());
  return unkept ?? again;
}
