/** Putting back what was done, last first, and letting every stopped process go on. */
import { isMissing } from '../../host/fact.ts';
import type { Step, StepAction } from '../../steps/step.ts';
import { whatStays } from './stays.ts';
import type { Removal } from './removal.ts';
import { perform, type Performed } from './step.ts';

export interface UndoReport {
  readonly id: string;
  readonly title: string;
  readonly ok: boolean;
  readonly says: string | null;
  /** Nothing here puts it back, however often it is tried; `says` names who can. */
  readonly stays?: boolean;
}

/** `begun`: ids of steps that were begun; one whose end is not known is undone as well, which its looks make safe. */
export async function undoSteps(removal: Removal, begun: ReadonlySet<string>): Promise<UndoReport[]> {
  const reports: UndoReport[] = [];
  removal.journal.goOnWithout();
  for (const step of [...removal.header.steps].reverse()) {
    if (!begun.has(step.id) || step.undo === null || step.undo.kind === 'release-process') continue;
    reports.push(await undoStep(removal, step, step.undo));
  }
  reports.push(...(await settingsBack(removal)));
  await releaseAll(removal);
  return reports;
}

/** The plan's own last steps put settings back; a removal that never got there, or had none, still has to. */
export async function settingsBack(removal: Removal): Promise<UndoReport[]> {
  const reports: UndoReport[] = [];
  for (const [path, was] of removal.journal.settings) {
    const action: StepAction = { kind: 'set', path, to: was, was: '' };
    const now = removal.host.files.text(path);
    if (!isMissing(now) && now.trim() === was) continue;
    reports.push(await undoStep(removal, { id: `setting ${path}`, action, title: `put ${path} back to ${was}`, why: '', undo: action, needs: null, deadlineMs: 5_000 }, action));
  }
  return reports;
}

async function undoStep(removal: Removal, step: Step, undo: StepAction): Promise<UndoReport> {
  await removal.journal.tell({ entry: 'undo', step: step.id, title: step.title });
  const done = await patiently(removal, step, undo);
  const stays = whatStays(removal, undo, done);
  const ok = stays === null && (done.outcome === 'done' || done.outcome === 'already');
  const says = stays ?? done.says;
  await removal.journal.tell({ entry: 'undone', step: step.id, ok, ...(says === null ? {} : { says }) });
  return { id: step.id, title: step.title, ok, says, ...(stays === null ? {} : { stays: true }) };
}

const EVERY_MS = 500;
/** Nothing of what a removal did may be left because one write failed by chance. */
const TRIES = 3;
/** After a card or a region has come back its devices take a moment to appear. */
const APPEAR_MS = 10_000;
const NOT_THERE = ['ENODEV', 'ENXIO', 'ENOENT'];

async function patiently(removal: Removal, step: Step, undo: StepAction): Promise<Performed> {
  const { time } = removal.host;
  const began = time.now();
  for (let tries = 1; ; tries += 1) {
    const done = await perform(removal, undo, step);
    if (done.outcome === 'done' || done.outcome === 'already') return done;
    const appears = undo.kind === 'write' && NOT_THERE.includes(done.errno ?? '') && time.now() - began < APPEAR_MS;
    if (!appears && tries >= TRIES) return done;
    await time.sleep(EVERY_MS);
  }
}

export async function releaseAll(removal: Removal): Promise<void> {
  for (const { process } of [...removal.stopped.values()]) {
    await removal.trace?.release(process);
    removal.stopped.delete(process.pid);
  }
}
