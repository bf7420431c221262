/**
 * States that wait to be expanded: end, hash halves, a word for the search, then what differs from the state after
 * set-up. Read from the front (`begin`) or taken from the back (a stack).
 */
import type { StateRow } from './state-row.ts';

/** Words before what differs. */
export const FRONTIER_HEAD = 4;
const HEAD = FRONTIER_HEAD;

export class Frontier {
  private data: Int32Array = new Int32Array(1 << 14);
  private end = 0;
  count = 0;

  /** Adds a state at the end; where it begins. */
  push(state: StateRow, extra = 0): number {
    const needed = this.end + HEAD + state.saveWords;
    if (needed > this.data.length) {
      const bigger = new Int32Array(Math.max(needed, this.data.length * 2));
      bigger.set(this.data.subarray(0, this.end));
      this.data = bigger;
    }
    const { data, end } = this;
    const after = state.save(data, end + HEAD);
    data[end] = after;
    data[end + 1] = state.low;
    data[end + 2] = state.high;
    data[end + 3] = extra;
    this.end = after;
    this.count += 1;
    return end;
  }

  /** Makes the state at `at` (0 for the first) the current one; where the next one begins. */
  restore(at: number, state: StateRow): number {
    const { data } = this;
    const after = data[at] as number;
    state.restore(data, at + HEAD, after, data[at + 1] as number, data[at + 2] as number);
    return after;
  }

  extra(at: number): number {
    return this.data[at + 3] as number;
  }

  /** Forgets the state at `at`, which must be the last one. */
  dropFrom(at: number): void {
    this.end = at;
    this.count -= 1;
  }

  clear(): void {
    this.end = 0;
    this.count = 0;
  }

  get bytes(): number {
    return this.data.length * 4;
  }

  /** All of it, to be saved. */
  get saved(): Int32Array {
    return this.data.subarray(0, this.end);
  }

  take(words: Int32Array, count: number): void {
    this.data = words;
    this.end = words.length;
    this.count = count;
  }
}
