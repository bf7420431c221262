/**
 * What runs of generators taught a search (nodes, labels, columns), as numbers: for searches of the same program in other
 * threads, and for one that is taken up again later. Whoever takes over everything in order has the same numbers for the
 * same nodes, so that states can be handed over as they are.
 *
 * A message: number of labels, then of each its length and its UTF-16 units; number of columns, then their addresses;
 * number of nodes, then of each its number and NODE_WORDS words.
 */
import { UnseatError } from '../errors/unseat-error.ts';
import { NODE_WORDS } from './nodes.ts';
import type { Stepper } from './stepper.ts';

type AnyStepper = Pick<Stepper<never>, 'nodes' | 'state'>;

/** How much is known: everything with a smaller number. */
export interface Mark {
  readonly labels: number;
  readonly columns: number;
  readonly nodes: number;
}

export const markOf = ({ nodes, state }: AnyStepper): Mark => ({ labels: nodes.labels.length, columns: state.columns, nodes: nodes.count });

/** What a new search of any program knows: nothing. */
export const NOTHING: Mark = { labels: 1, columns: 0, nodes: 1 };

/** What was learnt since `mark`, and the older nodes that changed. */
export function learntSince({ nodes, state }: AnyStepper, mark: Mark, changed: readonly number[] = []): Int32Array<ArrayBuffer> {
  const words: number[] = [nodes.labels.length - mark.labels];
  for (const label of nodes.labels.slice(mark.labels)) {
    words.push(label.length);
    for (let i = 0; i < label.length; i += 1) words.push(label.charCodeAt(i));
  }
  words.push(state.columns - mark.columns);
  for (let column = mark.columns; column < state.columns; column += 1) words.push(state.address(state.threads + column));
  const older = [...new Set(changed)].filter((node) => node < mark.nodes);
  words.push(older.length + nodes.count - mark.nodes);
  for (const node of older) words.push(node, ...nodes.words(node));
  for (let node = mark.nodes; node < nodes.count; node += 1) words.push(node, ...nodes.words(node));
  return Int32Array.from(words);
}

/** Takes over a message. Where it ends. */
export function adopt({ nodes, state }: AnyStepper, words: Int32Array, begin: number): number {
  let at = begin;
  const take = (): number => words[at++] ?? lost();
  for (let labels = take(); labels > 0; labels -= 1) {
    const length = take();
    nodes.label(String.fromCharCode(...words.subarray(at, at + length)));
    at += length;
  }
  for (let columns = take(); columns > 0; columns -= 1) state.adopt(take());
  for (let count = take(); count > 0; count -= 1) {
    nodes.adopt(take(), words, at);
    at += NODE_WORDS;
  }
  return at;
}

function lost(): never {
  throw new UnseatError('INTERNAL', 'what a search learnt does not arrive whole');
}
