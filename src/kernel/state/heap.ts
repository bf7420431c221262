/**
 * The simulated kernel's memory: one growable array of 32-bit words behind a barrier. Everything that two threads can
 * share lives here, and nothing else does: JavaScript objects beside the heap hold only what never changes after set-up
 * (names, the profile). Because all reads and writes pass `load` and `store`, undo logs, incremental hashes and
 * footprints need no cooperation from kernel code.
 *
 * Addresses are word indexes; 0 is NULL and is never handed out. Values are signed 32-bit integers.
 */
export interface Barrier {
  onLoad(address: number, value: number): void;
  onStore(address: number, before: number, after: number): void;
}

const FIRST = 1;

export class Heap {
  words: Int32Array;
  private next = FIRST;
  private barrier: Barrier | null = null;

  constructor(initialWords = 1 << 16) {
    this.words = new Int32Array(initialWords);
  }

  /** Words handed out so far, NULL included. */
  get used(): number {
    return this.next;
  }

  /** Reserves `count` zeroed words for ever; returns the address of the first. Set-up and slabs only: never freed. */
  reserve(count: number): number {
    const address = this.next;
    this.next += count;
    if (this.next > this.words.length) this.grow(this.next);
    return address;
  }

  load(address: number): number {
    const value = this.words[address] as number;
    if (this.barrier !== null) this.barrier.onLoad(address, value);
    return value;
  }

  store(address: number, value: number): void {
    if (this.barrier !== null) this.barrier.onStore(address, this.words[address] as number, value | 0);
    this.words[address] = value;
  }

  add(address: number, delta: number): number {
    const value = (this.load(address) + delta) | 0;
    this.store(address, value);
    return value;
  }

  /** Puts a barrier in front of every load and store, or removes it (null). Returns the one that was there. */
  setBarrier(barrier: Barrier | null): Barrier | null {
    const before = this.barrier;
    this.barrier = barrier;
    return before;
  }

  private grow(needed: number): void {
    let length = this.words.length;
    while (length < needed) length *= 2;
    const bigger = new Int32Array(length);
    bigger.set(this.words);
    this.words = bigger;
  }
}
