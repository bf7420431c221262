/** bench/gup-removal.yaml, run by the kernel's own files: as many states as Spin has of bench/gup-removal.pml, where only the model's variables count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gupLitmus, gupProgram, projected, viewed } from '../bench/lib/gup-litmus.ts';
import type { Kernel } from '../src/kernel/kernel.ts';
import type { Program } from '../src/explore/program.ts';
import { BreadthFirst } from '../src/explore/breadth-first.ts';

/** Spin's counts (-o1 -o2 -o3, -DNOREDUCE); bench/explore-vs-spin.ts runs both and compares more sizes. */
const SPIN = [[1, 1, true, 108], [1, 1, false, 130], [2, 1, true, 1787], [2, 1, false, 2888], [2, 2, true, 6587]] as const;

for (const [processes, pages, right, states] of SPIN) {
  test(`${processes} users, ${pages} pages, ${right ? 'right' : 'wrong'} order: ${states} states`, () => {
    const run = projected({ processes, pages, right });
    assert.equal(run.states, states);
    assert.ok(run.verdict.stats.states >= states);
    // The run that goes by nothing else comes to the same states: what was left out decides nothing.
    const count = (exchange: boolean): number => new BreadthFirst({ ...viewed({ processes, pages, right }, exchange), properties: [] }, { now: () => 0, all: true, symmetry: true }).run().stats.states;
    assert.equal(count(false), states);
    // And with users exchanged to as many as the whole run has up to exchange.
    assert.equal(count(true), projected({ processes, pages, right }, true).states);
  });
}

test('the right order leaves no stale mapping, the wrong one does', () => {
  const violated = (right: boolean): string[] => new BreadthFirst(gupProgram({ processes: 2, pages: 1, right }), { now: () => 0, all: true }).run().violations.map((v) => v.property);
  const shortest = (program: Program<Kernel>, symmetry: boolean): number | undefined => new BreadthFirst(program, { now: () => 0, symmetry }).run().violations[0]?.trace.length;
  const wrong = { processes: 3, pages: 1, right: false };
  assert.equal(shortest(viewed(wrong, true), true), shortest(gupProgram(wrong), false));
  assert.deepEqual(violated(true), []);
  assert.deepEqual(violated(false), ['stale-mapping']);
});

test('the file is copied for more users and pages', () => {
  const { threads, processes } = gupLitmus({ processes: 2, pages: 2, right: true });
  assert.deepEqual(threads['u1'], ['read u1 page=0', 'p = gup-fast u1 page=0', 'put p', 'read u1 page=1', 'p = gup-fast u1 page=1', 'put p']);
  assert.deepEqual(Object.keys(processes), ['u0', 'u1']);
});
