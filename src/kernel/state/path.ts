/**
 * A kernel path is a generator that yields where another CPU could run. Run straight through it simulates a machine;
 * run by the explorer it is re-run from its observations, so between two yields it may depend only on its arguments, on
 * loads from the heap, and on results of `call` and `choose`.
 *
 * Conventions, which the explorer relies on:
 * - arguments and results of a path that goes through `call` are numbers (addresses, pfns, flags, -errno). A call
 *   collapses to its result when it returns: use it for everything whose inner steps no longer matter afterwards;
 * - shared state is touched only by `heap.load` / `heap.store`; no Math.random, no clock, no JavaScript globals;
 * - `yield AT(label)` stands before an access that another CPU can observe; several accesses under one lock, or that no
 *   other path can see in between, need no yield;
 * - waiting is `while (condition is not met) yield BLOCKED(label)`: the condition is read from the heap each time round,
 *   and nothing is stored between the yield before it and the wait;
 * - a loop without a bound (a reader that goes on for ever) is a `repeat`, so that each round forgets the last;
 * - an oops is thrown and never caught by another path: it ends the thread, its locks stay held.
 */
import type { Heap } from './heap.ts';

export interface Point {
  /** Where in the kernel: `gup_fast: recheck pte`. Interned; shown in counterexamples. */
  readonly label: string;
  /** True when the path cannot go on until something it has just read changes. */
  readonly blocked: boolean;
}

export type Path<T = number> = Generator<Point, T, void>;
/** A path that can be called: numbers in, a number out. */
export type PathFunction<C> = (context: C, ...args: number[]) => Path<number>;
interface WithHeap {
  readonly heap: Heap;
}

const points = new Map<string, Point>();

function intern(label: string, blocked: boolean): Point {
  const key = blocked ? `!${label}` : label;
  let point = points.get(key);
  if (point === undefined) points.set(key, (point = { label, blocked }));
  return point;
}

export const AT = (label: string): Point => intern(label, false);
export const BLOCKED = (label: string): Point => intern(label, true);

/** Calls a path as a frame of its own: what it observed inside is forgotten when it returns. */
export function* call<C extends WithHeap>(context: C, fn: PathFunction<C>, ...args: number[]): Path<number> {
  const tap = context.heap.tap;
  if (tap === null) return yield* fn(context, ...args);
  const known = tap.enter(fn, args);
  if (known !== undefined) return known;
  const result = yield* fn(context, ...args);
  tap.leave(result);
  return result;
}

/**
 * As `call`, for what has no point inside: a counter that goes up, a look that comes to yes or no. Whoever is told apart
 * from others by what a counter held once is a state of its own for nothing.
 */
export function callNow<C extends WithHeap>(context: C, fn: (context: C, ...args: number[]) => number, ...args: number[]): number {
  const { tap } = context.heap;
  if (tap === null) return fn(context, ...args);
  const known = tap.enter(fn, args);
  if (known !== undefined) return known;
  const result = fn(context, ...args);
  tap.leave(result);
  return result;
}

/** Adds to a word; what it held is nobody's business afterwards. */
export function addBlindly(context: WithHeap, address: number, delta: number): void {
  callNow(context, add, address, delta);
}
function add(context: WithHeap, address = 0, delta = 0): number {
  context.heap.add(address, delta);
  return 0;
}

/** What `body` returns to end a `repeat`. */
export const STOP = -0x80000000;
const REPEAT_ARGS: readonly number[] = [];

/** Runs `body(context, state)` until it returns STOP; each round sees only the state that the last one returned. */
export function* repeat<C extends WithHeap>(context: C, body: PathFunction<C>, state: number): Path<number> {
  const tap = context.heap.tap;
  const known = tap?.enter(body, REPEAT_ARGS);
  if (known !== undefined) return known;
  let current = tap === null ? state : tap.round(state);
  for (;;) {
    const next = yield* body(context, current);
    if (next === STOP) break;
    current = tap === null ? next : tap.round(next);
  }
  tap?.leave(current);
  return current;
}

/** One of 0 .. count-1: all of them when explored, the first in a straight run. */
export const choose = (context: WithHeap, count: number, label: string): number =>
  context.heap.tap === null ? 0 : context.heap.tap.choose(count, label);

/** Thrown by `runStraight` when a path waits for something that nobody will do. */
export class Stuck extends Error {
  readonly point: Point;
  constructor(point: Point) {
    super(`waits for ever at ${point.label}`);
    this.point = point;
  }
}

/** Runs a path to its end with no other CPU stepping in. A path that blocks is given `idle` to make progress elsewhere. */
export function runStraight<T>(path: Path<T>, idle: (point: Point) => boolean = () => false): T {
  for (;;) {
    const step = path.next();
    if (step.done) return step.value;
    if (step.value.blocked && !idle(step.value)) throw new Stuck(step.value);
  }
}
