/** A way through the states, replayed into who did what with which values. */
import type { Program, WithHeap } from './program.ts';
import type { Stepper } from './stepper.ts';
import type { TraceStep } from './verdict.ts';

export interface Move {
  readonly thread: number;
  /** Which combination of choices of the step, counted as the search tries them. */
  readonly ordinal: number;
}

export function explain<C extends WithHeap>(program: Program<C>, stepper: Stepper<C>, way: readonly Move[]): { trace: TraceStep[]; schedule: string } {
  const { state } = stepper;
  state.begin(stepper.roots);
  const word = (address: number): string => program.nameOf?.(address) ?? `word ${address}`;
  const trace = way.map((move) => replay(program, stepper, move, word));
  return { trace, schedule: way.map((m) => (m.ordinal === 0 ? String(m.thread) : `${m.thread}:${m.ordinal}`)).join(' ') };
}

function replay<C extends WithHeap>(program: Program<C>, stepper: Stepper<C>, move: Move, word: (address: number) => string): TraceStep {
  const { state } = stepper;
  const loads: { word: string; value: number; text?: string }[] = [];
  const stores: { word: string; before: number; after: number; text?: string }[] = [];
  const show = program.showValue;
  const calls: string[] = [];
  const choices: { label: string; choice: number }[] = [];
  const from = stepper.label(move.thread);
  toOrdinal(stepper, move);
  state.mark();
  stepper.step(move.thread, {
    load: (address, value) => loads.push({ word: word(address), value, ...(show === undefined ? {} : { text: show(address, value) }) }),
    store: (address, before, after) => stores.push({ word: word(address), before, after, ...(show === undefined ? {} : { text: `${show(address, before)} -> ${show(address, after)}` }) }),
    enter: (call) => calls.push(call),
    choose: (label, choice) => choices.push({ label, choice }),
  });
  state.mark();
  const result = stepper.result(move.thread);
  const to = result !== undefined ? `done (${result})` : (stepper.oops(move.thread) ?? stepper.label(move.thread));
  return { thread: program.threads[move.thread]?.name ?? String(move.thread), from, to, calls, loads, stores, choices };
}

/** Sets the stepper's choices to the move's combination by trying the ones before it. */
function toOrdinal<C extends WithHeap>(stepper: Stepper<C>, move: Move): void {
  stepper.firstChoices();
  for (let i = 0; i < move.ordinal; i += 1) {
    stepper.state.mark();
    stepper.step(move.thread);
    stepper.state.undo();
    stepper.nextChoices();
  }
}
