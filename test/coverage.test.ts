/** Every clause has a named test and a real kernel or the reason why not; the page is current. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ASKED, CLAUSES, NO_ORDER_CLAUSE, NO_REAL_KERNEL } from '../src/evidence/clauses.ts';
import { clauseTests, coverage, coveragePage } from '../src/evidence/coverage.ts';
import { coverageSources, ROOT } from '../tools/coverage-sources.ts';

const sources = coverageSources();
const rows = coverage(sources);

test('no clause is empty', () => {
  for (const row of rows) {
    assert.ok(row.tests.length > 0, `${row.clause} has no test`);
    assert.ok(row.code.length > 0, `${row.clause} names no code`);
    assert.ok(row.real !== '', `${row.clause}: neither a real kernel nor a reason`);
  }
});

test('every clause has a litmus test, or says why it is no matter of order, and never both; what is asked for by name is there', () => {
  for (const row of rows) assert.ok((row.litmus.length > 0) !== (row.clause in NO_ORDER_CLAUSE), `${row.clause}: ${row.litmus.join(', ') || 'neither a litmus test nor a reason'}`);
  const known = new Set(sources.litmus.map((l) => l.name));
  for (const [asked, names] of ASKED) for (const name of names) assert.ok(known.has(name), `${asked}: there is no ${name}`);
});

test('tests, litmus tests and scenarios name clauses that there are, and reasons are for clauses without a scenario', () => {
  const named = [...sources.tests.flatMap((t) => [...clauseTests(t.text).keys()]), ...sources.litmus.flatMap((l) => l.clauses), ...sources.scenarios.flatMap((s) => s.clauses), ...Object.keys(NO_REAL_KERNEL)];
  for (const clause of named) assert.ok(clause in CLAUSES, `there is no clause ${clause}`);
});

test('names of tests are found whatever their quotes', () => {
  assert.deepEqual([...clauseTests("test('1b: it\\'s one', () => {}); test(`2a, 2c: two ${x}`, f)")], [['1b', ["it\\'s one"]], ['2a', ['two ${x}']], ['2c', ['two ${x}']]]);
});

test('docs/coverage.md is current', () => {
  assert.equal(readFileSync(join(ROOT, 'docs/coverage.md'), 'utf8'), coveragePage(rows), 'run node tools/coverage.ts');
});
