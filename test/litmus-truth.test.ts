/** Every row of KERNEL-TRUTH is a matter of order and has a litmus test, or is none and says why; tests, rows and the lab agree. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NO_ORDER, ORDERED } from '../src/evidence/truth-order.ts';
import { orderLine, orderPage } from '../src/evidence/truth-order-table.ts';
import { orderSources, ROOT } from '../tools/litmus-truth-sources.ts';

const { rows, tests, lines } = orderSources();

test('every row has a litmus test or a reason, and never both', () => {
  const ordered = new Set(ORDERED.map((o) => o.row));
  for (const id of rows.keys()) assert.ok(ordered.has(id) !== (id in NO_ORDER), `${id} has ${ordered.has(id) ? 'both' : 'neither a litmus test nor a reason'}`);
  for (const { row, litmus } of ORDERED) {
    assert.ok(rows.has(row), `there is no row ${row}`);
    assert.ok(tests.has(litmus), `there is no litmus test ${litmus}`);
  }
  for (const id of Object.keys(NO_ORDER)) assert.ok(rows.has(id), `there is no row ${id}`);
});

test('pinned verdicts agree with every measured kernel and with every cell of the lab', () => {
  assert.deepEqual(lines.flatMap((l) => l.disagree.map((d) => `${l.row.row}, ${l.row.litmus}: ${d}`)), []);
  assert.ok(lines.filter((l) => l.truth.length > 0).length > 60);
});

test('a pinned verdict that the measurement or the lab contradicts is told', () => {
  const row = { row: 'A matrix 4', litmus: 'fsdax-exit-unbound', only: 'ext4', shows: { 'oops-at-exit': 'oops' }, lab: { s: { 'oops-at-exit': 'oops' } } };
  const [truth, litmus] = [rows.get('A matrix 4'), tests.get('fsdax-exit-unbound')];
  assert.ok(truth && litmus);
  const cell = { scenario: 's', kernel: 'debian:7.2', release: '7.2.12', status: 'agrees', effects: [], observations: [] };
  const wrong = orderLine(row, truth, { ...litmus, expect: { default: 'ok' } }, []).disagree;
  assert.deepEqual(wrong, ['7.2 ext4: oops was seen, the test has no counterexample']);
  assert.deepEqual(orderLine(row, truth, litmus, [cell]).disagree, ['s on 7.2: oops was not seen, the test has a counterexample']);
  assert.deepEqual(orderLine(row, truth, { ...litmus, expect: { default: ['oops'] } }, []).disagree.length, 3);
});

test('a litmus test that names a row is the one that the row names', () => {
  const named = new Set(ORDERED.map((o) => o.litmus));
  for (const t of tests.values()) assert.ok(t.truth === undefined || named.has(t.litmus), `${t.litmus} names ${t.truth}, and no row names it`);
});

test('docs/litmus-truth.md is current', () => {
  assert.equal(readFileSync(join(ROOT, 'docs/litmus-truth.md'), 'utf8'), orderPage(lines, rows, NO_ORDER), 'run node tools/litmus-truth.ts');
});
