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
  readonly observed: number[] = [];
  private readonly state: StateRow;
  private readonly before = new Map<number, number>();
  private readonly after = new Map<number, number>();
  private readonly seen = new Set<number>();

  constructor(state: StateRow) {
    this.state = state;
  }

  load(address: number, value: number): void {
    const column = this.state.columnIndex(address);
    if (column < 0) return;
    this.seen.add(column * 2);
    this.observe(column + this.state.threads, value);
  }

  store(address: number, before: number, after: number): void {
    const column = this.state.columnIndex(address);
    if (column < 0) return;
    this.seen.add(column * 2 + 1);
    this.observe(column + this.state.threads, before);
    this.after.set(column + this.state.threads, after);
  }

  enter(): void {}

  choose(_label: string, choice: number, count: number): void {
    this.observed.push(~count, choice);
  }

  /** Adds what the step did, which took `thread` from one node to another, to the outcomes. */
  outcome(outcomes: Outcomes, thread: number, from: number, to: number): number {
    const { state } = this;
    this.before.set(thread, from);
    this.after.set(thread, to);
    const changes: number[] = [];
    let [low, high] = [0, 0];
    for (const [place, after] of this.after) {
      const before = this.before.get(place) as number;
      if (before === after) continue;
      changes.push(place, before, after);
      for (const value of [before, after]) {
        if (value === state.initial(place)) continue;
        low ^= mixLow(place, value);
        high ^= mixHigh(place, value);
      }
    }
    return outcomes.add(low, high, changes, this.seen);
  }

  private observe(place: number, value: number): void {
    if (this.before.has(place)) return;
    this.before.set(place, value);
    this.observed.push(place, value);
  }
}
