/** By what a state is known in the table: its hash, or with symmetry that of all states that are the same. No half is 0. */
import type { Program, WithHeap } from './program.ts';
import type { Outcomes } from './outcomes.ts';
import type { StateRow } from './state-row.ts';
import type { Stepper } from './stepper.ts';
import { SymmetricHash } from './symmetry.ts';

export class Key {
  low = 0;
  high = 0;
  private readonly state: StateRow;
  private readonly outcomes: Outcomes;
  private readonly symmetric: SymmetricHash | null;
  private readonly view: (() => readonly [number, number]) | null;

  constructor(program: Program<WithHeap> | Program<never>, stepper: Stepper<never> | Stepper<WithHeap>, symmetry: boolean) {
    const groups = program.symmetry ?? [];
    this.state = stepper.state;
    this.outcomes = stepper.known.outcomes;
    const { view } = program as Program<WithHeap>;
    this.view = symmetry && view !== undefined ? () => view(stepper as Stepper<WithHeap>) : null;
    this.symmetric = symmetry && groups.length > 0 ? new SymmetricHash(groups, stepper.state, stepper.nodes, stepper.roots) : null;
  }

  /** Sets `low` and `high` for the state that an outcome leads to from the one that the row holds; `compute` was called for that one. */
  after(outcome: number): void {
    const { outcomes, state, symmetric, view } = this;
    if (symmetric === null && view === null) {
      this.low = (state.low ^ (outcomes.low[outcome] as number)) || 1;
      this.high = (state.high ^ (outcomes.high[outcome] as number)) || 1;
      return;
    }
    state.mark();
    outcomes.apply(outcome, state);
    this.compute();
    state.undo();
  }

  /** Sets `low` and `high` for the state that the row holds. */
  compute(): void {
    if (this.view !== null) {
      const [low, high] = this.view();
      this.low = low || 1;
      this.high = high || 1;
      return;
    }
    const { symmetric } = this;
    symmetric?.compute();
    const from = symmetric ?? this.state;
    this.low = from.low || 1;
    this.high = from.high || 1;
  }
}
