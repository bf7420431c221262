/** States that wait to be expanded: slot, hash halves, end, then what differs from the state after set-up. First in, first out. */
import type { StateRow } from './state-row.ts';

const HEAD = 4;

export class Frontier {
  private data = new Int32Array(1 << 16);
  private end = 0;
  private begin = 0;
  count = 0;

  push(slot: number, state: StateRow): void {
    const needed = this.end + HEAD + state.saveWords;
    if (needed > this.data.length) {
      const bigger = new Int32Array(Math.max(needed, this.data.length * 2));
      bigger.set(this.data.subarray(0, this.end));
      this.data = bigger;
    }
    const { data, end } = this;
    const after = state.save(data, end + HEAD);
    data[end] = slot;
    data[end + 1] = state.low;
    data[end + 2] = state.high;
    data[end + 3] = after;
    this.end = after;
    this.count += 1;
  }

  /** Makes the oldest state the current one, and returns its slot. */
  shift(state: StateRow): number {
    const { data, begin } = this;
    const after = data[begin + 3] as number;
    state.restore(data, begin + HEAD, after, data[begin + 1] as number, data[begin + 2] as number);
    this.begin = after;
    this.count -= 1;
    return data[begin] as number;
  }

  clear(): void {
    this.begin = 0;
    this.end = 0;
    this.count = 0;
  }

  renameSlots(moved: Int32Array): void {
    for (let at = this.begin; at < this.end; at = this.data[at + 3] as number) this.data[at] = moved[this.data[at] as number] as number;
  }
}
