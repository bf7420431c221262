/** What a counterexample shows of its steps: short, by name, and without what only keeps house. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TraceStep, Violation } from '../verdict.ts';
import { netChanges } from './changes.ts';
import { readableRows, traceRows } from './rows.ts';

const step = (thread: string, from: string, to: string, stores: readonly (readonly [string, number, number])[] = []): TraceStep =>
  ({ thread, from, to, calls: [], loads: [], stores: stores.map(([word, before, after]) => ({ word, before, after })), choices: [] });
const violation = (trace: readonly TraceStep[]): Violation => ({ property: 'p', kind: 'never', trace, schedule: '' });

test('steps that nobody could see are put together with the next one of their thread, and keep their numbers', () => {
  const v = violation([
    step('a', 'a: start', 'one'), step('a', 'one', 'two'), step('a', 'two', 'three', [['x.refcount', 1, 2]]), step('b', 'b: start', 'four'),
    step('a', 'three', 'done (-16)'), step('b', 'four', 'f: BUG: unable to handle page fault for address: 1'),
  ]);
  assert.deepEqual(readableRows(v).map((r) => [r.step, r.thread, r.does, r.changes.join('; ')]), [
    [3, 'a', 'one, two', 'x.refcount: 1 -> 2'], [4, 'b', 'starts', ''], [5, 'a', 'three', 'ends with -16 (-EBUSY)'], [6, 'b', 'four', 'OOPS in f: the struct page is gone'],
  ]);
  assert.equal(traceRows(v).length, 6);
});

test('what a step changed and changed back is no change; housekeeping is left out', () => {
  assert.deepEqual(netChanges(step('a', 'x', 'y', [['l', 0, 1], ['x.devres', 1, 2], ['x.vma.nextInMm', 1, 2], ['l', 1, 0], ['word 17', 0, 1]])), []);
});

test('an object that goes or comes is one change, and so is a memmap with all that it held', () => {
  assert.deepEqual(netChanges(step('a', 'x', 'y', [['d.pgmap.start', 5, 0], ['d.pgmap.end', 9, 0], ['d.pgmap.type', 3, 0], ['d.pgmap.dying', 1, 0], ['d.lock', 1, 0]])), ['d.lock: 1 -> 0', 'd.pgmap is freed']);
  assert.deepEqual(netChanges(step('a', 'x', 'y', [['vma#1.start', 0, 5], ['vma#1.end', 0, 9], ['vma#1.pages', 0, 3], ['vma#1.mm', 0, 1]])), ['vma#1 is made']);
  assert.deepEqual(netChanges(step('a', 'x', 'y', [['struct pages of d', 8, 0], ['d page[0].refcount', 1, 0], ['d page[1].refcount', 1, 0]])), ['struct pages of d: 8 -> 0']);
  assert.deepEqual(netChanges(step('a', 'x', 'y', [0, 1, 2, 3].map((i) => [`d page[${i}].refcount`, 1, 0] as const))), ['struct pages of d: are written']);
});

test('of many changes the first five are shown, page-table entries before counts before locks', () => {
  const many = netChanges(step('a', 'x', 'y', [['m.lock', 0, 1], ['q', 0, 1], ['r', 0, 1], ['s', 0, 1], ['d.srcu', 0, 1], ['h pte[0]', 1, 0], ['t', 0, 1]]));
  assert.deepEqual(many, ['h pte[0]: 1 -> 0', 'd.srcu: 0 -> 1', 'm.lock: 0 -> 1', 'q: 0 -> 1', 'r: 0 -> 1', 'and 2 more']);
});
