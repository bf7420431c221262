/**
 * Steps, remembered. What a thread does next depends on where it stands, on the words that it looks at, and on choices: so
 * each step is walked through the nodes once (stepper.ts), and found again by the values of those words that some thread
 * changes. Of some twenty words that a path of the kernel looks at, two or three are of that kind. A step found again is
 * an outcome: nothing is carried out, and the hash of the state after it is that of the state before, and one word.
 *
 * What is remembered is forgotten when a word turns out to change that nobody had changed before, and when it is too much.
 */
import { Decisions, inconsistent } from './decisions.ts';
import { Outcomes, STAYS } from './outcomes.ts';
import type { StateRow } from './state-row.ts';
import type { Stepper } from './stepper.ts';
import { StepTrace } from './step-trace.ts';

export class KnownSteps {
  readonly outcomes = new Outcomes();
  /** Words after which everything is forgotten: what does not repeat is not worth keeping. */
  mostWords = 1 << 24;
  private remember = true;
  private readonly decisions = new Decisions();
  /** By node that a thread stands at: position in the decisions. */
  private roots = new Int32Array(1 << 8);
  /** Width of the row when the first of them was remembered. */
  private width = 0;
  private readonly stepper: Stepper<never>;
  private readonly state: StateRow;
  private readonly trace: StepTrace;

  constructor(stepper: Stepper<never>) {
    this.stepper = stepper;
    this.state = stepper.state;
    this.trace = new StepTrace(stepper.state);
  }

  /** Without remembering, every step is walked through the nodes. */
  use(remember: boolean): void {
    if (this.remember && !remember) this.forget();
    this.remember = remember;
  }

  /** What the next step of `thread` does, with the stepper's choices; STAYS where it cannot move. The row is left as it is. */
  find(thread: number): number {
    const { stepper, state, decisions } = this;
    if (state.width !== this.width) this.forget();
    const { row } = state;
    const { tree } = decisions;
    stepper.againFromFirstChoice();
    const from = row[thread] as number;
    let at = from < this.roots.length ? (this.roots[from] as number) : 0;
    while (at > 0) {
      const place = tree[at] as number;
      const value = place >= 0 ? (row[place] as number) : stepper.pick(~place);
      at = tree[at + 1] === value ? (tree[at + 2] as number) : decisions.next(at, value);
    }
    return at < 0 ? ~at : this.walk(thread);
  }

  /**
   * Walks a step through the nodes that `find` gave an outcome for, and compares.
   * @throws UnseatError INTERNAL where they differ
   */
  verify(thread: number, outcome: number): void {
    const { stepper, state, outcomes } = this;
    state.mark();
    const moved = stepper.step(thread);
    const walked = [moved, state.low, state.high, ...state.row.subarray(0, state.width)];
    state.undo();
    state.mark();
    outcomes.apply(outcome, state);
    const remembered = [outcome !== STAYS, state.low, state.high, ...state.row.subarray(0, state.width)];
    state.undo();
    if (walked.some((word, i) => word !== remembered[i])) throw inconsistent(`thread ${thread} at ${stepper.label(thread)}`);
  }

  /** Between two batches, when no outcome is asked for any more. */
  tidy(): void {
    if (this.remember && this.outcomes.size + this.decisions.size < this.mostWords) return;
    this.forget();
    this.outcomes.clear();
  }

  /** Walks the step through the nodes, and sees what it looks at. */
  private walk(thread: number): number {
    const { state, outcomes, trace } = this;
    const from = state.row[thread] as number;
    const width = state.width;
    let moved = this.watch(thread);
    if (state.width !== width) {
      // It has just found a word that changes: what it saw of that word before, it took for what never does.
      state.undo();
      moved = this.watch(thread);
    }
    const outcome = moved ? trace.outcome(outcomes, thread, from, state.row[thread] as number) : STAYS;
    state.undo();
    if (state.width !== this.width) this.forget();
    if (this.remember) {
      if (from >= this.roots.length) this.roots = enlarged(this.roots, Math.max(from + 1, this.roots.length * 2));
      this.roots[from] = this.decisions.insert(this.roots[from] as number, trace.observed, outcome);
    }
    return outcome;
  }

  private watch(thread: number): boolean {
    this.state.mark();
    this.trace.again();
    return this.stepper.step(thread, this.trace);
  }

  private forget(): void {
    this.roots.fill(0);
    this.decisions.clear();
    this.width = this.state.width;
  }
}

function enlarged(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(length);
  bigger.set(array);
  return bigger;
}
