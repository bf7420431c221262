/** Breadth-first search of every interleaving: the first violation of a property found is a shortest one. */
import type { Tap } from '../kernel/state/heap.ts';
import { Frontier } from './frontier.ts';
import { explain } from './explain.ts';
import { Independence } from './independence.ts';
import type { Program, Property, WithHeap } from './program.ts';
import { SymmetricHash } from './symmetry.ts';
import { Stepper } from './stepper.ts';
import type { Verdict, Violation } from './verdict.ts';
import { Visited } from './visited.ts';

export interface SearchOptions {
  /** Stop at the first violation (default), or find one per property. */
  readonly all?: boolean;
  /** Stop when that many states were found; the verdict is then not complete. */
  readonly maxStates?: number;
  /** Milliseconds from some fixed point; injected because rooms have no clock. */
  readonly now: () => number;
  readonly onProgress?: (states: number, depth: number) => void;
  /** What earlier searches of the same program learnt; the search goes on from there. */
  readonly stepper?: Stepper<never>;
  /** Expand one thread alone where the others cannot see it (partial-order reduction). See reduced.ts. */
  readonly independence?: Independence;
  /** Take states for one that differ only by an exchange of interchangeable threads (Program.symmetry). */
  readonly symmetry?: boolean;
}

/** Bits of `via`: thread below, ordinal of the choice combination above. */
export const THREAD_BITS = 5;

/** What expanding a thread came to. */
const NO_MOVE = 0;
const SOME_OLD = 1;
const ALL_NEW = 2;

export class BreadthFirst<C extends WithHeap> {
  private readonly program: Program<C>;
  private readonly options: SearchOptions;
  private readonly stepper: Stepper<C>;
  private readonly visited: Visited;
  private current = new Frontier();
  private next = new Frontier();
  private transitions = 0;
  private depth = 0;
  private readonly found = new Map<string, { violation: Omit<Violation, 'trace' | 'schedule'>; slot: number; extra: number }>();
  private readonly pending: Set<Property<C>>;
  private stop: string | null = null;
  private readonly reader: Tap;
  private readonly symmetric: SymmetricHash | null;

  constructor(program: Program<C>, options: SearchOptions) {
    this.program = program;
    this.options = options;
    this.stepper = (options.stepper as Stepper<C> | undefined) ?? new Stepper(program);
    this.visited = new Visited((moved) => this.renamed(moved));
    this.pending = new Set(program.properties.filter((p) => p.kind === 'sometimes'));
    const { state } = this.stepper;
    const { independence } = options;
    this.reader = readOnly((address) => {
      independence?.sawProperty(address);
      return state.read(address);
    });
    state.begin(this.stepper.roots);
    const groups = program.symmetry ?? [];
    this.symmetric = options.symmetry === true && groups.length > 0 ? new SymmetricHash(groups, state, this.stepper.nodes, this.stepper.roots) : null;
  }

  run(): Verdict {
    const began = this.options.now();
    const { state } = this.stepper;
    const first = this.add(0, 0);
    this.look(first);
    this.current.push(first, state);
    while (this.current.count > 0 && this.stop === null) this.level();
    return this.verdict(this.options.now() - began);
  }

  private level(): void {
    this.depth += 1;
    while (this.current.count > 0 && this.stop === null) this.expand();
    [this.current, this.next] = [this.next, this.current];
    this.next.clear();
    this.options.onProgress?.(this.visited.count, this.depth);
    const { maxStates } = this.options;
    if (maxStates !== undefined && this.visited.count >= maxStates && this.current.count > 0) this.stop ??= `the limit of ${maxStates} states was reached`;
  }

  private expand(): void {
    const { stepper, visited } = this;
    const { state } = stepper;
    visited.makeRoom();
    const slot = this.current.shift(state);
    const alone = this.options.independence?.candidate(stepper) ?? -1;
    // One thread suffices only where all that it does there is new: otherwise a cycle could put the others off for ever.
    if (alone >= 0 && this.expandThread(slot, alone) === ALL_NEW) return;
    let moved = alone >= 0;
    for (let thread = 0; thread < state.threads && this.stop === null; thread += 1) {
      if (thread !== alone && this.expandThread(slot, thread) !== NO_MOVE) moved = true;
    }
    if (!moved) this.lookAtRest(slot);
  }

