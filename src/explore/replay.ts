/** Runs one given way through a program, step by step, and says what holds where it ends. */
import { UnseatError } from '../errors/unseat-error.ts';
import { explain, type Move } from './explain.ts';
import type { Program, WithHeap } from './program.ts';
import { Stepper } from './stepper.ts';
import type { TraceStep } from './verdict.ts';

/** `0 1 1:2`: thread, and which combination of choices where it is not the first. */
export function parseSchedule(text: string, threads: number): Move[] {
  return text.trim().split(/\s+/).filter((word) => word !== '').map((word) => {
    const m = /^(\d{1,3})(?::(\d{1,5}))?$/.exec(word);
    const thread = Number(m?.[1] ?? -1);
    if (m === null || thread >= threads) throw new UnseatError('USAGE', 'this is no schedule', { subject: '--replay', seen: word, next: `Write numbers of threads, 0 to ${threads - 1}, each with :CHOICE where it chose.` });
    return { thread, ordinal: Number(m[2] ?? 0) };
  });
}

/** @throws UnseatError USAGE where a step cannot be made: the thread waits or has ended. */
export function replay<C extends WithHeap>(program: Program<C>, schedule: readonly Move[]): { trace: TraceStep[]; schedule: string } {
  const stepper = new Stepper(program);
  const { state } = stepper;
  // Learns what the steps do; `explain` then goes the same way with a watcher.
  state.begin(stepper.roots);
  for (const [i, move] of schedule.entries()) {
    stepper.firstChoices();
    for (let ordinal = 0; ; ordinal += 1) {
      state.mark();
      const moved = stepper.step(move.thread);
      if (!moved && ordinal === move.ordinal) throw new UnseatError('USAGE', `step ${i + 1} cannot be made: ${program.threads[move.thread]?.name ?? ''} ${stepper.isOver(move.thread) ? 'has ended' : `waits at ${stepper.label(move.thread)}`}`, { subject: '--replay' });
      if (ordinal === move.ordinal) break;
      state.undo();
      if (!stepper.nextChoices()) throw new UnseatError('USAGE', `step ${i + 1} has no choice ${move.ordinal}`, { subject: '--replay' });
    }
    state.mark();
  }
  return explain(program, stepper, schedule);
}
