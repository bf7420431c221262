import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BreadthFirst } from './breadth-first.ts';
import type { Program } from './program.ts';
import { gupRemoval, type Protocol } from './protocols/gup-removal.ts';
import { Stepper } from './stepper.ts';
import { SymmetricHash } from './symmetry.ts';

const now = (): number => 0;

/** Numbers of states that Spin stores for bench/gup-removal.pml with -o1 -o2 -o3 and NOREDUCE. */
const SPIN: readonly (readonly [number, number, boolean, number])[] = [[1, 1, true, 47], [2, 1, true, 395], [2, 1, false, 789], [2, 2, true, 2929], [3, 1, true, 3851]];

test('the reachable states of the protocol are as many as in Promela', () => {
  for (const [processes, pages, right, states] of SPIN) {
    assert.equal(new BreadthFirst(gupRemoval(processes, pages, right), { now, all: true }).run().stats.states, states);
  }
});

/** How many different hashes the symmetric hash has over all reachable states, each visited without symmetry. */
function orbits(program: Program<Protocol>): number {
  const stepper = new Stepper(program);
  const hash = new SymmetricHash(program.symmetry ?? [], stepper as unknown as Stepper<never>);
  const seen = new Set<string>();
  const look = { name: 'look', kind: 'never' as const, holds: () => { hash.compute(); seen.add(`${hash.low} ${hash.high}`); return false; } };
  new BreadthFirst({ ...program, properties: [look] }, { now, all: true, remember: false, stepper: stepper as unknown as Stepper<never> }).run();
  return seen.size;
}

test('with symmetry exactly one state of each orbit is visited, and the verdict and the length of the way are the same', () => {
  for (const [processes, pages, right] of SPIN) {
    const full = new BreadthFirst(gupRemoval(processes, pages, right), { now, all: true }).run();
    const symmetric = new BreadthFirst(gupRemoval(processes, pages, right), { now, all: true, symmetry: true }).run();
    assert.equal(symmetric.stats.states, orbits(gupRemoval(processes, pages, right)));
    assert.ok(processes === 1 || symmetric.stats.states < full.stats.states);
    assert.deepEqual(symmetric.violations.map((v) => [v.property, v.trace.length]), full.violations.map((v) => [v.property, v.trace.length]));
    assert.equal(full.violations.length, right ? 0 : 1);
  }
});
