/** The way to a state, found again from the keys of the states on it: forward from the start, by the step that leads to the next key. */
import { UnseatError } from '../errors/unseat-error.ts';
import type { Move } from './explain.ts';
import type { WithHeap } from './program.ts';
import type { Stepper } from './stepper.ts';

type KeyPair = readonly [low: number, high: number];

/** Keys from the first state after the start to the given one. */
export function keysTo(low: number, high: number, parent: (low: number, high: number) => KeyPair | null): KeyPair[] {
  const keys: KeyPair[] = [];
  let at: KeyPair = [low, high];
  for (let before = parent(low, high); before !== null; before = parent(at[0], at[1])) {
    keys.push(at);
    at = before;
  }
  return keys.reverse();
}

/** `key`: of the state that the row holds after a step of a thread. */
export function movesAlong<C extends WithHeap>(stepper: Stepper<C>, keys: readonly KeyPair[], key: (thread: number) => KeyPair): Move[] {
  const { state } = stepper;
  state.begin(stepper.roots);
  return keys.map(([low, high]) => {
    for (let thread = 0; thread < state.threads; thread += 1) {
      stepper.firstChoices();
      let ordinal = 0;
      do {
        state.mark();
        if (stepper.step(thread)) {
          const [l, h] = key(thread);
          if (l === low && h === high) {
            state.mark();
            return { thread, ordinal };
          }
          state.undo();
        }
        ordinal += 1;
      } while (stepper.nextChoices());
    }
    throw new UnseatError('INTERNAL', 'no step leads along the way that a search went');
  });
}
