/** The memory that the threads of a search share, made from where one thread stands. */
import type { Found } from '../findings.ts';
import { digest } from '../lessons.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Stepper } from '../stepper.ts';
import { nextSlots } from '../visited.ts';
import { BLOCK_HEAD, BLOCK_WORDS, Blocks, type SharedBlocks } from './blocks.ts';
import { C, controlWords, sharedWords } from './control.ts';
import type { SharedTable } from './messages.ts';

/** Limits of address space, not of memory: 2 GiB of waiting states, 64 MiB of what was learnt. Pages come when they are written. */
const BLOCKS = 1 << 15;
const LOG_WORDS = 1 << 24;

export class Shared {
  readonly blocks: SharedBlocks;
  readonly log: Int32Array;
  table: SharedTable;
  private readonly control: Int32Array;
  private readonly parentsUpTo: number;

  /** For so many threads beside the first. */
  constructor(from: Snapshot, others: number, parentsUpTo: number) {
    this.parentsUpTo = parentsUpTo;
    this.control = controlWords(others);
    this.log = sharedWords(LOG_WORDS);
    this.blocks = { control: this.control, pool: sharedWords(BLOCKS * BLOCK_WORDS), lists: sharedWords(BLOCKS * 3) };
    const words = sharedWords(from.table.words.length);
    words.set(from.table.words);
    this.table = { words, stride: from.table.stride };
    this.log.set(from.lessons);
    Atomics.store(this.control, C.logWords, from.lessons.length);
    Atomics.store(this.control, C.states, from.table.count);
    Atomics.store(this.control, C.depth, from.depth - 1);
    this.deal(from);
  }

  get states(): number {
    return Atomics.load(this.control, C.states);
  }

  get depth(): number {
    return Atomics.load(this.control, C.depth);
  }

  get wantsToGrow(): boolean {
    return Atomics.load(this.control, C.grow) === 1;
  }

  /** True when no state waits. */
  get over(): boolean {
    return Atomics.load(this.control, C.blocks) === 0;
  }

  get tableBytes(): number {
    return this.table.words.length * 4;
  }

  get bytes(): number {
    return this.tableBytes + Atomics.load(this.control, C.unusedBlocks) * BLOCK_WORDS * 4;
  }

  /** A larger, empty table in place of the one there is. */
  grow(): SharedTable {
    const slots = nextSlots(this.table.words.length / this.table.stride);
    const stride = slots <= this.parentsUpTo ? this.table.stride : 2;
    this.table = { words: sharedWords(slots * stride), stride };
    Atomics.store(this.control, C.grow, 0);
    return this.table;
  }

  /** The next level becomes the current one. */
  turn(): void {
    const { control } = this;
    Atomics.store(control, C.blocks, Atomics.load(control, C.nextBlocks));
    Atomics.store(control, C.nextBlocks, 0);
    Atomics.store(control, C.claimed, 0);
    Atomics.store(control, C.parity, 1 - Atomics.load(control, C.parity));
    Atomics.add(control, C.depth, 1);
  }

  /** Where the search stands, between levels; `stepper` knows all that was learnt. The table is the one that goes on being filled. */
  snapshot(stepper: Stepper<never>, found: readonly Found[], pending: readonly string[], transitions: number): Snapshot {
    const { control, blocks: { pool, lists } } = this;
    const list = Atomics.load(control, C.parity) * BLOCKS;
    const waiting = Array.from({ length: Atomics.load(control, C.blocks) }, (_, i) => (lists[list + i] as number) * BLOCK_WORDS);
    const frontier = new Int32Array(waiting.reduce((words, block) => words + (pool[block] as number) - block - BLOCK_HEAD, 0));
    let end = 0;
    for (const block of waiting) {
      for (let at = block + BLOCK_HEAD, after = 0; at < (pool[block] as number); at = after) {
        after = pool[at] as number;
        frontier.set(pool.subarray(at, after), end);
        const begin = end;
        end += after - at;
        frontier[begin] = end;
      }
    }
    return { lessons: stepper.lessons.words, digest: digest(stepper), table: { ...this.table, count: this.states }, frontier, waiting: waiting.reduce((states, block) => states + (pool[block + 1] as number), 0), depth: this.depth, transitions, found, pending };
  }

  /** The states that wait, as the next level's blocks: the first `turn` makes them current. */
  private deal({ frontier, waiting }: Snapshot): void {
    const blocks = new Blocks(this.blocks);
    blocks.expect(waiting);
    for (let at = 0, left = waiting; left > 0; left -= 1) {
      const end = frontier[at] as number;
      blocks.pushWords(frontier, at, end);
      at = end;
    }
    blocks.publish();
  }
}
