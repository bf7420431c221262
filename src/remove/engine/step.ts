/** One step: journal, look, act, look again, journal. */
import type { Step, StepAction } from '../../steps/step.ts';
import { actFor } from '../acts/acts.ts';
import type { StepOutcome } from '../journal/entries.ts';
import type { Removal } from './removal.ts';

export interface StepReport {
  readonly id: string;
  readonly title: string;
  readonly outcome: StepOutcome;
  readonly milliseconds: number;
  readonly says: string | null;
}

export async function carryOut(removal: Removal, step: Step): Promise<StepReport> {
  const began = removal.host.time.now();
  await removal.journal.write({ entry: 'begin', step: step.id, title: step.title });
  const { outcome, says } = await perform(removal, step.action, step);
  const milliseconds = Math.round((removal.host.time.now() - began) * 10) / 10;
  await removal.journal.tell({ entry: 'end', step: step.id, outcome, milliseconds, ...(says === null ? {} : { says }) });
  return { id: step.id, title: step.title, outcome, milliseconds, says };
}

export interface Performed {
  readonly outcome: StepOutcome;
  readonly says: string | null;
  readonly errno?: string;
  /** What it would be done to is not there. */
  readonly gone?: boolean;
}

/** The action of a step, or of its undo. */
export async function perform(removal: Removal, action: StepAction, step: Step): Promise<Performed> {
  const act = actFor(action);
  const before = await act.before(removal, action, step);
  if (before.is === 'already') return { outcome: 'already', says: before.why, ...(before.gone === true ? { gone: true } : {}) };
  if (before.is === 'no') return { outcome: 'failed', says: before.why };
  const acted = await act.act(removal, action, step);
  const after = await act.after(removal, action, step, acted);
  // What the second look says counts; an uncertain answer whose effect is seen is a done one.
  if (after.is !== 'no') return { outcome: 'done', says: acted.says ?? null };
  return { outcome: acted.definite ? 'failed' : 'unknown', says: after.why, ...(acted.errno === undefined ? {} : { errno: acted.errno }) };
}
