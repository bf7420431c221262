/**
 * The states seen so far, by their 64-bit hash: 8 bytes a slot in an open-addressing table that is half to three quarters
 * full, so 11 to 16 bytes a state. Two states that share a hash would be taken for one (for n states the chance is about
 * n^2 / 2^65: one in a million at 8 million states).
 *
 * While the table is small it also keeps the key of the state from which each was first reached, which a counterexample
 * is rebuilt from (16 bytes a slot). A large search goes without; when it finds something it is made once more, with them.
 */
import type { Batch } from './batch.ts';

const LOAD_LIMIT = 0.75;
const GROWTH = 1.5;
/** Slots up to which predecessors are kept unless asked for otherwise: 16 MiB. */
export const PARENTS_UP_TO = 1 << 20;

/** Words of a table that is saved and taken up again. */
export interface TableWords {
  readonly words: Int32Array;
  readonly stride: number;
  readonly count: number;
}

/** Slots of the next larger table. */
export const nextSlots = (slots: number): number => Math.ceil(slots * (slots < PARENTS_UP_TO ? 2 : GROWTH));

export class Visited {
  /** Slots side by side: two words of key, and two of the predecessor's where they are kept. */
  private words: Int32Array;
  private slots: number;
  private stride: number;
  private readonly parentsUpTo: number;
  /** Takes a hash to its slot, in order: growing then reads and writes the tables from front to back. */
  private scale: number;
  count = 0;
  /** What the first pass over a batch read: it must count for something, or it would be optimised away. */
  touched = 0;

  /** `parentsUpTo`: slots; a table that grows beyond them forgets where states came from. */
  constructor(parentsUpTo: number, from: TableWords | null = null) {
    this.parentsUpTo = parentsUpTo;
    this.stride = from?.stride ?? 4;
    this.words = from?.words ?? new Int32Array((1 << 14) * this.stride);
    this.slots = this.words.length / this.stride;
    this.scale = this.slots / 0x100000000;
    this.count = from?.count ?? 0;
  }

  get bytes(): number {
    return this.words.length * 4;
  }

  get hasParents(): boolean {
    return this.stride === 4;
  }

  get saved(): TableWords {
    return { words: this.words, stride: this.stride, count: this.count };
  }

  /** True where the state is new. Keys have no word that is 0; a state without predecessor gives 0, 0. */
  add(low: number, high: number, parentLow: number, parentHigh: number): boolean {
    this.makeRoom(1);
    return this.addAt(((low >>> 0) * this.scale) | 0, low, high, parentLow, parentHigh);
  }

  /** Adds all, marks those that were new, and returns how many they are. */
  addAll(batch: Batch): number {
    const { count, low, high, owner, ownerLow, ownerHigh, slot, fresh } = batch;
    this.makeRoom(count);
    const { words, stride, scale } = this;
    this.touched = batch.locate(words, stride, scale);
    let added = 0;
    for (let i = 0; i < count; i += 1) {
      const by = owner[i] as number;
      const isNew = this.addAt(slot[i] as number, low[i] as number, high[i] as number, ownerLow[by] as number, ownerHigh[by] as number);
      fresh[i] = isNew ? 1 : 0;
      if (isNew) added += 1;
    }
    return added;
  }

  /** Key of the state from which this one was first reached; null for the first state. Only where `hasParents`. */
  parent(low: number, high: number): readonly [low: number, high: number] | null {
    const { words, stride } = this;
    let at = (((low >>> 0) * this.scale) | 0) * stride;
    while (words[at] !== low || words[at + 1] !== high) {
      at += stride;
      if (at === words.length) at = 0;
    }
    const parentLow = words[at + 2] as number;
    return parentLow === 0 ? null : [parentLow, words[at + 3] as number];
  }

  private addAt(slot: number, low: number, high: number, parentLow: number, parentHigh: number): boolean {
    const { words, stride } = this;
    let at = slot * stride;
    for (;;) {
      const there = words[at] as number;
      if (there === 0) break;
      if (there === low && words[at + 1] === high) return false;
      at += stride;
      if (at === words.length) at = 0;
    }
    words[at] = low;
    words[at + 1] = high;
    if (stride === 4) {
      words[at + 2] = parentLow;
      words[at + 3] = parentHigh;
    }
    this.count += 1;
    return true;
  }

  private makeRoom(more: number): void {
    const needed = this.count + more;
    if (needed < this.slots * LOAD_LIMIT) return;
    const { words: old, stride: oldStride } = this;
    while (needed >= this.slots * LOAD_LIMIT) this.slots = nextSlots(this.slots);
    this.stride = this.slots <= this.parentsUpTo ? oldStride : 2;
    this.scale = this.slots / 0x100000000;
    this.words = new Int32Array(this.slots * this.stride);
    this.count = 0;
    for (let at = 0; at < old.length; at += oldStride) {
      const low = old[at] as number;
      if (low === 0) continue;
      this.addAt(((low >>> 0) * this.scale) | 0, low, old[at + 1] as number, oldStride === 4 ? (old[at + 2] as number) : 0, oldStride === 4 ? (old[at + 3] as number) : 0);
    }
  }
}