  /** Slot of the state that the row holds, -1 where it (or one that is the same by symmetry) was seen. */
  private add(parent: number, via: number): number {
    const { symmetric, stepper: { state } } = this;
    if (symmetric === null) return this.visited.add(state.low, state.high, parent, via);
    symmetric.compute();
    return this.visited.add(symmetric.low, symmetric.high, parent, via);
  }

  /** Every step that a thread can make from the current state. */
  private expandThread(slot: number, thread: number): number {
    const { stepper } = this;
    const { state } = stepper;
    let result = NO_MOVE;
    let ordinal = 0;
    stepper.firstChoices();
    do {
      state.mark();
      if (!stepper.step(thread)) break;
      this.transitions += 1;
      const fresh = this.add(slot + 1, thread | (ordinal << THREAD_BITS));
      if (fresh >= 0) {
        this.next.push(fresh, state);
        this.look(fresh);
        if (result === NO_MOVE) result = ALL_NEW;
      } else {
        result = SOME_OLD;
      }
      state.undo();
      ordinal += 1;
    } while (stepper.nextChoices());
    return result;
  }

  /** Properties of the state that the stepper stands in. */
  private look(slot: number): void {
    for (const property of this.program.properties) {
      if (property.kind === 'never' && this.holds(property)) this.violated({ property: property.name, kind: 'never' }, slot);
      else if (property.kind === 'sometimes' && this.pending.has(property) && this.holds(property)) this.pending.delete(property);
    }
    if (this.program.allowOops === true) return;
    for (let t = 0; t < this.stepper.state.threads; t += 1) {
      const message = this.stepper.oops(t);
      if (message !== undefined) this.violated({ property: `oops: ${message}`, kind: 'oops' }, slot);
    }
  }

  /** No thread can go on here. */
  private lookAtRest(slot: number): void {
    for (const property of this.program.properties) {
      if (property.kind === 'finally' && !this.holds(property)) this.violated({ property: property.name, kind: 'finally' }, slot);
    }
    if (this.program.allowHang === true) return;
    for (let t = 0; t < this.stepper.state.threads; t += 1) {
      if (!this.stepper.isOver(t) && this.program.threads[t]?.daemon !== true) return this.violated({ property: `hang: ${this.program.threads[t]?.name} waits at ${this.stepper.label(t)}`, kind: 'hang' }, slot);
    }
  }

  private holds(property: Property<C>): boolean {
    const { heap } = this.program.context;
    const before = heap.tap;
    heap.tap = this.reader;
    try {
      return property.holds(this.program.context, (thread) => {
        this.options.independence?.sawDone(thread);
        return this.stepper.result(thread);
      });
    } finally {
      heap.tap = before;
    }
  }

  private violated(violation: Omit<Violation, 'trace' | 'schedule'>, slot: number): void {
    if (!this.found.has(violation.property)) this.found.set(violation.property, { violation, slot, extra: 0 });
    if (this.options.all !== true) this.stop = 'a violation was found';
  }

  private renamed(moved: Int32Array): void {
    this.current.renameSlots(moved);
    this.next.renameSlots(moved);
    for (const entry of this.found.values()) entry.slot = moved[entry.slot] as number;
  }

  private verdict(milliseconds: number): Verdict {
    const { stepper, visited } = this;
    const violations = [...this.found.values()].map(({ violation, slot }) => ({ ...violation, ...explain(this.program, stepper, this.wayTo(slot)) }));
    return {
      program: this.program.name,
      violations,
      neverSeen: this.stop === null ? [...this.pending].map((p) => p.name) : [],
      complete: this.stop === null,
      stoppedBecause: this.stop,
      stats: {
        states: visited.count,
        transitions: this.transitions,
        depth: this.depth,
        milliseconds,
        reruns: stepper.recorder.runs,
        nodes: stepper.nodes.count,
        columns: stepper.state.columns,
        bytesPerState: visited.bytes / visited.count,
      },
    };
  }

  private wayTo(slot: number): { thread: number; ordinal: number }[] {
    const way: { thread: number; ordinal: number }[] = [];
    for (let at = slot; this.visited.parent(at) !== 0; at = this.visited.parent(at) - 1) {
      const via = this.visited.via(at);
      way.push({ thread: via & ((1 << THREAD_BITS) - 1), ordinal: via >>> THREAD_BITS });
    }
    return way.reverse();
  }
}

function readOnly(read: (address: number) => number): Tap {
  const no = (): never => {
    throw new Error('a property may only read');
  };
  return { load: read, store: no, enter: no, leave: no, round: no, choose: no };
}
