/**
 * The state that the search stands in, as one row of words: the node of each thread, then the heap words that some
 * thread has ever stored (columns, found as the search goes; a word that nobody stores keeps its set-up value and costs
 * nothing). The hash is kept up to date by the stores, so that no state is ever hashed as a whole.
 */
import type { Heap } from '../kernel/state/heap.ts';
import { mixHigh, mixLow } from './mix.ts';

export { mixHigh, mixLow };

export class StateRow {
  readonly threads: number;
  /** Threads' nodes, then columns. */
  row: Int32Array;
  /** Words of the row in use. */
  width: number;
  low = 0;
  high = 0;
  /** Column (index into the row) of a heap address; 0 for a word that never changed. */
  private columnOf: Int32Array;
  private readonly addressOf: number[];
  /** What each place holds at set-up: nothing changes the heap's own words afterwards. */
  private initials = new Int32Array(64);
  private readonly heap: Heap;
  /** Undo log of the step under way: place, value before. */
  private undoPlaces = new Int32Array(256);
  private undoValues = new Int32Array(256);
  private undoCount = 0;
  private lowBefore = 0;
  private highBefore = 0;
  /** Places that may differ from the state after set-up, each once; a superset. */
  private touched = new Int32Array(64);
  private touchedCount = 0;
  private isTouched = new Uint8Array(64);

  constructor(heap: Heap, threads: number, starts: readonly number[]) {
    this.threads = threads;
    this.heap = heap;
    this.columnOf = new Int32Array(heap.words.length);
    this.addressOf = new Array<number>(threads).fill(0);
    this.row = new Int32Array(64);
    this.width = threads;
    this.begin(starts);
  }

  /** The state after set-up: every thread at its first node, every word as the heap has it. */
  begin(starts: readonly number[]): void {
    this.reset();
    this.low = 0;
    this.high = 0;
    starts.forEach((node, thread) => this.set(thread, node));
    this.undoCount = 0;
  }

  get columns(): number {
    return this.width - this.threads;
  }

  address(column: number): number {
    return this.addressOf[column] as number;
  }

  /** Index of the column of a heap address, counted from 0; -1 for a word that nobody stores. */
  columnIndex(address: number): number {
    const column = (this.columnOf[address] as number) | 0;
    return column === 0 ? -1 : column - this.threads;
  }

  /** What a place holds at set-up: the heap's word, or node 0 for a thread. */
  initial(place: number): number {
    return this.initials[place] as number;
  }

  read(address: number): number {
    // A part made meanwhile may lie beyond the table: it has no column then.
    const column = (this.columnOf[address] as number) | 0;
    return column === 0 ? (this.heap.words[address] as number) : (this.row[column] as number);
  }

  write(address: number, value: number): void {
    let column = (this.columnOf[address] as number) | 0;
    if (column === 0) {
      // A word that has only ever been stored what it held needs no column.
      if (this.heap.words[address] === value) return;
      column = this.addColumn(address);
    }
    if (this.row[column] !== value) this.set(column, value);
  }

  setThread(thread: number, node: number): void {
    if (this.row[thread] !== node) this.set(thread, node);
  }

  /** Begins a step: what is stored from here on can be taken back. */
  mark(): void {
    this.undoCount = 0;
    this.lowBefore = this.low;
    this.highBefore = this.high;
  }

  undo(): void {
    for (let i = this.undoCount - 1; i >= 0; i -= 1) this.row[this.undoPlaces[i] as number] = this.undoValues[i] as number;
    this.undoCount = 0;
    this.low = this.lowBefore;
    this.high = this.highBefore;
  }

  /** Makes a step that is known (outcomes.ts): triples of place, value before and value after, and how the hash changes. */
  apply(changes: Int32Array, begin: number, end: number, low: number, high: number): void {
    for (let i = begin; i < end; i += 3) this.put(changes[i] as number, changes[i + 2] as number);
    this.low ^= low;
    this.high ^= high;
  }

  /** Appends the state to `into` as pairs of place and value that differ from the state after set-up; the new end. */
  save(into: Int32Array, at: number): number {
    const { row, touched } = this;
    let end = at;
    for (let i = 0; i < this.touchedCount; i += 1) {
      const place = touched[i] as number;
      const value = row[place] as number;
      if (value === this.initial(place)) continue;
      into[end] = place;
      into[end + 1] = value;
      end += 2;
    }
    return end;
  }

  /** Words that `save` may need. */
  get saveWords(): number {
    return this.touchedCount * 2;
  }

  /** Takes what `save` wrote to `from[begin, end)` as the state. */
  restore(from: Int32Array, begin: number, end: number, low: number, high: number): void {
    this.reset();
    const { row } = this;
    for (let i = begin; i < end; i += 2) {
      const place = from[i] as number;
      row[place] = from[i + 1] as number;
      this.touch(place);
    }
    this.low = low;
    this.high = high;
  }

  private reset(): void {
    const { touched } = this;
    for (let i = 0; i < this.touchedCount; i += 1) {
      const place = touched[i] as number;
      this.row[place] = this.initial(place);
      this.isTouched[place] = 0;
    }
    this.touchedCount = 0;
    this.undoCount = 0;
  }

  private touch(place: number): void {
    if (this.isTouched[place] === 1) return;
    this.isTouched[place] = 1;
    if (this.touchedCount === this.touched.length) this.touched = enlarged(this.touched);
    this.touched[this.touchedCount] = place;
    this.touchedCount += 1;
  }

  private set(place: number, value: number): void {
    const before = this.row[place] as number;
    const initial = this.initial(place);
    if (before !== initial) {
      this.low ^= mixLow(place, before);
      this.high ^= mixHigh(place, before);
    }
    if (value !== initial) {
      this.low ^= mixLow(place, value);
      this.high ^= mixHigh(place, value);
    }
    this.put(place, value);
  }

  private put(place: number, value: number): void {
    if (this.undoCount === this.undoPlaces.length) {
      this.undoPlaces = enlarged(this.undoPlaces);
      this.undoValues = enlarged(this.undoValues);
    }
    this.touch(place);
    this.undoPlaces[this.undoCount] = place;
    this.undoValues[this.undoCount] = this.row[place] as number;
    this.undoCount += 1;
    this.row[place] = value;
  }

  /** Makes the column that storing this value would have made; the row stays as it is. */
  makeColumn(address: number, value: number): void {
    if (((this.columnOf[address] as number) | 0) === 0 && this.heap.words[address] !== value) this.addColumn(address);
  }

  private addColumn(address: number): number {
    const column = this.width;
    this.width += 1;
    if (this.width > this.row.length) {
      this.row = enlarged(this.row);
      this.initials = enlarged(this.initials);
      const flags = new Uint8Array(this.row.length);
      flags.set(this.isTouched);
      this.isTouched = flags;
    }
    if (address >= this.columnOf.length) {
      const bigger = new Int32Array(this.heap.words.length);
      bigger.set(this.columnOf);
      this.columnOf = bigger;
    }
    this.columnOf[address] = column;
    this.addressOf[column] = address;
    this.initials[column] = this.heap.words[address] as number;
    this.row[column] = this.initials[column] as number;
    return column;
  }
}

function enlarged(array: Int32Array): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(array.length * 2);
  bigger.set(array);
  return bigger;
}
