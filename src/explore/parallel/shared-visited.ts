/**
 * The table of visited states that several threads fill at once: as visited.ts, with the slot claimed by one
 * compare-and-exchange of its first word, which nobody ever changes again. A reader that meets a claimed slot with its own
 * first word waits for the second one to be written. Whether a state was new is answered with yes exactly once.
 */
import type { Batch } from '../batch.ts';
import { C } from './control.ts';

export const LOAD_LIMIT = 0.75;

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

  constructor(control: Int32Array, threads: number, table: { readonly words: Int32Array; readonly stride: number }, grow: () => void) {
    this.control = control;
    this.threads = threads;
    this.grow = grow;
    this.words = table.words;
    this.stride = table.stride;
    this.use(table);
  }

  use(table: { readonly words: Int32Array; readonly stride: number }): void {
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

  /** Enters one share of another table's slots: `part` of `parts`. */
  takeFrom(old: { readonly words: Int32Array; readonly stride: number }, part: number, parts: number): void {
    const { words, stride } = old;
    const slots = words.length / stride;
    const end = Math.floor((slots * (part + 1)) / parts) * stride;
    for (let at = Math.floor((slots * part) / parts) * stride; at < end; at += stride) {
      const low = words[at] as number;
      if (low === 0) continue;
      this.addAt((low >>> 0) * this.scale | 0, low, words[at + 1] as number, stride === 4 ? (words[at + 2] as number) : 0, stride === 4 ? (words[at + 3] as number) : 0);
    }
  }

  private addAt(slot: number, low: number, high: number, parentLow: number, parentHigh: number): boolean {
    const { words, stride } = this;
    let at = slot * stride;
    for (;;) {
      // A plain read may be behind: what is read as free is claimed by an exchange that knows better.
      let there = words[at] as number;
      if (there === 0) {
        there = Atomics.compareExchange(words, at, 0, low);
        if (there === 0) break;
      }
      if (there === low && this.second(at + 1) === high) return false;
      at += stride;
      if (at === words.length) at = 0;
    }
    if (stride === 4) {
      words[at + 2] = parentLow;
      words[at + 3] = parentHigh;
    }
    Atomics.store(words, at + 1, high);
    return true;
  }

  /** Second word of a key whose first is there: it is written right after it, by another thread perhaps. */
  private second(at: number): number {
    let high = this.words[at] as number;
    while (high === 0) high = Atomics.load(this.words, at);
    return high;
  }
}
