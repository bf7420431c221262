/** By what a state is known in the table: its hash, or with symmetry that of all states that are the same. No half is 0. */
import { inconsistent } from './decisions.ts';
import type { Program, WithHeap } from './program.ts';
import type { Outcomes } from './outcomes.ts';
import type { StateRow } from './state-row.ts';
import type { Stepper } from './stepper.ts';
import { SymmetricHash } from './symmetry.ts';
import { ViewHash } from './view.ts';

export class Key {
  low = 0;
  high = 0;
  private readonly state: StateRow;
  private readonly outcomes: Outcomes;
  /** What makes it where it is not the plain hash of the state. */
  private readonly special: SymmetricHash | ViewHash | null;

  constructor(program: Program<WithHeap> | Program<never>, stepper: Stepper<never> | Stepper<WithHeap>, symmetry: boolean) {
    const groups = program.symmetry ?? [];
    this.state = stepper.state;
    this.outcomes = stepper.known.outcomes;
    const { view } = program;
    if (!symmetry || (view === undefined && groups.length === 0)) this.special = null;
    else if (view !== undefined) this.special = new ViewHash(view, stepper as Stepper<never>);
    else this.special = new SymmetricHash(groups, stepper as Stepper<never>);
  }

  /** Sets `low` and `high` for the state that an outcome leads to from the one that the row holds; `compute` was called for that one. */
  after(outcome: number): void {
    const { outcomes, state, special } = this;
    if (special === null) {
      this.low = (state.low ^ (outcomes.low[outcome] as number)) || 1;
      this.high = (state.high ^ (outcomes.high[outcome] as number)) || 1;
      return;
    }
    special.after(outcome);
    this.low = special.low || 1;
    this.high = special.high || 1;
  }

  /** @throws UnseatError INTERNAL where `after` says something else than `compute` after the step */
  verify(outcome: number): void {
    const { state, outcomes } = this;
    this.compute();
    this.after(outcome);
    const { low, high } = this;
    state.mark();
    outcomes.apply(outcome, state);
    this.compute();
    const same = this.low === low && this.high === high;
    if (this.special instanceof ViewHash) this.special.verify();
    state.undo();
    this.compute();
    if (!same) throw inconsistent('the key of a state depends on the step that led to it');
  }

  /** Sets `low` and `high` for the state that the row holds. */
  compute(): void {
    const { special } = this;
    special?.compute();
    const from = special ?? this.state;
    this.low = from.low || 1;
    this.high = from.high || 1;
  }
}
