/**
 * What runs of generators observed, in order: everything that a search has learnt follows from it. Another thread, or a
 * search that is taken up later, has the generators run again on the same observations, and then knows the same nodes,
 * columns and labels by the same numbers, and has reserved the same memory. States can then be handed over as they are.
 *
 * A lesson: its number of words, the thread, the node where the run began to be new, nodes and heap words after it, then
 * the values loaded and the choices taken.
 */
import { UnseatError } from '../errors/unseat-error.ts';
import type { LiveState } from './recording-tap.ts';
import type { Stepper } from './stepper.ts';
import { mixHigh, mixLow } from './mix.ts';

const HEAD = 5;

export class Lessons {
  private data = new Int32Array(1 << 10);
  private begin = 0;
  private end = 0;

  /** All of them, one after the other. */
  get words(): Int32Array<ArrayBuffer> {
    return this.data.subarray(0, this.end);
  }

  open(thread: number, node: number): void {
    // What a run that failed left behind is overwritten.
    this.end = this.begin;
    for (const word of [0, thread, node, 0, 0]) this.push(word);
  }

  observed(value: number): number {
    this.push(value);
    return value;
  }

  close(nodes: number, heapUsed: number): void {
    this.data[this.begin] = this.end - this.begin;
    this.data[this.begin + 3] = nodes;
    this.data[this.begin + 4] = heapUsed;
    this.begin = this.end;
  }

  copy(words: Int32Array, begin: number, end: number): void {
    for (let at = begin; at < end; at += 1) this.push(words[at] as number);
    this.begin = this.end;
  }

  private push(word: number): void {
    if (this.end === this.data.length) {
      const bigger = new Int32Array(this.data.length * 2);
      bigger.set(this.data);
      this.data = bigger;
    }
    this.data[this.end] = word;
    this.end += 1;
  }
}

export interface Lesson {
  readonly thread: number;
  readonly node: number;
  readonly end: number;
  /** Stands in for the state: gives the values observed, and tells what is stored. */
  feed(stored: (address: number, value: number) => void): LiveState;
  /** @throws UnseatError INTERNAL where the run did not do here what it did there */
  check(nodes: number, heapUsed: number): void;
}

/** The lesson that begins at `begin`. */
export function readLesson(words: Int32Array, begin: number): Lesson {
  const [length, thread, node, nodes, heapUsed] = words.subarray(begin, begin + HEAD) as unknown as [number, number, number, number, number];
  const end = begin + length;
  let at = begin + HEAD;
  const next = (): number => {
    if (at >= end) throw unlike('it observes more');
    at += 1;
    return words[at - 1] as number;
  };
  return {
    thread, node, end,
    feed: (stored) => ({ read: next, pick: next, write: stored }),
    check: (nodesHere, heapUsedHere) => {
      if (at !== end) throw unlike('it observes less');
      if (nodesHere !== nodes) throw unlike(`it knows ${nodesHere} places instead of ${nodes}`);
      if (heapUsedHere !== heapUsed) throw unlike(`it has reserved ${heapUsedHere} words of memory instead of ${heapUsed}`);
    },
  };
}

/** A number of what is known: equal where the same runs taught the same. 16 hexadecimal digits. */
export function digest({ nodes, state }: Pick<Stepper<never>, 'nodes' | 'state'>): string {
  let [low, high] = [nodes.count, state.columns];
  const take = (value: number): void => {
    low = mixLow(low, value);
    high = mixHigh(high, value);
  };
  for (const array of [nodes.kind, nodes.a, nodes.b, nodes.next, nodes.parent, nodes.edge]) for (let node = 1; node < nodes.count; node += 1) take(array[node] as number);
  for (let column = 0; column < state.columns; column += 1) take(state.address(state.threads + column));
  for (const label of nodes.labels) for (let i = 0; i <= label.length; i += 1) take(i === label.length ? -1 : label.charCodeAt(i));
  return [low, high].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

function unlike(cause: string): UnseatError {
  return new UnseatError('INTERNAL', 'a run on the same observations does not do the same', { cause, next: 'The path depends on something beside its arguments and what it observes, or has changed since.' });
}
