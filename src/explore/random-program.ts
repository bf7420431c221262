/** Small programs made from lists of operations on four shared words: random ones hold searches against each other. */
import { Heap } from '../kernel/state/heap.ts';
import { AT, BLOCKED, call, choose, type Path } from '../kernel/state/path.ts';
import type { Program } from './program.ts';

export interface Box {
  heap: Heap;
  base: number;
}
export const WORDS = 4;
export type Op = { kind: 'add' | 'copy' | 'wait' | 'choose' | 'set'; a: number; b: number };

/** Runs a list of operations on four shared words; each reads and writes in steps of its own. */
function* operations(c: Box, ops: readonly Op[]): Path {
  for (const op of ops) {
    yield AT(op.kind);
    if (op.kind === 'wait') while (c.heap.load(c.base + op.a) === 0) yield BLOCKED('wait');
    else if (op.kind === 'set') c.heap.store(c.base + op.a, op.b);
    else if (op.kind === 'choose') c.heap.store(c.base + op.a, choose(c, 2, 'bit'));
    else yield* call(c, op.kind === 'add' ? addOne : copy, op.a, op.b);
  }
  return 0;
}

function* addOne(c: Box, a = 0): Path {
  const v = c.heap.load(c.base + a);
  yield AT('add: store');
  c.heap.store(c.base + a, (v + 1) & 3);
  return 0;
}

function* copy(c: Box, a = 0, b = 0): Path {
  const v = c.heap.load(c.base + a);
  yield AT('copy: store');
  c.heap.store(c.base + b, v);
  return 0;
}

/** Plain data, so that a thread can be told what to make. */
export interface RandomSpec {
  readonly threads: readonly (readonly Op[])[];
  /** The property: `word` holds `value`. */
  readonly word: number;
  readonly value: number;
  readonly kind: 'never' | 'finally' | 'sometimes';
}

export function randomProgram(spec: RandomSpec): Program<Box> {
  const heap = new Heap();
  const context = { heap, base: heap.reserve(WORDS) };
  return {
    name: 'random',
    context,
    threads: spec.threads.map((ops, i) => ({ name: `t${i}`, path: (c: Box) => operations(c, ops), args: [] })),
    properties: [{ name: 'p', kind: spec.kind, holds: (c) => c.heap.load(c.base + spec.word) === spec.value }],
  };
}
