/** Reductions are validated: on random programs the reduced search gives the verdict of the full one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BreadthFirst } from './breadth-first.ts';
import { randomSpecs } from './random-program.arbitrary.ts';
import { randomProgram, type Op } from './random-program.ts';
import { searchReduced } from './reduced.ts';
import type { Verdict } from './verdict.ts';

let clock = 0;
const now = (): number => (clock += 1);

test('the nearest violation is named also where the reduced search ends in a state that violates more', () => {
  // Within 10 steps t2 can hang at its first wait. The reduced search first meets a state 11 steps away where t2 hangs at its second one and p is violated too.
  const on = (kind: Op['kind'], a: number): Op => ({ kind, a, b: 0 });
  const spec = { threads: [[on('choose', 3), on('add', 0)], [on('add', 3), on('add', 0)], [on('wait', 3), on('wait', 1)]], word: 3, value: 0, kind: 'finally' as const };
  const full = new BreadthFirst(randomProgram(spec), { now }).run();
  const reduced = searchReduced(randomProgram(spec), { now, firstLook: 1 });
  assert.equal(full.violations[0]?.trace.length, 10);
  assert.deepEqual(reduced.violations, full.violations);
});

const lengths = (verdict: Verdict): unknown => verdict.violations.map((v) => [v.property, v.trace.length]).sort();

test('reduced and full search agree on random programs: verdict and shortest length', () => {
  let saved = 0;
  fc.assert(fc.property(randomSpecs, (spec) => {
    const full = new BreadthFirst(randomProgram(spec), { now }).run();
    const first = searchReduced(randomProgram(spec), { now, firstLook: 1 });
    assert.equal(first.violations.length > 0, full.violations.length > 0);
    assert.equal(first.violations[0]?.trace.length, full.violations[0]?.trace.length);
    assert.equal(first.violations[0]?.kind, full.violations[0]?.kind);
    const every = new BreadthFirst(randomProgram(spec), { now, all: true }).run();
    assert.deepEqual(lengths(searchReduced(randomProgram(spec), { now, firstLook: 1, all: true })), lengths(every));
    assert.deepEqual(first.neverSeen, full.neverSeen);
    assert.equal(first.complete, full.complete);
    if (first.stats.states < full.stats.states) saved += 1;
  }), { numRuns: 400 });
  assert.ok(saved > 0, 'the reduction never left anything out: this test would show nothing');
});
