/**
 * The simulated kernel's memory: one growable array of 32-bit words behind a barrier. Everything that two threads can
 * share lives here, and nothing else does: JavaScript objects beside the heap hold only what never changes after set-up
 * (names, the profile). Because all reads and writes pass `load` and `store`, undo logs, incremental hashes and
 * footprints need no cooperation from kernel code.
 *
 * Addresses are word indexes; 0 is NULL and is never handed out. Values are signed 32-bit integers.
 */

/**
 * Stands in for the heap while the explorer (or a tracer) runs a path: it answers loads and takes stores.
 * A tap also sees calls, choices and reservations, so that a path can be re-run from what it has observed.
 */
export interface Tap {
  load(address: number): number;
  store(address: number, value: number): void;
  /** A call begins. A number: the call is known to return it and must not be carried out. */
  enter(fn: Function, args: readonly number[]): number | undefined;
  /** The call that was entered last returns. */
  leave(result: number): void;
  /** A round of a `repeat` begins with this state; the state to take instead (the recorded one in a re-run). */
  round(state: number): number;
  /** One of 0 .. count-1, all of which must be tried. */
  choose(count: number, label: string): number;
}

const FIRST = 1;

export class Heap {
  words: Int32Array;
  /** Null in a straight run. Set only between runs of a path. */
  tap: Tap | null = null;
  private next = FIRST;

  constructor(initialWords = 1 << 16) {
    this.words = new Int32Array(initialWords);
  }

  /** Words handed out so far, NULL included. */
  get used(): number {
    return this.next;
  }

  /**
   * Reserves `count` zeroed words for ever; returns the address of the first. For set-up, slabs and parts only: what is
   * reserved once must be found again by whoever re-runs the path (a slab's chunk, a part), never reserved anew.
   */
  reserve(count: number): number {
    const address = this.next;
    this.next += count;
    if (this.next > this.words.length) this.grow(this.next);
    return address;
  }

  load(address: number): number {
    return this.tap === null ? (this.words[address] as number) : this.tap.load(address);
  }

  store(address: number, value: number): void {
    if (this.tap === null) this.words[address] = value;
    else this.tap.store(address, value | 0);
  }

  add(address: number, delta: number): number {
    const value = (this.load(address) + delta) | 0;
    this.store(address, value);
    return value;
  }

  private grow(needed: number): void {
    let length = this.words.length;
    while (length < needed) length *= 2;
    const bigger = new Int32Array(length);
    bigger.set(this.words);
    this.words = bigger;
  }
}
