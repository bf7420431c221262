import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomByName, randomScenario } from './random.ts';

test('every number gives a scenario that can be read, and always the same', () => {
  fc.assert(fc.property(fc.nat(2 ** 31 - 1), (seed) => {
    const s = randomScenario(seed);
    assert.deepEqual(s, randomScenario(seed));
    assert.ok(s.steps.some((step) => step.verb === 'unbind'));
  }), { numRuns: 100 });
});

test('different numbers give different scenarios', () => {
  const seen = new Set(Array.from({ length: 30 }, (_, i) => JSON.stringify({ ...randomScenario(i), scenario: '', title: '' })));
  assert.ok(seen.size >= 25, `${seen.size} of 30`);
});

test('names', () => {
  assert.equal(randomByName('random-17')?.scenario, 'random-17');
  assert.equal(randomByName('fsdax-ext4-unbind'), null);
});
