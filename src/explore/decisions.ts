/**
 * What follows from what is observed, remembered: a tree of observations with an answer at each end. An observation is a
 * place and the value found there; who asks in the same order each time finds the answer by looking only at the places
 * that ever made a difference to the question.
 *
 * A position in the tree is a number: above 0 a place to look at next, below 0 an answer (its complement), 0 for what
 * nobody has asked yet.
 */
import { UnseatError } from '../errors/unseat-error.ts';
import { Children } from './children.ts';

export class Decisions {
  /** What to look at: index of the row, or below 0 something that only the asker knows. */
  places = new Int32Array(1 << 8);
  /** Most places hold one of two values: the first that was met is kept beside the place. */
  firsts = new Int32Array(1 << 8);
  nexts = new Int32Array(1 << 8);
  private readonly children = new Children();
  private count = 1;

  /** Words in use, about. */
  get size(): number {
    return this.count * 12;
  }

  /** Where the value found at a position leads. */
  next(at: number, value: number): number {
    return this.firsts[at] === value ? (this.nexts[at] as number) : this.children.child(at, value);
  }

  /** Notes that `observed` (place, value, place, value, ...) leads from the position `root` to the answer; the position to begin at from now on. */
  insert(root: number, observed: readonly number[], answer: number): number {
    let at = root;
    let before = 0;
    let edge = 0;
    let begin = root;
    const link = (to: number): void => {
      if (before === 0) begin = to;
      else this.link(before, edge, to);
    };
    for (let i = 0; i < observed.length; i += 2) {
      const place = observed[i] as number;
      if (at === 0) link((at = this.add(place)));
      else if (at < 0 || this.places[at] !== place) throw inconsistent('the same observations were followed by another one');
      before = at;
      edge = observed[i + 1] as number;
      at = this.next(at, edge);
    }
    if (at !== 0) throw inconsistent('the same observations were followed by another one');
    link(~answer);
    return begin;
  }

  clear(): void {
    this.children.clear(this.count);
    this.count = 1;
  }

  private add(place: number): number {
    const at = this.count;
    this.count += 1;
    if (at === this.places.length) [this.places, this.firsts, this.nexts] = [doubled(this.places), doubled(this.firsts), doubled(this.nexts)];
    this.places[at] = place;
    this.nexts[at] = 0;
    this.firsts[at] = 0;
    return at;
  }

  private link(from: number, value: number, to: number): void {
    if (this.nexts[from] === 0 || this.firsts[from] === value) {
      this.firsts[from] = value;
      this.nexts[from] = to;
    } else {
      this.children.set(from, value, to);
    }
  }
}

export function inconsistent(cause: string): UnseatError {
  return new UnseatError('INTERNAL', 'what was remembered of a step or a property is not what it does', { cause, next: 'Search with --no-remember, and report this.' });
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(array.length * 2);
  bigger.set(array);
  return bigger;
}
