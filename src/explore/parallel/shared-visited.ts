/**
 * The table of visited states that several threads fill at once: as visited.ts, with the slot claimed by one
 * compare-and-exchange of its first word, which nobody ever changes again. A reader that meets a claimed slot with its own
 * first word waits for the second one to be written. Whether a state was new is answered with yes exactly once.
 *
 * V8 calls a function for everything in Atomics, so it is used for that exchange alone: the second word is a plain store,
 * and a table that is filled from a smaller one is divided between the threads (takeFrom).
 */
import type { Batch } from '../batch.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import { C } from './control.ts';
import type { SharedTable } from './messages.ts';

export const LOAD_LIMIT = 0.75;
/** Slots on both sides of a border between two threads' parts where either may enter keys. No run of slots in use is nearly as long. */
const BORDER = 1 << 12;

export class SharedVisited {
  private words: Int32Array;
  private stride: number;
  private slots = 0;
  private scale = 0;
  private readonly control: Int32Array;
  private readonly threads: number;
  /** Called with the table too full: returns when it has been replaced. */
  private readonly grow: () => void;
  /** As in visited.ts. */
  touched = 0;

  constructor(control: Int32Array, threads: number, table: SharedTable, grow: () => void) {
    this.control = control;
    this.threads = threads;
    this.grow = grow;
    this.words = table.words;
    this.stride = table.stride;
    this.use(table);
  }

  use(table: SharedTable): void {
    this.words = table.words;
    this.stride = table.stride;
    this.slots = table.words.length / table.stride;
    this.scale = this.slots / 0x100000000;
  }

  addAll(batch: Batch): number {
    const { control, threads } = this;
    const { count, low, high, owner, ownerLow, ownerHigh, slot, fresh } = batch;
    // Others may be adding as many at the same time.
    while (Atomics.load(control, C.grow) === 1 || Atomics.load(control, C.states) + count * threads >= this.slots * LOAD_LIMIT) {
      Atomics.store(control, C.grow, 1);
      this.grow();
    }
    const { words, stride, scale } = this;
    this.touched = batch.locate(words, stride, scale);
    let added = 0;
    for (let i = 0; i < count; i += 1) {
      const by = owner[i] as number;
      const isNew = this.addAt(slot[i] as number, low[i] as number, high[i] as number, ownerLow[by] as number, ownerHigh[by] as number);
      fresh[i] = isNew ? 1 : 0;
      if (isNew) added += 1;
    }
    if (added > 0) Atomics.add(control, C.states, added);
    return added;
  }

  /**
   * Enters one of `parts` parts of another table's slots into this one, which is empty but for what other threads enter of
   * theirs. Both have their keys in the order of their hashes: but for its borders, nobody else enters anything into the
   * same part of this table, and no exchange is needed there.
   */
  takeFrom(old: SharedTable, part: number, parts: number): void {
    const { words, stride } = old;
    const slots = words.length / stride;
    const [low, high] = [part, part + 1].map((p) => Math.floor((this.slots * p) / parts)) as [number, number];
    const narrow = high - low < 4 * BORDER;
    // Alone it has no borders; where parts are narrow, everything is one.
    const from = parts === 1 ? 0 : narrow ? high : low + BORDER;
    const to = parts === 1 ? this.slots : narrow ? high : high - BORDER;
    const end = Math.floor((slots * (part + 1)) / parts) * stride;
    for (let at = Math.floor((slots * part) / parts) * stride; at < end; at += stride) {
      const first = words[at] as number;
      if (first === 0) continue;
      const slot = ((first >>> 0) * this.scale) | 0;
      const [parentLow, parentHigh] = stride === 4 ? [words[at + 2] as number, words[at + 3] as number] : [0, 0];
      const left = slot >= from && slot < to ? this.enter(slot, to, first, words[at + 1] as number, parentLow, parentHigh) : slot;
      if (left < 0) continue;
      const entered = this.claim(left % this.slots, first, words[at + 1] as number, parentLow, parentHigh);
      if (!narrow) this.mustBeAtBorder(entered / this.stride, low, high);
    }
  }

  /** Enters a key that is not there at or after `slot`, where nobody else does. -1, or `to` where there was no room before that. */
  private enter(slot: number, to: number, low: number, high: number, parentLow: number, parentHigh: number): number {
    const { words, stride } = this;
    let at = slot * stride;
    const end = to * stride;
    while (at < end && words[at] !== 0) at += stride;
    if (at === end) return to;
    words[at] = low;
    words[at + 1] = high;
    if (stride === 4) {
      words[at + 2] = parentLow;
      words[at + 3] = parentHigh;
    }
    return -1;
  }

  /** Beyond its border another thread enters keys without an exchange: one of the two could be lost. */
  private mustBeAtBorder(slot: number, low: number, high: number): void {
    const { slots } = this;
    if ((slot >= low && slot < high) || (low - slot + slots) % slots <= BORDER || (slot - high + slots) % slots < BORDER) return;
    throw new UnseatError('INTERNAL', 'hashes of states are not spread as they should be', { next: 'Search with one worker.' });
  }

  private addAt(slot: number, low: number, high: number, parentLow: number, parentHigh: number): boolean {
    return this.claim(slot, low, high, parentLow, parentHigh) >= 0;
  }

  /** The word at which the key was entered; -1 where it was there. */
  private claim(slot: number, low: number, high: number, parentLow: number, parentHigh: number): number {
    const { words, stride } = this;
    let at = slot * stride;
    for (;;) {
      // A plain read may be behind: what is read as free is claimed by an exchange that knows better.
      let there = words[at] as number;
      if (there === 0) {
        there = Atomics.compareExchange(words, at, 0, low);
        if (there === 0) break;
      }
      if (there === low && this.second(at + 1) === high) return -1;
      at += stride;
      if (at === words.length) at = 0;
    }
    if (stride === 4) {
      words[at + 2] = parentLow;
      words[at + 3] = parentHigh;
    }
    words[at + 1] = high;
    return at;
  }

  /** Second word of a key whose first is there: it is written right after it, by another thread perhaps. */
  private second(at: number): number {
    let high = this.words[at] as number;
    while (high === 0) high = Atomics.load(this.words, at);
    return high;
  }
}
