/**
 * Which thread may be expanded alone in a state: one whose next step touches nothing that any other thread may still
 * touch in a way that matters (one of the two stores), and nothing that a property looks at. Every order of its step
 * with the others' then leads to the same states and one order is enough (ample sets; Clarke, Grumberg, Peled, Model
 * Checking, ch. 10). What the others may touch is learnt from runs, see footprints.ts.
 */
import { Kind } from './nodes.ts';
import type { Footprints } from './footprints.ts';
import { STAYS } from './outcomes.ts';
import type { StateRow } from './state-row.ts';
import type { Stepper } from './stepper.ts';

export class Independence {
  private readonly footprints: Footprints;
  private readonly loads: Int32Array;
  private readonly stores: Int32Array;
  /** Columns and thread results that properties looked at. */
  private readonly visible: Int32Array;
  private readonly visibleDone: Uint8Array;
  private readonly state: StateRow;
  /** Set when a property looked at something new: what was decided before may be wrong. */
  visibleGrew = false;

  constructor(footprints: Footprints, state: StateRow, before: Independence | null) {
    this.footprints = footprints;
    this.state = state;
    this.loads = new Int32Array(footprints.words);
    this.stores = new Int32Array(footprints.words);
    this.visible = new Int32Array(footprints.words);
    this.visibleDone = new Uint8Array(state.threads);
    if (before !== null) {
      this.visible.set(before.visible.subarray(0, footprints.words));
      this.visibleDone.set(before.visibleDone);
    }
  }

  sawProperty(address: number): void {
    const column = this.state.columnIndex(address);
    if (column < 0 || column >>> 5 >= this.visible.length) return;
    const bit = 1 << (column & 31);
    const word = this.visible[column >>> 5] as number;
    if ((word & bit) !== 0) return;
    this.visible[column >>> 5] = word | bit;
    this.visibleGrew = true;
  }

  sawDone(thread: number): void {
    if (this.visibleDone[thread] === 1) return;
    this.visibleDone[thread] = 1;
    this.visibleGrew = true;
  }

  /** A thread that may be expanded alone in the stepper's state; -1 where there is none. Leaves the state as it is. */
  candidate(stepper: Stepper<never> | Stepper<any>): number {
    const { state, nodes } = stepper;
    if (state.columns > this.footprints.words * 32) return -1;
    const { known } = stepper;
    let found = -1;
    for (let thread = 0; thread < state.threads && found < 0; thread += 1) {
      if (stepper.isOver(thread)) continue;
      let independent = true;
      let moves = false;
      stepper.firstChoices();
      do {
        const outcome = known.find(thread);
        // Where it waits by one choice and not by another, somebody else decides.
        independent = outcome !== STAYS;
        if (!independent) break;
        moves = true;
        const to = nodes.kind[known.outcomes.goesTo(outcome, thread)];
        independent = to !== Kind.oops && !(to === Kind.end && this.visibleDone[thread] === 1);
        if (!independent) break;
        known.outcomes.footprint(outcome, this.loads, this.stores);
        independent = this.nobodySees(thread, state);
      } while (independent && stepper.nextChoices());
      if (moves && independent) found = thread;
    }
    return found;
  }

  private nobodySees(thread: number, state: StateRow): boolean {
    const { footprints, loads, stores, visible } = this;
    for (let i = 0; i < footprints.words; i += 1) {
      const l = loads[i] as number;
      const s = stores[i] as number;
      if ((s & (visible[i] as number)) !== 0) return false;
      if ((l | s) === 0) continue;
      for (let other = 0; other < state.threads; other += 1) {
        if (other === thread) continue;
        const node = state.row[other] as number;
        if (((l | s) & footprints.stores(node, i)) !== 0 || (s & footprints.loads(node, i)) !== 0) return false;
      }
    }
    return true;
  }
}
