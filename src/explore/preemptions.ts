/**
 * Search by number of preemptions (a thread is switched away from though it could go on; Musuvathi and Qadeer, "Iterative
 * context bounding", PLDI 2007): all interleavings without one, then with one, and so on up to the bound. Most defects
 * need one or two, and such a counterexample is easy to read. Switching at a wait or at an end is free.
 *
 * A state is looked at once, but expanded once for each thread that ran last, with the fewest preemptions that lead there.
 */
import { FOUND, verdictOf } from './answer.ts';
import type { QuickOptions } from './depth-first.ts';
import { LOOK_EVERY } from './depth-first.ts';
import { Expander } from './expander.ts';
import { explain } from './explain.ts';
import { Frontier } from './frontier.ts';
import type { Program, WithHeap } from './program.ts';
import { mixHigh, mixLow } from './mix.ts';
import { whyStop } from './stop-rules.ts';
import type { Verdict, Violation } from './verdict.ts';
import { Visited } from './visited.ts';
import { keysTo, movesAlong } from './way.ts';

export interface PreemptionOptions extends QuickOptions {
  readonly bound: number;
}

/** Of `extra` in the frontier: who ran last below (all ones for nobody yet), steps from the start above. */
const LAST_BITS = 6;
const NOBODY = (1 << LAST_BITS) - 1;

export class BoundedPreemptions<C extends WithHeap> {
  private readonly program: Program<C>;
  private readonly options: PreemptionOptions;
  private readonly expander: Expander<C>;
  /** Pairs of state and thread that ran last, with the pair before. */
  private readonly pairs = new Visited(Infinity);
  private readonly states = new Visited(0);
  /** Pairs reached with as many preemptions as are being looked at, and those that are to be preempted next. */
  private current = new Frontier();
  private preempted = new Frontier();
  private readonly began: number;
  private expanded = 0;
  private stop: string | null = null;
  /** Key of the pair that is being expanded. */
  private from: readonly [low: number, high: number] = [0, 0];
  private readonly ends = new Map<string, readonly [low: number, high: number]>();

  constructor(program: Program<C>, options: PreemptionOptions) {
    this.program = program;
    this.options = options;
    this.began = options.now();
    this.expander = new Expander(program, options, this.pairs, () => undefined);
  }

  run(): Verdict {
    const { expander, options, states, program } = this;
    expander.stepper.state.begin(expander.stepper.roots);
    this.arrive(NOBODY, 0);
    for (let preemptions = 0; this.stop === null; preemptions += 1) {
      this.runOn();
      if (this.preempted.count === 0 || this.stop !== null) break;
      if (preemptions === options.bound) this.stop = this.somebodyCouldMove() ? `the bound of ${preemptions} preemptions was reached` : null;
      if (preemptions === options.bound) break;
      this.preempt();
    }
    return verdictOf(program, expander, this.violations(), { stop: this.stop, states: states.count, transitions: expander.transitions, milliseconds: options.now() - this.began, tableBytes: states.bytes + this.pairs.bytes, reruns: expander.stepper.recorder.runs });
  }

  /** Everything that is reached without a further preemption. */
  private runOn(): void {
    const { expander, current } = this;
    const { stepper: { state }, findings, key } = expander;
    for (let at = 0, left = current.count; left > 0 && this.stop === null; left = left - 1) {
      const before = current.count;
      const [last, depth, after] = this.take(current, at);
      const goesOn = last !== NOBODY && this.steps(last, depth);
      let moved = goesOn;
      if (goesOn) this.preempted.push(state, last | (depth << LAST_BITS));
      else for (let thread = 0; thread < state.threads; thread += 1) if (thread !== last && this.steps(thread, depth)) moved = true;
      if (!moved) {
        key.compute();
        this.found(this.from, () => findings.rest(depth, key.low, key.high));
      }
      at = after;
      left += current.count - before;
      this.whetherToStop();
    }
    current.clear();
  }

  /** Switches away from each thread that could have gone on. */
  private preempt(): void {
    const { preempted, expander: { stepper: { state } } } = this;
    for (let at = 0, left = preempted.count; left > 0 && this.stop === null; left -= 1) {
      const [last, depth, after] = this.take(preempted, at);
      at = after;
      for (let thread = 0; thread < state.threads; thread += 1) if (thread !== last) this.steps(thread, depth);
      this.whetherToStop();
    }
    preempted.clear();
  }

  /** Whether a preemption beyond the bound would lead anywhere. */
  private somebodyCouldMove(): boolean {
    const { preempted, expander, expander: { stepper: { state } } } = this;
    for (let at = 0, left = preempted.count; left > 0; left -= 1) {
      const [last, , after] = this.take(preempted, at);
      at = after;
      for (let thread = 0; thread < state.threads; thread += 1) if (thread !== last && expander.eachStep(thread, () => undefined)) return true;
    }
    return false;
  }

  /** Makes the pair at `at` the current one. */
  private take(frontier: Frontier, at: number): readonly [last: number, depth: number, after: number] {
    const extra = frontier.extra(at);
    const after = frontier.restore(at, this.expander.stepper.state);
    this.from = this.pairKey(extra & NOBODY);
    return [extra & NOBODY, extra >>> LAST_BITS, after];
  }

  private steps(thread: number, depth: number): boolean {
    return this.expander.eachStep(thread, () => this.arrive(thread, depth + 1));
  }

  private arrive(last: number, depth: number): void {
    const { expander: { key, findings, stepper: { state } }, expander, from } = this;
    const pair = this.pairKey(last);
    if (!this.pairs.add(pair[0], pair[1], from[0], from[1])) return;
    this.current.push(state, last | (depth << LAST_BITS));
    key.compute();
    const { low, high } = key;
    if (!this.states.add(low, high, 0, 0)) return;
    expander.depth = Math.max(expander.depth, depth);
    this.found(pair, () => findings.look(depth, low, high));
  }

  /** Notes at which pair a property is found violated: the way there is one of pairs. */
  private found(pair: readonly [number, number], look: () => void): void {
    const { found } = this.expander.findings;
    look();
    for (const property of found.keys()) if (!this.ends.has(property)) this.ends.set(property, pair);
  }

  private pairKey(last: number): readonly [low: number, high: number] {
    const { key } = this.expander;
    key.compute();
    return [(key.low ^ mixLow(-2, last)) || 1, (key.high ^ mixHigh(-2, last)) || 1];
  }

  private whetherToStop(): void {
    const { options, expander, states } = this;
    this.expanded += 1;
    if (expander.findings.found.size > 0 && options.all !== true) this.stop = FOUND;
    else if (this.expanded % LOOK_EVERY === 0) {
      options.onProgress?.(states.count, expander.depth);
      this.stop = whyStop(options, { states: states.count, depth: 0, milliseconds: options.now() - this.began, bytes: states.bytes + this.pairs.bytes + this.current.bytes + this.preempted.bytes });
    }
  }

  private violations(): Violation[] {
    const { expander: { findings, stepper }, ends, program } = this;
    return [...findings.found.values()].map(({ property, kind }) => {
      const [low, high] = ends.get(property) as readonly [number, number];
      const moves = movesAlong(stepper, keysTo(low, high, (l, h) => this.pairs.parent(l, h)), (thread) => this.pairKey(thread));
      return { property, kind, ...explain(program, stepper, moves) };
    });
  }
}
