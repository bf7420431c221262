/** Looks at properties, state by state, and keeps of each violation the state nearest to the start. */
import type { Tap } from '../kernel/state/heap.ts';
import type { Independence } from './independence.ts';
import { KnownAnswers } from './known-answers.ts';
import type { Program, Property, WithHeap } from './program.ts';
import type { Stepper } from './stepper.ts';
import type { Violation } from './verdict.ts';

export interface Found {
  readonly property: string;
  readonly kind: Violation['kind'];
  /** Steps from the start. */
  readonly depth: number;
  /** Key of the state. */
  readonly low: number;
  readonly high: number;
}

/** What a search has found so far. */
export interface Standing {
  readonly found: readonly Found[];
  /** `sometimes` properties that no state has fulfilled yet, and `finally` ones that no state was asked for (with that word before their names). */
  readonly pending: readonly string[];
}

/** How a `finally` property is called among those that are pending. */
const asked = (name: string): string => `finally ${name}`;

export class Findings<C extends WithHeap> {
  readonly found = new Map<string, Found>();
  /** Names of `sometimes` properties that no state has fulfilled, and of `finally` ones that no state was asked for. */
  readonly unseen: Set<string>;
  readonly unasked: Set<string>;
  /** Rises when something is found. */
  changes = 0;
  private readonly program: Program<C>;
  private readonly stepper: Stepper<C>;
  private readonly reader: Tap;
  private readonly done: (thread: number) => number | undefined;
  private readonly known: KnownAnswers | null;
  private readonly selfCheck: number;

  /** `remember`: an answer that was given holds wherever the property finds the same. `selfCheck`: of so many answers that are remembered, one is asked for again. */
  constructor(program: Program<C>, stepper: Stepper<C>, independence: Independence | null, remember: boolean, selfCheck = 0) {
    this.program = program;
    this.stepper = stepper;
    const namesOf = (kind: Property['kind']): Set<string> => new Set(program.properties.filter((p) => p.kind === kind).map((p) => p.name));
    this.unseen = namesOf('sometimes');
    this.unasked = namesOf('finally');
    const { state } = stepper;
    const known = remember ? new KnownAnswers(program.properties.length, stepper as unknown as Stepper<never>) : null;
    this.known = known;
    this.selfCheck = selfCheck;
    this.reader = readOnly((address) => {
      independence?.sawProperty(address);
      return known === null ? state.read(address) : known.read(address);
    });
    this.done = (thread) => {
      independence?.sawDone(thread);
      return known === null ? stepper.result(thread) : known.done(thread);
    };
  }

  /** See Standing. */
  get pending(): string[] {
    return [...this.unseen, ...[...this.unasked].map(asked)];
  }

  /** Asks every property once, before anything is learnt: what a property reserves on its first call then lies at the same place in every search. */
  warm(): void {
    this.program.properties.forEach((_, i) => this.holds(i));
  }

  /** What the state that the row holds violates, whoever can still go on. */
  look(depth: number, low: number, high: number): void {
    const { properties, allowOops } = this.program;
    for (let i = 0; i < properties.length; i += 1) {
      const property = properties[i] as Property<C>;
      if (property.kind === 'never') {
        if (this.holds(i)) this.add({ property: property.name, kind: 'never', depth, low, high });
      } else if (property.kind === 'sometimes' && this.unseen.size > 0 && this.unseen.has(property.name) && this.holds(i)) {
        this.leave(this.unseen, property.name);
      }
    }
    if (allowOops === true) return;
    for (let thread = 0; thread < this.stepper.state.threads; thread += 1) {
      const message = this.stepper.oops(thread);
      if (message !== undefined) this.add({ property: `oops: ${message}`, kind: 'oops', depth, low, high });
    }
  }

  /** The row holds a state in which no thread can go on. */
  rest(depth: number, low: number, high: number): void {
    const { program, stepper } = this;
    program.properties.forEach((property, i) => {
      if (property.kind !== 'finally') return;
      this.leave(this.unasked, property.name);
      if (!this.holds(i)) this.add({ property: property.name, kind: 'finally', depth, low, high });
    });
    if (program.allowHang === true) return;
    const waiting = program.threads.findIndex((thread, t) => !stepper.isOver(t) && thread.daemon !== true);
    if (waiting >= 0) this.add({ property: `hang: ${program.threads[waiting]?.name} waits at ${stepper.label(waiting)}`, kind: 'hang', depth, low, high });
  }

  /** Takes over what another search of the same program found. */
  merge(found: readonly Found[], pending: readonly string[]): void {
    for (const one of found) this.add(one);
    for (const name of [...this.unseen]) if (!pending.includes(name)) this.leave(this.unseen, name);
    for (const name of [...this.unasked]) if (!pending.includes(asked(name))) this.leave(this.unasked, name);
  }

  /** All of them, or those that are nearest to the start. */
  chosen(all: boolean): Found[] {
    const found = [...this.found.values()];
    const nearest = Math.min(...found.map((one) => one.depth));
    return found.filter((one) => all || one.depth === nearest);
  }

  private add(one: Found): void {
    const before = this.found.get(one.property);
    if (before !== undefined && one.depth >= before.depth) return;
    this.found.set(one.property, one);
    this.changes += 1;
  }

  private leave(names: Set<string>, name: string): void {
    if (names.delete(name)) this.changes += 1;
  }

  private holds(property: number): boolean {
    const { known } = this;
    if (known === null) return this.ask(property);
    const ask = (): number => (this.ask(property) ? 1 : 0);
    const answer = known.find(property);
    if (answer < 0) return known.ask(property, ask) === 1;
    if (this.selfCheck > 0 && (this.stepper.state.low & (this.selfCheck - 1)) === 0) known.verify(property, answer, ask);
    return answer === 1;
  }

  private ask(property: number): boolean {
    const { program } = this;
    const { heap } = program.context;
    const before = heap.tap;
    heap.tap = this.reader;
    try {
      return (program.properties[property] as Property<C>).holds(program.context, this.done);
    } finally {
      heap.tap = before;
    }
  }
}

function readOnly(read: (address: number) => number): Tap {
  const no = (): never => {
    throw new Error('a property may only read');
  };
  return { load: read, store: no, enter: no, leave: no, round: no, choose: no };
}
