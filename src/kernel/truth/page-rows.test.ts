/** No row of docs/kernel-truth.md that names a profiled kernel is silently missing from TRUTH_ROWS. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { DONE_BY, type Done } from './page-rows-done.ts';
import { pageRows } from './page-rows.ts';
import { kernelOf } from './row.ts';
import { TRUTH_ROWS } from './rows.ts';

const rows = pageRows(readFileSync(resolve(import.meta.dirname, '../../../docs/kernel-truth.md'), 'utf8'));
const byId = new Map(TRUTH_ROWS.map((row) => [row.id, row]));
const done = (key: string): Done => {
  const entry = DONE_BY[key];
  return typeof entry === 'object' ? entry : { by: [] };
};

test('every row of the page is done by rows here, or says why not; and nothing here is of no row', () => {
  const keys = rows.map((row) => row.key);
  assert.equal(new Set(keys).size, keys.length, 'two rows of the page cannot be told apart');
  assert.ok(rows.length > 140, `only ${rows.length} rows were read off the page`);
  assert.deepEqual(Object.keys(DONE_BY).sort(), [...keys].sort());
});

test('the rows it names are there, and each of ours is named by one of the page', () => {
  const named = new Set(rows.flatMap((row) => done(row.key).by));
  assert.deepEqual([...named].filter((id) => !byId.has(id)), []);
  assert.deepEqual([...byId.keys()].filter((id) => !named.has(id)), ONLY_IN_FULL);
});

test('every kernel that a row names is a cell of one of them', () => {
  const missing = rows.flatMap((row) => {
    const { by, without = {} } = done(row.key);
    const cells = new Set(by.flatMap((id) => Object.keys(byId.get(id)?.seen ?? {}).map(kernelOf)));
    return typeof DONE_BY[row.key] === 'string' ? [] : row.kernels.filter((kernel) => !cells.has(kernel) && without[kernel] === undefined).map((kernel) => `${row.key}: ${kernel}`);
  });
  assert.deepEqual(missing, []);
});

test('a reason for a kernel stands only where it is needed', () => {
  const needless = rows.flatMap((row) => {
    const { by, without = {} } = done(row.key);
    const cells = new Set(by.flatMap((id) => Object.keys(byId.get(id)?.seen ?? {}).map(kernelOf)));
    return Object.keys(without).filter((kernel) => cells.has(kernel) || !row.kernels.includes(kernel)).map((kernel) => `${row.key}: ${kernel}`);
  });
  assert.deepEqual(needless, []);
});

/** Done here although the page, which is a digest of the measurements, has no row for it. */
const ONLY_IN_FULL: readonly string[] = [
  'A 1 write 4k', 'A 2 three 4 KiB', 'A 2 private 4 KiB', 'A 2 write', 'A 2 XFS 6.12 LATE', 'A 2 drop_caches', 'A 5 data fsync', 'A 5 dirty existing file',
  'A 5 sync before the forced unmap', 'A 5 sync after it', 'A 5 sync after the unbind', 'B 5 memmap_on_memory=Y', 'B 5 memmap_on_memory=N', 'B 5 kmem memmap_on_memory',
];
