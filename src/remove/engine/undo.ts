/** Putting back what was done, last first, and letting every stopped process go on. */
import type { Step } from '../../steps/step.ts';
import type { Removal } from './removal.ts';
import { perform } from './step.ts';

export interface UndoReport {
  readonly id: string;
  readonly title: string;
  readonly ok: boolean;
  readonly says: string | null;
}

/** `begun`: ids of steps that were begun; one whose end is not known is undone as well, which its looks make safe. */
export async function undoSteps(removal: Removal, begun: ReadonlySet<string>): Promise<UndoReport[]> {
  const reports: UndoReport[] = [];
  for (const step of [...removal.header.steps].reverse()) {
    if (!begun.has(step.id) || step.undo === null || step.undo.kind === 'release-process') continue;
    reports.push(await undoStep(removal, step));
  }
  // The plan's own last steps put settings back; a removal that never got there still has to.
  for (const [path, was] of removal.journal.settings) {
    const step: Step = { id: `setting ${path}`, action: { kind: 'set', path, to: was, was: '' }, title: `put ${path} back to ${was}`, why: '', undo: null, needs: null, deadlineMs: 5_000 };
    reports.push(await undoStep(removal, { ...step, undo: step.action }));
  }
  await releaseAll(removal);
  return reports;
}

async function undoStep(removal: Removal, step: Step): Promise<UndoReport> {
  await removal.journal.write({ entry: 'undo', step: step.id, title: step.title });
  const { outcome, says } = step.undo === null ? { outcome: 'already', says: null } : await perform(removal, step.undo, step);
  const ok = outcome === 'done' || outcome === 'already';
  await removal.journal.write({ entry: 'undone', step: step.id, ok, ...(says === null ? {} : { says }) });
  return { id: step.id, title: step.title, ok, says };
}

export async function releaseAll(removal: Removal): Promise<void> {
  for (const { process } of [...removal.stopped.values()]) {
    await removal.trace?.release(process);
    removal.stopped.delete(process.pid);
  }
}
