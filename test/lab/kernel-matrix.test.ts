/** The committed data of the lab: what is predicted is what the simulated kernel says today, nothing differs that is not listed, and the page says the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { evidenceOf } from '../../src/evidence/evidence-of.ts';
import { matrixFiles, type MatrixCell } from '../../src/evidence/kernel-matrix.ts';
import { reasonForMissed } from '../../src/evidence/kernel-matrix-page.ts';
import { LISTED } from '../../src/evidence/listed-differences.ts';
import { CONTRADICTED } from '../../src/evidence/truth-contradicted.ts';
import { faultsOf, racePage } from '../../src/evidence/race-page.ts';
import { truthConfirmed } from '../../src/evidence/truth-confirmed.ts';
import { LINKS } from '../../src/evidence/truth-links.ts';
import { TRUTH_ROWS } from '../../src/kernel/truth/rows.ts';
import { committedCells } from '../../src/lab/matrix/store.ts';
import { readRaces } from '../../src/lab/race/store.ts';
import { allScenarios, projectRoot } from '../../src/lab/project.ts';

const NEXT = 'run: node tools/kernel-matrix.ts';
const committed = committedCells(projectRoot()) as readonly MatrixCell[];
const scenarios = new Map(allScenarios().map((s) => [s.scenario, s]));
/** Every cell takes half a minute; without UNSEAT_EVIDENCE=all a few of each scenario do. */
const all = process.env['UNSEAT_EVIDENCE'] === 'all';
const sample = committed.filter((_, i) => all || i % 4 === 0);

test(`predictions of ${sample.length} of ${committed.length} cells are what the simulated kernel says`, async () => {
  assert.deepEqual(await evidenceOf(sample, scenarios), sample, NEXT);
});

test('the page says what the data says', () => {
  const titles = new Map([...scenarios].map(([name, s]) => [name, s.title]));
  for (const file of matrixFiles(committed, titles)) assert.equal(readFileSync(join(projectRoot(), file.path), 'utf8'), file.text, `${file.path}; ${NEXT}`);
});

test('the page of races says what the data says, and no race was lost', () => {
  const races = readRaces(projectRoot());
  if (races.length > 0) assert.equal(readFileSync(join(projectRoot(), 'docs/race.md'), 'utf8'), racePage(races), 'run: unseat lab race ... --out .');
  assert.deepEqual(races.flatMap((r) => faultsOf(r).map((fault) => `${r.kernel} ${r.fs} seed ${r.seed}: ${fault}`)), []);
});

test('simulated and real kernels differ in nothing that is not listed', () => {
  const wrong = committed.flatMap((c) => [
    ...c.disagreements.map((d) => `${c.scenario} on ${c.kernel}: ${d.what}: expected ${d.expected}, seen ${d.seen}`),
    ...c.differences.filter((d) => d.listed === undefined).map((d) => `${c.scenario} on ${c.kernel}: ${d.what}: predicted ${d.predicted}, seen ${d.seen}`),
  ]);
  assert.deepEqual(wrong, []);
});

test('plan forecasts what is seen, listed exceptions apart', () => {
  assert.deepEqual(committed.filter((c) => c.missed.length > 0 && reasonForMissed(c) === null).map((c) => `${c.scenario} on ${c.kernel}: ${c.missed.join(', ')}`), []);
});

test('every listed difference is one that was seen', () => {
  const reasons = new Set(committed.flatMap((c) => [...c.differences.map((d) => d.listed), ...(c.missed.length > 0 ? [reasonForMissed(c)] : [])]));
  assert.deepEqual(LISTED.filter((l) => !reasons.has(l.reason)).map((l) => l.reason), []);
});

test('the page of confirmed facts says what the data says, and only the listed facts are contradicted', () => {
  const truth = truthConfirmed(TRUTH_ROWS, { cells: committed, scenarios });
  assert.equal(readFileSync(join(projectRoot(), 'docs/kernel-truth-confirmed.md'), 'utf8'), truth.page, NEXT);
  assert.deepEqual([...truth.contradicted].sort(), Object.entries(CONTRADICTED).map(([column, { seen }]) => `${column}: ${seen}`).sort());
});

test('every link names a row, a scenario and a step that there are', () => {
  const rows = new Set(TRUTH_ROWS.map((r) => r.id));
  for (const l of LINKS) {
    assert.deepEqual(l.rows.filter((row) => !rows.has(row)), [], l.scenario);
    const scenario = scenarios.get(l.scenario);
    assert.ok(scenario, l.scenario);
    if (l.shows.step !== undefined) assert.ok(scenario.steps.some((s) => s.label === l.shows.step), `${l.scenario}: ${l.shows.step}`);
    const columns = TRUTH_ROWS.filter((r) => l.rows.includes(r.id)).flatMap((r) => Object.keys(r.seen));
    assert.ok(columns.some((c) => l.columns === undefined || l.columns.test(c)), `${l.rows.join()} has no column for ${l.scenario}`);
  }
});
