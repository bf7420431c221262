/** Breadth-first search of every interleaving: the violation found is nearest to the start. */
import { FOUND, verdictOf, violationsOf } from './answer.ts';
import { UnseatError } from '../errors/unseat-error.ts';
import { Expander, type ExpanderOptions } from './expander.ts';
import { Frontier } from './frontier.ts';
import { digest } from './lessons.ts';
import type { Program, WithHeap } from './program.ts';
import type { Snapshot } from './snapshot.ts';
import type { Stepper } from './stepper.ts';
import { whyStop, type StopRules } from './stop-rules.ts';
import type { Verdict, Violation } from './verdict.ts';
import { PARENTS_UP_TO, Visited } from './visited.ts';

export interface SearchOptions extends ExpanderOptions, StopRules {
  /** Stop at the first violation (default), or find one per property. */
  readonly all?: boolean;
  /** Milliseconds from some fixed point; injected because rooms have no clock. */
  readonly now: () => number;
  readonly onProgress?: (states: number, depth: number) => void;
  /** Slots up to which the table keeps where states came from (16 bytes a slot, 8 without). A larger search that finds something is made again. */
  readonly parentsUpTo?: number;
  /** Go on from here. */
  readonly from?: Snapshot;
}

/** Milliseconds between two reports of progress within a level. */
const REPORT_EVERY = 500;

export class BreadthFirst<C extends WithHeap> {
  private readonly program: Program<C>;
  private readonly options: SearchOptions;
  private readonly visited: Visited;
  private readonly expander: Expander<C>;
  private readonly began: number;
  private current = new Frontier();
  private next = new Frontier();
  private stop: string | null = null;
  private reported = 0;

  constructor(program: Program<C>, options: SearchOptions) {
    this.program = program;
    this.options = options;
    this.began = options.now();
    // A search with reduction goes another way the second time, since it has learnt: it cannot be made again.
    this.visited = new Visited(options.independence !== undefined ? Infinity : (options.parentsUpTo ?? PARENTS_UP_TO), options.from?.table ?? null);
    this.expander = new Expander(program, options, this.visited, (state) => this.next.push(state));
    if (options.from !== undefined) {
      this.takeUp(options.from);
    } else {
      this.expander.begin();
      this.turn();
    }
  }

  run(): Verdict {
    while (!this.over) this.level();
    return this.verdict();
  }

  /** True when there is nothing more to do. */
  get over(): boolean {
    return this.current.count === 0 || this.stop !== null;
  }

  /** True when a rule stopped it: there is more to do. */
  get unfinished(): boolean {
    return this.stop !== null && this.stop !== FOUND;
  }

  /** What it learns by. */
  get stepper(): Stepper<C> {
    return this.expander.stepper;
  }

  /** States found so far. */
  get states(): number {
    return this.visited.count;
  }

  /** Expands every state that is as many steps away: of violations found in one level none may be missed, so it is always finished. */
  level(): void {
    const { expander, current } = this;
    let at = 0;
    for (let left = current.count; left > 0; left -= 1) {
      at = expander.expand(current, at);
      if ((left & 0xfff) === 0) this.report(REPORT_EVERY);
    }
    expander.flush(current);
    expander.depth += 1;
    this.turn();
  }

  verdict(): Verdict {
    const { expander, visited, stop, options, program } = this;
    const violations = this.violations();
    return verdictOf(program, expander, violations, {
      stop, states: visited.count, transitions: expander.transitions, milliseconds: options.now() - this.began, tableBytes: visited.bytes, reruns: expander.stepper.recorder.runs,
    });
  }

  /** Where the search stands, between levels. Shares its arrays with the search. */
  snapshot(): Snapshot {
    const { expander: { stepper, findings, depth, transitions }, visited, current } = this;
    return { lessons: stepper.lessons.words, digest: digest(stepper as unknown as Stepper<never>), table: visited.saved, frontier: current.saved, waiting: current.count, depth, transitions, found: [...findings.found.values()], pending: findings.pending };
  }

  private takeUp(from: Snapshot): void {
    const { expander, current } = this;
    const { stepper } = expander;
    try {
      stepper.adopt(from.lessons, 0, from.lessons.length);
    } catch (error) {
      throw changed(error instanceof Error ? error.message : String(error));
    }
    if (digest(stepper as unknown as Stepper<never>) !== from.digest) throw changed('the same observations lead elsewhere');
    expander.findings.merge(from.found, from.pending);
    expander.depth = from.depth;
    expander.transitions = from.transitions;
    current.take(from.frontier, from.waiting);
    this.whetherToStop();
  }

  private turn(): void {
    [this.current, this.next] = [this.next, this.current];
    this.next.clear();
    this.report(0);
    this.whetherToStop();
  }

  private whetherToStop(): void {
    const { expander, options, visited } = this;
    const reached = { states: visited.count, depth: expander.depth, milliseconds: options.now() - this.began, bytes: visited.bytes + this.current.bytes + this.next.bytes };
    if (expander.findings.found.size > 0 && options.all !== true) this.stop = FOUND;
    else if (this.current.count > 0) this.stop = whyStop(options, reached);
  }

  private report(every: number): void {
    const { onProgress, now } = this.options;
    if (onProgress === undefined) return;
    const time = now();
    if (time - this.reported < every) return;
    this.reported = time;
    onProgress(this.visited.count, this.expander.depth);
  }

  private violations(): Violation[] {
    const { expander, visited, program, options } = this;
    const chosen = expander.findings.chosen(options.all === true);
    if (chosen.length === 0) return [];
    if (visited.hasParents) return violationsOf(program, expander, chosen, visited);
    const { now, symmetry, all, onProgress, remember } = options;
    const again = { now, stepper: expander.stepper as unknown as Stepper<never>, parentsUpTo: Infinity, maxDepth: expander.depth, ...(symmetry === undefined ? {} : { symmetry }), ...(remember === undefined ? {} : { remember }), ...(all === undefined ? {} : { all }), ...(onProgress === undefined ? {} : { onProgress }) };
    return [...new BreadthFirst(program, again).run().violations];
  }
}

function changed(cause: string): UnseatError {
  return new UnseatError('BAD_INPUT', 'what the checkpoint says of this program is not what it does', { cause, next: 'The simulated kernel has changed since: begin the search anew, without --resume.' });
}
