/** A step before it has its number, and how the common ones are made. */
import type { ProcessRef } from '../../host/actions.ts';
import type { ProcessHolder } from '../../machine/types/holder.ts';
import type { Step, StepAction } from '../../steps/step.ts';

export type Draft = Omit<Step, 'id'>;

/** Milliseconds after which a step counts as hanging. */
export const DEADLINE = {
  quick: 5_000,
  sync: 30_000,
  stop: 5_000,
  detach: 30_000,
  unmount: 30_000,
  offline: 60_000,
  unbind: 30_000,
  power: 30_000,
  /** Button, five seconds of grace, power down. */
  confirm: 15_000,
} as const;

export const draft = (action: StepAction, title: string, why: string, more: Partial<Pick<Step, 'undo' | 'needs' | 'deadlineMs'>> = {}): Draft =>
  ({ action, title, why, undo: more.undo ?? null, needs: more.needs ?? null, deadlineMs: more.deadlineMs ?? DEADLINE.quick });

/** Writing to files of sysfs that belong to root. */
export const ROOT_FILE = 'CAP_DAC_OVERRIDE';

/** A start time that is not known becomes -1, which fits no process: such a step can only fail (and a blocker says so). */
export const refOf = (p: ProcessHolder): ProcessRef => ({ pid: p.pid, startTime: p.startTime ?? -1 });

export const numbered = (drafts: readonly Draft[]): Step[] => drafts.map((d, i) => ({ id: String(i + 1), ...d }));
