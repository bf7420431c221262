/**
 * What steps do, each once: which places of the row change from what to what, how the hash of the state changes by it,
 * and which columns were loaded and stored on the way. 0 is no outcome: the thread stays where it is.
 */
import type { StateRow } from './state-row.ts';

export const STAYS = 0;

export class Outcomes {
  count = 1;
  /** Changes of the hash, to be mixed in by exclusive or. */
  low = new Int32Array(1 << 8);
  high = new Int32Array(1 << 8);
  /** Where the changes of each outcome end in `changes`; they begin where those of the one before end. */
  ends = new Int32Array(1 << 8);
  /** Place, value before, value after. */
  changes = new Int32Array(1 << 10);
  /** The same for what it looked at: twice the column, and 1 where it was stored. */
  private seenEnds = new Int32Array(1 << 8);
  private seen = new Int32Array(1 << 10);

  add(low: number, high: number, changes: readonly number[], seen: readonly number[]): number {
    const outcome = this.count;
    this.count += 1;
    if (outcome === this.low.length) this.grow();
    this.low[outcome] = low;
    this.high[outcome] = high;
    this.changes = append(this.changes, this.ends[outcome - 1] as number, changes);
    this.ends[outcome] = (this.ends[outcome - 1] as number) + changes.length;
    this.seen = append(this.seen, this.seenEnds[outcome - 1] as number, seen);
    this.seenEnds[outcome] = (this.seenEnds[outcome - 1] as number) + seen.length;
    return outcome;
  }

  /** Makes the step in the row. `state.undo()` goes back to the last `mark`. */
  apply(outcome: number, state: StateRow): void {
    state.apply(this.changes, outcome === STAYS ? 0 : (this.ends[outcome - 1] as number), this.ends[outcome] as number, this.low[outcome] as number, this.high[outcome] as number);
  }

  /** Puts into the row what an outcome leaves there, for a look at it: no hash, no undo. `takeBack` must follow. */
  lend(outcome: number, row: Int32Array): void {
    const { changes, ends } = this;
    const end = ends[outcome] as number;
    for (let i = ends[outcome - 1] as number; i < end; i += 3) row[changes[i] as number] = changes[i + 2] as number;
  }

  takeBack(outcome: number, row: Int32Array): void {
    const { changes, ends } = this;
    const end = ends[outcome] as number;
    for (let i = ends[outcome - 1] as number; i < end; i += 3) row[changes[i] as number] = changes[i + 1] as number;
  }

  /** What `marks` say of the places that an outcome changes, together. */
  touches(outcome: number, marks: Int32Array): number {
    const { changes, ends } = this;
    const end = ends[outcome] as number;
    let bits = 0;
    for (let i = ends[outcome - 1] as number; i < end; i += 3) bits |= marks[changes[i] as number] as number;
    return bits;
  }

  /** The node at which an outcome of `thread` leaves it; 0 where that is the one at which it stood. */
  goesTo(outcome: number, thread: number): number {
    const last = (this.ends[outcome] as number) - 3;
    return last >= (this.ends[outcome - 1] as number) && this.changes[last] === thread ? (this.changes[last + 2] as number) : 0;
  }

  /** Words in use, about. */
  get size(): number {
    return this.count * 4 + (this.ends[this.count - 1] as number) + (this.seenEnds[this.count - 1] as number);
  }

  /** Sets the bits of the columns that an outcome loaded and stored. */
  footprint(outcome: number, loads: Int32Array, stores: Int32Array): void {
    loads.fill(0);
    stores.fill(0);
    const end = this.seenEnds[outcome] as number;
    for (let i = this.seenEnds[outcome - 1] as number; i < end; i += 1) {
      const word = this.seen[i] as number;
      setBit((word & 1) === 0 ? loads : stores, word >>> 1);
    }
  }

  clear(): void {
    this.count = 1;
  }

  private grow(): void {
    const length = this.low.length * 2;
    this.low = enlarged(this.low, length);
    this.high = enlarged(this.high, length);
    this.ends = enlarged(this.ends, length);
    this.seenEnds = enlarged(this.seenEnds, length);
  }
}

function append(array: Int32Array<ArrayBuffer>, at: number, words: readonly number[]): Int32Array<ArrayBuffer> {
  const into = at + words.length > array.length ? enlarged(array, Math.max(array.length * 2, at + words.length)) : array;
  into.set(words, at);
  return into;
}

function enlarged(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(length);
  bigger.set(array);
  return bigger;
}

function setBit(set: Int32Array, bit: number): void {
  if (bit >>> 5 < set.length) set[bit >>> 5] = (set[bit >>> 5] as number) | (1 << (bit & 31));
}
