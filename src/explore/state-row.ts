/**
 * The state that the search stands in, as one row of words: the node of each thread, then the heap words that some
 * thread has ever stored (columns, found as the search goes; a word that nobody stores keeps its set-up value and costs
 * nothing). The hash is kept up to date by the stores, so that no state is ever hashed as a whole.
 */
import type { Heap } from '../kernel/state/heap.ts';

/** Two 32-bit halves of a 64-bit hash, mixed from a place and a value; 0 for the set-up value. */
export function mixLow(place: number, value: number): number {
  let h = Math.imul(place, 0x9e3779b1) ^ Math.imul(value, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return h ^ (h >>> 15);
}

export function mixHigh(place: number, value: number): number {
  let h = Math.imul(place, 0xc2b2ae35) + Math.imul(value, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return h ^ (h >>> 16);
}

export class StateRow {
  readonly threads: number;
  /** Threads' nodes, then columns. */
  row: Int32Array;
  /** Words of the row in use. */
  width: number;
  low = 0;
  high = 0;
  /** Column (index into the row) of a heap address; 0 for a word that never changed. */
  private readonly columnOf: Int32Array;
  private readonly addressOf: Int32Array;
  private readonly base: Int32Array;
  /** Undo log of the step under way: place, value before. */
  private undoPlaces = new Int32Array(256);
  private undoValues = new Int32Array(256);
  private undoCount = 0;
  private lowBefore = 0;
  private highBefore = 0;

  constructor(heap: Heap, threads: number, starts: readonly number[]) {
    this.threads = threads;
    this.base = heap.words;
    this.columnOf = new Int32Array(heap.used);
    this.addressOf = new Int32Array(heap.used + threads);
    this.row = new Int32Array(64);
    this.width = threads;
    this.begin(starts);
  }

  /** The state after set-up: every thread at its first node, every word as the heap has it. */
  begin(starts: readonly number[]): void {
    for (let place = 0; place < this.width; place += 1) this.row[place] = this.initial(place);
    this.low = 0;
    this.high = 0;
    this.undoCount = 0;
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
    return (this.columnOf[address] as number) - this.threads < 0 ? -1 : (this.columnOf[address] as number) - this.threads;
  }

  /** What a place holds at set-up: the heap's word, or node 0 for a thread. */
  initial(place: number): number {
    return place < this.threads ? 0 : (this.base[this.addressOf[place] as number] as number);
  }

  read(address: number): number {
    const column = this.columnOf[address] as number;
    return column === 0 ? (this.base[address] as number) : (this.row[column] as number);
  }

  write(address: number, value: number): void {
    const column = (this.columnOf[address] as number) || this.addColumn(address);
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

  /** Takes a stored row (of `width` words, perhaps fewer than now) as the state. */
  restore(from: Int32Array, offset: number, width: number, low: number, high: number): void {
    const row = this.row;
    for (let i = 0; i < width; i += 1) row[i] = from[offset + i] as number;
    for (let i = width; i < this.width; i += 1) row[i] = this.initial(i);
    this.low = low;
    this.high = high;
    this.undoCount = 0;
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
    if (this.undoCount === this.undoPlaces.length) this.growUndo();
    this.undoPlaces[this.undoCount] = place;
    this.undoValues[this.undoCount] = before;
    this.undoCount += 1;
    this.row[place] = value;
  }

  private addColumn(address: number): number {
    const column = this.width;
    this.width += 1;
    if (this.width > this.row.length) {
      const bigger = new Int32Array(this.row.length * 2);
      bigger.set(this.row);
      this.row = bigger;
    }
    this.columnOf[address] = column;
    this.addressOf[column] = address;
    this.row[column] = this.base[address] as number;
    return column;
  }

  private growUndo(): void {
    const places = new Int32Array(this.undoPlaces.length * 2);
    places.set(this.undoPlaces);
    this.undoPlaces = places;
    const values = new Int32Array(places.length);
    values.set(this.undoValues);
    this.undoValues = values;
  }
}
