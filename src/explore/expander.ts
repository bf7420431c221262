/** Makes the successors of states, looks them up in the table in batches, and hands on those that are new. */
import { Batch, BATCH } from './batch.ts';
import { Findings } from './findings.ts';
import type { Independence } from './independence.ts';
import { Key } from './key.ts';
import type { KnownSteps } from './known-steps.ts';
import { STAYS } from './outcomes.ts';
import type { Program, WithHeap } from './program.ts';
import type { StateRow } from './state-row.ts';
import { Stepper } from './stepper.ts';

/** Where states that wait lie, by position. */
export interface Source {
  restore(at: number, state: StateRow): number;
}

/** The states seen so far. */
export interface Table {
  addAll(batch: Batch): number;
}

export interface ExpanderOptions {
  /** What earlier searches of the same program learnt; the search goes on from there. */
  readonly stepper?: Stepper<never>;
  /** Expand one thread alone where the others cannot see it (partial-order reduction). See reduced.ts. */
  readonly independence?: Independence;
  /** Take states for one that differ only by an exchange of interchangeable threads (Program.symmetry). */
  readonly symmetry?: boolean;
  /** Run about one step in so many once more, and ask as many properties again (a power of two), to see that they do and say the same. 0 for none. */
  readonly selfCheck?: number;
  /** False: every step is walked through what was learnt and every property asked in every state, though both were so before. */
  readonly remember?: boolean;
}

export class Expander<C extends WithHeap> {
  readonly stepper: Stepper<C>;
  readonly findings: Findings<C>;
  readonly key: Key;
  transitions = 0;
  /** Steps from the start to the states that are being expanded. */
  depth = 0;
  private readonly table: Table;
  private readonly known: KnownSteps;
  private readonly push: (state: StateRow) => void;
  private readonly selfCheck: number;
  private readonly independence: Independence | null;
  private readonly batch = new Batch();
  private readonly alone = new Batch();

  constructor(program: Program<C>, options: ExpanderOptions, table: Table, push: (state: StateRow) => void) {
    this.stepper = (options.stepper as Stepper<C> | undefined) ?? new Stepper(program);
    this.independence = options.independence ?? null;
    this.selfCheck = options.selfCheck ?? 0;
    this.known = this.stepper.known;
    this.known.use(options.remember !== false);
    this.findings = new Findings(program, this.stepper, this.independence, options.remember !== false, this.selfCheck);
    this.key = new Key(program as unknown as Program<never>, this.stepper as unknown as Stepper<never>, options.symmetry === true);
    this.table = table;
    this.push = push;
    if (options.stepper === undefined) {
      this.stepper.state.begin(this.stepper.roots);
      this.findings.warm();
    }
  }

  /** Puts the state after set-up into the table and hands it on. */
  begin(): void {
    const { stepper: { state, roots }, batch } = this;
    state.begin(roots);
    batch.clear();
    batch.own(0, 0, 0);
    this.key.compute();
    batch.add(STAYS, this.key.low, this.key.high);
    this.table.addAll(batch);
    batch.clear();
    this.push(state);
    this.findings.look(0, this.key.low, this.key.high);
  }

  /** Makes the successors of the state at `at`, and looks them up when they are many; `flush` does it for the rest. */
  expand(source: Source, at: number): number {
    const { stepper, key, batch } = this;
    const after = source.restore(at, stepper.state);
    key.compute();
    const { low, high } = key;
    const alone = this.independence?.candidate(stepper) ?? -1;
    // One thread suffices only where all that it does there is new: otherwise a cycle could put the others off for ever.
    if (alone >= 0 && this.expandAlone(source, at, low, high, alone)) return after;
    batch.own(at, low, high);
    let moved = alone >= 0;
    for (let thread = 0; thread < stepper.state.threads; thread += 1) {
      if (thread !== alone && this.steps(batch, thread)) moved = true;
    }
    if (!moved) this.findings.rest(this.depth, low, high);
    if (batch.count >= BATCH) this.flush(source);
    return after;
  }

  /** Looks up what was made; the row then holds some other state. */
  flush(source: Source): void {
    this.lookUp(source, this.batch);
    this.known.tidy();
  }

  private expandAlone(source: Source, at: number, low: number, high: number, thread: number): boolean {
    const { alone } = this;
    alone.own(at, low, high);
    this.steps(alone, thread);
    const made = alone.count;
    if (this.lookUp(source, alone) === made) return true;
    source.restore(at, this.stepper.state);
    return false;
  }

  /** Shows every state that one step of a thread leads to; the row then holds the state before it again. False where the thread cannot move. */
  eachStep(thread: number, arrived: () => void): boolean {
    const { stepper, stepper: { state }, known } = this;
    let moved = false;
    stepper.firstChoices();
    do {
      const outcome = known.find(thread);
      if (this.selfCheck > 0) this.again(thread, outcome);
      // It waits where it chose so; another choice may go on.
      if (outcome === STAYS) continue;
      moved = true;
      this.transitions += 1;
      state.mark();
      known.outcomes.apply(outcome, state);
      arrived();
      state.undo();
    } while (stepper.nextChoices());
    known.tidy();
    return moved;
  }

  /** As `eachStep`, into a batch: the inner loop of a breadth-first search. */
  private steps(batch: Batch, thread: number): boolean {
    const { stepper, key, known } = this;
    const before = batch.count;
    stepper.firstChoices();
    do {
      const outcome = known.find(thread);
      if (this.selfCheck > 0) this.again(thread, outcome);
      if (outcome === STAYS) continue;
      key.after(outcome);
      batch.add(outcome, key.low, key.high);
    } while (stepper.nextChoices());
    this.transitions += batch.count - before;
    return batch.count > before;
  }

  /** Of so many steps, runs one again by its generator, and walks it through the nodes: both must do what is remembered, or wait as it does. */
  private again(thread: number, outcome: number): void {
    const { stepper, stepper: { state }, known: { outcomes } } = this;
    const low = state.low ^ (outcomes.low[outcome] as number);
    if ((low & (this.selfCheck - 1)) !== 0 || stepper.isOver(thread)) return;
    state.mark();
    stepper.verify(thread);
    this.known.verify(thread, outcome);
    if (outcome !== STAYS) this.key.verify(outcome);
  }

  private lookUp(source: Source, batch: Batch): number {
    const { stepper: { state }, known: { outcomes } } = this;
    const added = this.table.addAll(batch);
    const { fresh, owner, ownerAt, outcome, low, high, count } = batch;
    let holds = -1;
    for (let i = 0; i < count; i += 1) {
      if (fresh[i] === 0) continue;
      const by = owner[i] as number;
      if (by !== holds) source.restore(ownerAt[by] as number, state);
      holds = by;
      state.mark();
      outcomes.apply(outcome[i] as number, state);
      this.push(state);
      this.findings.look(this.depth + 1, low[i] as number, high[i] as number);
      state.undo();
    }
    batch.clear();
    return added;
  }
}
