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

/** Words of a position; the shift by which it becomes the number of a node. */
const STRIDE = 4;
const SHIFT = 2;

export class Decisions {
  /**
   * Four words at each position: what to look at (index of the row, or below 0 something that only the asker knows); the
   * first value that was met there and where it leads, since most places hold one of two; nothing.
   */
  tree: Int32Array = new Int32Array(STRIDE << 6);
  private readonly children = new Children();
  private end = STRIDE;

  /** Words in use, about. */
  get size(): number {
    return this.end * 3;
  }

  /** Where the value found at a position leads. */
  next(at: number, value: number): number {
    return this.tree[at + 1] === value ? (this.tree[at + 2] as number) : this.children.child(at >>> SHIFT, value);
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
      else if (at < 0 || this.tree[at] !== place) throw inconsistent('the same observations were followed by another one');
      before = at;
      edge = observed[i + 1] as number;
      at = this.next(at, edge);
    }
    if (at !== 0) throw inconsistent('the same observations were followed by another one');
    link(~answer);
    return begin;
  }

  clear(): void {
    this.children.clear(this.end >>> SHIFT);
    this.end = STRIDE;
  }

  private add(place: number): number {
    const at = this.end;
    this.end += STRIDE;
    if (at === this.tree.length) this.tree = doubled(this.tree);
    this.tree[at] = place;
    this.tree.fill(0, at + 1, this.end);
    return at;
  }

  private link(from: number, value: number, to: number): void {
    const { tree } = this;
    if (tree[from + 2] === 0 || tree[from + 1] === value) {
      tree[from + 1] = value;
      tree[from + 2] = to;
    } else {
      this.children.set(from >>> SHIFT, value, to);
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
