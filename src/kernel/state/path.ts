/**
 * A kernel path is a generator that yields where another CPU could run. Run straight through it simulates a machine;
 * run by the explorer it is re-run from its observations (what it loaded since its frame began), so between two yields
 * it may depend only on its arguments, on loads from the heap, and on results of `call`.
 *
 * Conventions, which the explorer relies on:
 * - arguments and results of a path that goes through `call` are numbers (addresses, pfns, flags, -errno);
 * - shared state is touched only by `heap.load` / `heap.store`; no Math.random, no clock, no JavaScript globals;
 * - `yield AT(label)` stands before an access that another CPU can observe; several accesses under one lock, or that no
 *   other path can see in between, need no yield;
 * - waiting is `while (condition is not met) yield BLOCKED(label)`: the condition is read from the heap each time round.
 */
export interface Point {
  /** Where in the kernel: `gup_fast: recheck pte`. Interned; shown in counterexamples. */
  readonly label: string;
  /** True when the path cannot go on until something it has just read changes. */
  readonly blocked: boolean;
}

export type Path<T = number> = Generator<Point, T, void>;

const points = new Map<string, Point>();

function intern(label: string, blocked: boolean): Point {
  const key = blocked ? `!${label}` : label;
  let point = points.get(key);
  if (point === undefined) points.set(key, (point = { label, blocked }));
  return point;
}

export const AT = (label: string): Point => intern(label, false);
export const BLOCKED = (label: string): Point => intern(label, true);

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
