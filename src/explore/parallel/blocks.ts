/**
 * States that wait, for several threads: blocks of one shared array, each filled by one thread with entries as Frontier
 * keeps them and expanded by whichever thread takes it first. A block begins with its end and its number of states.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import { FRONTIER_HEAD as HEAD } from '../frontier.ts';
import type { StateRow } from '../state-row.ts';
import { C, Lock } from './control.ts';

export const BLOCK_WORDS = 1 << 14;
export const BLOCK_HEAD = 2;
/** States of a block while there are few blocks: the last ones of a level are then soon done, and nobody waits long for anybody. */
const PORTION = 256;
/** Blocks of a level from which on each is filled to its end: there is room for so many of them only. */
const MANY = 1 << 10;

export interface SharedBlocks {
  readonly control: Int32Array;
  /** All blocks, one after the other. */
  readonly pool: Int32Array;
  /** Numbers of blocks: two lists (the current level's, the next one's) and the stack of free ones, each as long as there are blocks. */
  readonly lists: Int32Array;
}

export class Blocks {
  private readonly control: Int32Array;
  private readonly pool: Int32Array;
  private readonly lists: Int32Array;
  private readonly most: number;
  private readonly lock: Lock;
  /** The block being filled; -1 for none. */
  private open = -1;
  private end = 0;
  private count = 0;
  /** States after which a block is handed on. */
  private portion = PORTION;

  constructor({ control, pool, lists }: SharedBlocks) {
    this.control = control;
    this.pool = pool;
    this.lists = lists;
    this.most = pool.length / BLOCK_WORDS;
    this.lock = new Lock(control, C.blockLock);
  }

  beginLevel(): void {
    this.portion = Atomics.load(this.control, C.blocks) < MANY ? PORTION : Infinity;
  }

  /** So many states will be added. */
  expect(states: number): void {
    this.portion = states < MANY * PORTION ? PORTION : Infinity;
  }

  /** Adds a state to the next level. */
  push(state: StateRow): void {
    const needed = HEAD + state.saveWords;
    this.room(needed);
    const { pool, end } = this;
    const after = state.save(pool, end + HEAD);
    pool[end] = after;
    pool[end + 1] = state.low;
    pool[end + 2] = state.high;
    pool[end + 3] = 0;
    this.end = after;
    this.count += 1;
  }

  /** Adds a state as Frontier keeps it: `words` from `begin` to `end`. */
  pushWords(words: Int32Array, begin: number, end: number): void {
    this.room(end - begin);
    this.pool.set(words.subarray(begin, end), this.end);
    this.end += end - begin;
    this.pool[this.end - (end - begin)] = this.end;
    this.count += 1;
  }

  /** Hands the open block to the next level. */
  publish(): void {
    const { control, pool, lists, most, open } = this;
    if (open < 0) return;
    pool[open * BLOCK_WORDS] = this.end;
    pool[open * BLOCK_WORDS + 1] = this.count;
    const parity = Atomics.load(control, C.parity);
    lists[(1 - parity) * most + Atomics.add(control, C.nextBlocks, 1)] = open;
    this.open = -1;
  }

  /** The next block of the current level; null where all are taken. */
  claim(): { readonly block: number; readonly begin: number; readonly count: number } | null {
    const { control, lists, most, pool } = this;
    const i = Atomics.add(control, C.claimed, 1);
    if (i >= Atomics.load(control, C.blocks)) return null;
    const block = lists[Atomics.load(control, C.parity) * most + i] as number;
    return { block, begin: block * BLOCK_WORDS + BLOCK_HEAD, count: pool[block * BLOCK_WORDS + 1] as number };
  }

  free(block: number): void {
    const { control, lists, most } = this;
    this.lock.take();
    lists[2 * most + Atomics.add(control, C.freeBlocks, 1)] = block;
    this.lock.give();
  }

  /** Makes the state at `at` of the pool the current one; where the next one begins. */
  restore(at: number, state: StateRow): number {
    const { pool } = this;
    const after = pool[at] as number;
    state.restore(pool, at + HEAD, after, pool[at + 1] as number, pool[at + 2] as number);
    return after;
  }

  private room(needed: number): void {
    if (this.open >= 0 && this.count < this.portion && this.end + needed <= (this.open + 1) * BLOCK_WORDS) return;
    if (needed > BLOCK_WORDS - BLOCK_HEAD) throw new UnseatError('UNSUPPORTED', `a state that differs from the first one in more than ${BLOCK_WORDS / 2 - 4} words is not handed between threads`, { next: 'Search with one worker.' });
    this.publish();
    this.open = this.take();
    this.end = this.open * BLOCK_WORDS + BLOCK_HEAD;
    this.count = 0;
  }

  private take(): number {
    const { control, lists, most } = this;
    this.lock.take();
    try {
      const free = Atomics.load(control, C.freeBlocks);
      if (free > 0) {
        Atomics.store(control, C.freeBlocks, free - 1);
        return lists[2 * most + free - 1] as number;
      }
      const unused = Atomics.load(control, C.unusedBlocks);
      if (unused === most) throw new UnseatError('UNSUPPORTED', 'the states that wait need more memory than threads share', { seen: `${most} blocks of ${BLOCK_WORDS * 4} bytes`, next: 'Search with one worker.' });
      Atomics.store(control, C.unusedBlocks, unused + 1);
      return unused;
    } finally {
      this.lock.give();
    }
  }
}
