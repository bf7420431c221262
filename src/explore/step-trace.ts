/** Watches one step: what it observes of the state that could have been otherwise, and what it changes. */
import { mixHigh, mixLow } from './mix.ts';
import type { Outcomes } from './outcomes.ts';
import type { StateRow } from './state-row.ts';
import type { StepWatcher } from './stepper.ts';

export class StepTrace implements StepWatcher {
  /**
   * Place and value by turns, each place once: what was loaded, what a stored word held before, and choices (the place is
   * then the complement of how many there were). Words that no thread has ever changed are left out: they are the same
   * in every state, until there is a column for them.
   */
  observed: number[] = [];
  private readonly state: StateRow;
  /** Places stored to, and columns looked at: twice the column, and 1 where it was stored. Each once. */
  private stored: number[] = [];
  private seen: number[] = [];
  /** By place: in which round it was observed, loaded and stored, and what it held before and after. */
  private round = 0;
  private observedIn = new Int32Array(64);
  private loadedIn = new Int32Array(64);
  private storedIn = new Int32Array(64);
  private before = new Int32Array(64);
  private after = new Int32Array(64);

  constructor(state: StateRow) {
    this.state = state;
  }

  /** Begins to watch a step, or begins anew. */
  again(): void {
    this.round += 1;
    this.observed = [];
    this.stored = [];
    this.seen = [];
    if (this.state.row.length <= this.before.length) return;
    for (const key of ['observedIn', 'loadedIn', 'storedIn', 'before', 'after'] as const) this[key] = new Int32Array(this.state.row.length);
  }

  load(address: number, value: number): void {
    const { state, loadedIn } = this;
    const column = state.columnIndex(address);
    if (column < 0) return;
    const place = column + state.threads;
    this.observe(place, value);
    if (loadedIn[place] === this.round) return;
    loadedIn[place] = this.round;
    this.seen.push(column * 2);
  }

  store(address: number, before: number, after: number): void {
    const { state, storedIn } = this;
    const column = state.columnIndex(address);
    if (column < 0) return;
    const place = column + state.threads;
    this.observe(place, before);
    this.after[place] = after;
    if (storedIn[place] === this.round) return;
    storedIn[place] = this.round;
    this.stored.push(place);
    this.seen.push(column * 2 + 1);
  }

  enter(): void {}

  choose(_label: string, choice: number, count: number): void {
    this.observed.push(~count, choice);
  }

  /** Adds what the step did, which took `thread` from one node to another, to the outcomes. */
  outcome(outcomes: Outcomes, thread: number, from: number, to: number): number {
    this.before[thread] = from;
    this.after[thread] = to;
    this.stored.push(thread);
    const changes: number[] = [];
    let [low, high] = [0, 0];
    for (const place of this.stored) {
      const before = this.before[place] as number;
      const after = this.after[place] as number;
      if (before === after) continue;
      changes.push(place, before, after);
      low ^= this.shareLow(place, before) ^ this.shareLow(place, after);
      high ^= this.shareHigh(place, before) ^ this.shareHigh(place, after);
    }
    return outcomes.add(low, high, changes, this.seen);
  }

  private observe(place: number, value: number): void {
    if (this.observedIn[place] === this.round) return;
    this.observedIn[place] = this.round;
    this.before[place] = value;
    this.observed.push(place, value);
  }

  private shareLow(place: number, value: number): number {
    return value === this.state.initial(place) ? 0 : mixLow(place, value);
  }

  private shareHigh(place: number, value: number): number {
    return value === this.state.initial(place) ? 0 : mixHigh(place, value);
  }
}
