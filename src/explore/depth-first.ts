/**
 * Depth-first search: goes to the end of one interleaving before it turns to the next, so that what many of them do is
 * found soon, though not by a shortest way. It keeps the states seen, so that it ends, and then it has seen all.
 */
import { FOUND, verdictOf, violationsOf } from './answer.ts';
import { Expander, type ExpanderOptions } from './expander.ts';
import { Frontier } from './frontier.ts';
import type { Program, WithHeap } from './program.ts';
import { mixLow } from './mix.ts';
import { whyStop, type StopRules } from './stop-rules.ts';
import type { Verdict } from './verdict.ts';
import { Visited } from './visited.ts';

export interface QuickOptions extends Omit<ExpanderOptions, 'independence'>, Omit<StopRules, 'maxDepth'> {
  /** Go on after the first violation, to find one per property. */
  readonly all?: boolean;
  readonly now: () => number;
  readonly onProgress?: (states: number, depth: number) => void;
}

export interface DepthOptions extends QuickOptions {
  /** Which thread is tried first in which state: another seed goes other ways, the same seed always the same. */
  readonly seed?: number;
}

/** States expanded between two looks at the rules. */
export const LOOK_EVERY = 1024;

export class DepthFirst<C extends WithHeap> {
  private readonly program: Program<C>;
  private readonly options: DepthOptions;
  private readonly visited = new Visited(Infinity);
  private readonly expander: Expander<C>;
  private readonly stack = new Frontier();
  /** Where the states on the stack begin. */
  private readonly places: number[] = [];

  constructor(program: Program<C>, options: DepthOptions) {
    this.program = program;
    this.options = options;
    this.expander = new Expander(program, options, this.visited, () => undefined);
  }

  run(): Verdict {
    const { options, expander, visited, program } = this;
    const began = options.now();
    let stop: string | null = null;
    expander.stepper.state.begin(expander.stepper.roots);
    this.arrive(0, 0, 0);
    for (let expanded = 1; this.places.length > 0 && stop === null; expanded += 1) {
      this.expandLast();
      if (expander.findings.found.size > 0 && options.all !== true) stop = FOUND;
      else if (expanded % LOOK_EVERY === 0) stop = this.whyStop(began);
    }
    const violations = violationsOf(program, expander, [...expander.findings.found.values()], visited);
    return verdictOf(program, expander, violations, { stop, states: visited.count, transitions: expander.transitions, milliseconds: options.now() - began, tableBytes: visited.bytes, reruns: expander.stepper.recorder.runs });
  }

  private whyStop(began: number): string | null {
    const { options, visited, stack, expander } = this;
    options.onProgress?.(visited.count, expander.depth);
    return whyStop(options, { states: visited.count, depth: 0, milliseconds: options.now() - began, bytes: visited.bytes + stack.bytes });
  }

  private expandLast(): void {
    const { expander, stack, options } = this;
    const { key, stepper: { state }, findings } = expander;
    const at = this.places.pop() as number;
    const depth = stack.extra(at);
    stack.restore(at, state);
    stack.dropFrom(at);
    key.compute();
    const { low, high } = key;
    const first = options.seed === undefined ? 0 : (mixLow(low, options.seed) >>> 0) % state.threads;
    let moved = false;
    // What is put on the stack last is taken first.
    for (let i = state.threads - 1; i >= 0; i -= 1) {
      if (expander.eachStep((first + i) % state.threads, () => this.arrive(depth + 1, low, high))) moved = true;
    }
    if (!moved) findings.rest(depth, low, high);
  }

  /** The row holds a state reached from the one with the given key. */
  private arrive(depth: number, parentLow: number, parentHigh: number): void {
    const { expander, visited, stack } = this;
    const { key, findings, stepper: { state } } = expander;
    key.compute();
    if (!visited.add(key.low, key.high, parentLow, parentHigh)) return;
    this.places.push(stack.push(state, depth));
    expander.depth = Math.max(expander.depth, depth);
    findings.look(depth, key.low, key.high);
  }
}
