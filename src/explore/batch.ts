/**
 * Successors that wait to be looked up in the table of visited states. A look-up is a cache miss; many in a row overlap,
 * one after each step would each be waited for. Of a successor its key is kept and the outcome of its step, so that the few
 * that turn out new are made from their predecessor.
 */

/** Successors after which a batch is looked up. Its arrays then still fit the second-level cache. */
export const BATCH = 1024;

export class Batch {
  count = 0;
  /** Keys of the successors: two words, neither 0. */
  low = new Int32Array(BATCH * 2);
  high = new Int32Array(BATCH * 2);
  /** Set by the table: 1 where the state was not there before. */
  fresh = new Uint8Array(BATCH * 2);
  /** Which predecessor, an index into the arrays of predecessors. */
  owner = new Int32Array(BATCH * 2);
  /** Scratch of the table: where each key is looked for. */
  slot = new Int32Array(BATCH * 2);
  owners = 0;
  /** Where the predecessor lies in the frontier, and its key. */
  ownerAt = new Int32Array(BATCH * 2);
  ownerLow = new Int32Array(BATCH * 2);
  ownerHigh = new Int32Array(BATCH * 2);
  /** What the step did, an index into the outcomes. */
  outcome = new Int32Array(BATCH * 2);

  /** What is added from here on comes from the state at `at` of the frontier, whose key is given. */
  own(at: number, low: number, high: number): void {
    const owner = this.owners;
    this.owners += 1;
    if (owner === this.ownerAt.length) [this.ownerAt, this.ownerLow, this.ownerHigh] = [doubled(this.ownerAt), doubled(this.ownerLow), doubled(this.ownerHigh)];
    this.ownerAt[owner] = at;
    this.ownerLow[owner] = low;
    this.ownerHigh[owner] = high;
  }

  /** Adds the state that an outcome leads to, with its key. */
  add(outcome: number, low: number, high: number): void {
    const i = this.count;
    this.count += 1;
    if (i === this.low.length) this.grow();
    this.low[i] = low;
    this.high[i] = high;
    this.owner[i] = this.owners - 1;
    this.outcome[i] = outcome;
  }

  /**
   * Finds each key's slot in a table of `stride` words a slot, where slot = first word * `scale`, and reads that slot. The
   * misses overlap; the look-ups that follow hit. What was read is returned, or it would be optimised away.
   */
  locate(words: Int32Array, stride: number, scale: number): number {
    const { count, low, slot } = this;
    let touched = 0;
    for (let i = 0; i < count; i += 1) {
      const at = (((low[i] as number) >>> 0) * scale) | 0;
      slot[i] = at;
      touched ^= words[at * stride] as number;
    }
    return touched;
  }

  clear(): void {
    this.count = 0;
    this.owners = 0;
  }

  private grow(): void {
    [this.low, this.high, this.owner, this.slot, this.outcome] = [doubled(this.low), doubled(this.high), doubled(this.owner), doubled(this.slot), doubled(this.outcome)];
    const fresh = new Uint8Array(this.low.length);
    fresh.set(this.fresh);
    this.fresh = fresh;
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(array.length * 2);
  bigger.set(array);
  return bigger;
}
