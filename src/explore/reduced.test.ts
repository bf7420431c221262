/** Reductions are validated: on random programs the reduced search gives the verdict of the full one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Heap } from '../kernel/state/heap.ts';
import { AT, BLOCKED, call, choose, type Path } from '../kernel/state/path.ts';
import { BreadthFirst } from './breadth-first.ts';
import type { Program } from './program.ts';
import { searchReduced } from './reduced.ts';
import type { Verdict } from './verdict.ts';

interface Box {
  heap: Heap;
  base: number;
}
const WORDS = 4;
type Op = { kind: 'add' | 'copy' | 'wait' | 'choose' | 'set'; a: number; b: number };

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

const op: fc.Arbitrary<Op> = fc.record({ kind: fc.constantFrom('add' as const, 'copy' as const, 'wait' as const, 'choose' as const, 'set' as const), a: fc.nat(WORDS - 1), b: fc.nat(WORDS - 1) });
const programs = fc.record({ threads: fc.array(fc.array(op, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 3 }), word: fc.nat(WORDS - 1), value: fc.nat(3), kind: fc.constantFrom('never' as const, 'finally' as const, 'sometimes' as const) });

function make(spec: { threads: Op[][]; word: number; value: number; kind: 'never' | 'finally' | 'sometimes' }): Program<Box> {
  const heap = new Heap();
  const context = { heap, base: heap.reserve(WORDS) };
  return {
    name: 'random',
    context,
    threads: spec.threads.map((ops, i) => ({ name: `t${i}`, path: (c: Box) => operations(c, ops), args: [] })),
    properties: [{ name: 'p', kind: spec.kind, holds: (c) => c.heap.load(c.base + spec.word) === spec.value }],
  };
}

let clock = 0;
const now = (): number => (clock += 1);

test('the nearest violation is named also where the reduced search ends in a state that violates more', () => {
  // Within 10 steps t2 can hang at its first wait. The reduced search first meets a state 11 steps away where t2 hangs at its second one and p is violated too.
  const on = (kind: Op['kind'], a: number): Op => ({ kind, a, b: 0 });
  const spec = { threads: [[on('choose', 3), on('add', 0)], [on('add', 3), on('add', 0)], [on('wait', 3), on('wait', 1)]], word: 3, value: 0, kind: 'finally' as const };
  const full = new BreadthFirst(make(spec), { now }).run();
  const reduced = searchReduced(make(spec), { now, firstLook: 1 });
  assert.equal(full.violations[0]?.trace.length, 10);
  assert.deepEqual(reduced.violations, full.violations);
});

const lengths = (verdict: Verdict): unknown => verdict.violations.map((v) => [v.property, v.trace.length]).sort();

test('reduced and full search agree on random programs: verdict and shortest length', () => {
  let saved = 0;
  fc.assert(fc.property(programs, (spec) => {
    const full = new BreadthFirst(make(spec), { now }).run();
    const first = searchReduced(make(spec), { now, firstLook: 1 });
    assert.equal(first.violations.length > 0, full.violations.length > 0);
    assert.equal(first.violations[0]?.trace.length, full.violations[0]?.trace.length);
    assert.equal(first.violations[0]?.kind, full.violations[0]?.kind);
    const every = new BreadthFirst(make(spec), { now, all: true }).run();
    assert.deepEqual(lengths(searchReduced(make(spec), { now, firstLook: 1, all: true })), lengths(every));
    assert.deepEqual(first.neverSeen, full.neverSeen);
    assert.equal(first.complete, full.complete);
    if (first.stats.states < full.stats.states) saved += 1;
  }), { numRuns: 400 });
  assert.ok(saved > 0, 'the reduction never left anything out: this test would show nothing');
});
