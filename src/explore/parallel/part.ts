/** What every thread of a search does alike, the first one and those that it started: blocks of the current level, one after the other. */
import { Expander } from '../expander.ts';
import type { Program } from '../program.ts';
import type { Stepper } from '../stepper.ts';
import { Blocks } from './blocks.ts';
import { C } from './control.ts';
import type { Common, NewTable, SharedTable } from './messages.ts';
import { SharedLearning } from './shared-learning.ts';
import { SharedVisited } from './shared-visited.ts';

export class Part {
  readonly expander: Expander<never>;
  readonly learning: SharedLearning;
  private readonly control: Int32Array;
  private readonly blocks: Blocks;
  private readonly table: SharedVisited;
  private words: SharedTable;

  /**
   * `stepper`: of a thread that knows what was learnt before, so many words of the log. `tableIsFull` is called in the
   * middle of a block and returns when there is a larger table.
   */
  constructor(program: Program<never>, common: Common, table: SharedTable, tableIsFull: () => void, stepper: Stepper<never> | null = null, known = 0) {
    this.control = common.blocks.control;
    this.blocks = new Blocks(common.blocks);
    this.words = table;
    this.table = new SharedVisited(this.control, common.threads, table, tableIsFull);
    this.expander = new Expander(program, { ...common.manner, ...(stepper === null ? {} : { stepper }) }, this.table, (state) => this.blocks.push(state));
    const own = this.expander.stepper as unknown as Stepper<never>;
    this.learning = new SharedLearning(this.control, common.log, own, known);
    own.sharing = this.learning;
  }

  /** What states of a level consist of was learnt, by whomever, before the level began. */
  beginLevel(): void {
    this.learning.catchUp();
    this.blocks.beginLevel();
    this.expander.depth = Atomics.load(this.control, C.depth);
  }

  /** Expands the next block; false where there is none left, and what was made has been handed on. */
  block(): boolean {
    const { expander, blocks } = this;
    const taken = blocks.claim();
    if (taken === null) {
      blocks.publish();
      return false;
    }
    let at = taken.begin;
    for (let left = taken.count; left > 0; left -= 1) at = expander.expand(blocks, at);
    expander.flush(blocks);
    blocks.free(taken.block);
    return true;
  }

  /** While nobody looks anything up. */
  takeTable(table: NewTable): void {
    const old = this.words;
    this.words = table;
    this.table.use(table);
    if (table.parts > 0) this.table.takeFrom(old, table.part, table.parts);
  }
}
