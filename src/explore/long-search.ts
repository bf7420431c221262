/** A search that may take hours: it lets the process breathe between levels, and keeps where it stands. */
import type { BreadthFirst } from './breadth-first.ts';
import type { WithHeap } from './program.ts';
import type { Snapshot } from './snapshot.ts';
import type { Verdict } from './verdict.ts';

export interface Keeper {
  /** Asked between levels. */
  due(): boolean;
  /** `stopped`: the search ends here, and this is where it can be taken up. */
  keep(snapshot: Snapshot, stopped: boolean): void;
}

export interface LongSearch {
  /** Lets signals and timers have their turn. */
  readonly breathe: () => Promise<void>;
  readonly keeper?: Keeper;
}

/** Where the search stops before its end, what it has is kept too. */
export async function runLong<C extends WithHeap>(search: BreadthFirst<C>, { breathe, keeper }: LongSearch): Promise<Verdict> {
  while (!search.over) {
    search.level();
    await breathe();
    if (keeper !== undefined && (search.unfinished || (!search.over && keeper.due()))) keeper.keep(search.snapshot(), search.unfinished);
  }
  return search.verdict();
}
