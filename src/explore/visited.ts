/**
 * The states seen so far, by their 64-bit hash, with the state from which each was first reached and by what: what a
 * counterexample is rebuilt from. Open addressing; 17 bytes a slot. Two states that share a hash would be taken for one
 * (for n states the chance is about n^2 / 2^65: one in a million at 8 million states); `exact` searches check full rows.
 */
const LOAD_LIMIT = 0.75;

export class Visited {
  /** Both halves of a hash side by side: one probe is one cache line. */
  private keys: Int32Array;
  private parents: Int32Array;
  private vias: Uint16Array;
  private mask: number;
  count = 0;
  /** Called with the old-to-new slot map when the table has grown: slots kept elsewhere must be renamed. */
  private readonly onGrow: (moved: Int32Array) => void;

  constructor(onGrow: (moved: Int32Array) => void, slots = 1 << 16) {
    this.onGrow = onGrow;
    this.mask = slots - 1;
    this.keys = new Int32Array(slots * 2);
    this.parents = new Int32Array(slots);
    this.vias = new Uint16Array(slots);
  }

  get bytes(): number {
    return (this.mask + 1) * 14;
  }

  /** Slot of the new state, or -1 where it was seen before. */
  add(low: number, high: number, parent: number, via: number): number {
    // A free slot is 0,0: no state may have that hash.
    if (low === 0 && high === 0) high = 1;
    const { keys, mask } = this;
    let slot = (low ^ (high >>> 7)) & mask;
    for (;;) {
      const l = keys[slot * 2] as number;
      const h = keys[slot * 2 + 1] as number;
      if (l === low && h === high) return -1;
      if (l === 0 && h === 0) break;
      slot = (slot + 1) & mask;
    }
    keys[slot * 2] = low;
    keys[slot * 2 + 1] = high;
    this.parents[slot] = parent;
    this.vias[slot] = via;
    this.count += 1;
    return slot;
  }

  /** To be called between expansions: grows when needed, renaming slots. */
  makeRoom(): void {
    if (this.count < (this.mask + 1) * LOAD_LIMIT) return;
    const { keys, parents, vias } = this;
    const before = vias.length;
    const slots = before * 2;
    this.mask = slots - 1;
    this.keys = new Int32Array(slots * 2);
    this.parents = new Int32Array(slots);
    this.vias = new Uint16Array(slots);
    this.count = 0;
    const moved = new Int32Array(before);
    for (let slot = 0; slot < before; slot += 1) {
      if (keys[slot * 2] === 0 && keys[slot * 2 + 1] === 0) continue;
      moved[slot] = this.add(keys[slot * 2] as number, keys[slot * 2 + 1] as number, parents[slot] as number, vias[slot] as number);
    }
    for (let slot = 0; slot < slots; slot += 1) {
      const parent = this.parents[slot] as number;
      if (parent > 0) this.parents[slot] = (moved[parent - 1] as number) + 1;
    }
    this.onGrow(moved);
  }

  /** Slot plus one of the state before, 0 for the first state. */
  parent(slot: number): number {
    return this.parents[slot] as number;
  }

  via(slot: number): number {
    return this.vias[slot] as number;
  }
}
