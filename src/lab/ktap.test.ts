import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cell } from './run/cell.ts';
import { ktap } from './ktap.ts';

const cell = (more: Partial<Cell>): Cell => ({ scenario: 's', kernel: 'debian:6.1', release: '', version: '', qemu: '', status: 'agrees', effects: [], observations: [],
  disagreements: [], bootSeconds: 1, seconds: 2, log: {}, logLines: [], ...more });

test('cells become KTAP lines', () => {
  const text = ktap([
    cell({}), cell({ status: 'disagrees', disagreements: [{ expectation: 0, what: 'effects', expected: 'clean', seen: 'stale-mapping' }] }),
    cell({ status: 'not-available', reason: 'no module # here\nmore' }), cell({ status: 'lab-failed', reason: 'no boot' }),
  ]);
  assert.deepEqual(text.split('\n'), [
    'KTAP version 1', '1..4', 'ok 1 s.debian:6.1', '# effects: expected clean, seen stale-mapping', 'not ok 2 s.debian:6.1',
    'ok 3 s.debian:6.1 # SKIP no module   here', '# no boot', 'not ok 4 s.debian:6.1', '',
  ]);
});
