/** docs/kernel-matrix.md is what its data says, and no core cell of the data disagrees. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { matrixPage, type MatrixCell } from '../../src/evidence/kernel-matrix.ts';
import { allScenarios, projectRoot } from '../../src/lab/project.ts';

const { cells } = JSON.parse(readFileSync(join(projectRoot(), 'evidence/kernel-matrix.json'), 'utf8')) as { cells: readonly MatrixCell[] };
const scenarios = allScenarios();

test('the page is current', () => {
  const page = readFileSync(join(projectRoot(), 'docs/kernel-matrix.md'), 'utf8');
  assert.equal(page, matrixPage(cells, new Map(scenarios.map((s) => [s.scenario, s.title]))), 'run: unseat lab matrix --out .');
});

test('no cell of the core disagrees', () => {
  const core = new Set(scenarios.filter((s) => s.core).map((s) => s.scenario));
  const wrong = cells.filter((c) => core.has(c.scenario) && c.status === 'disagrees').map((c) => `${c.scenario} on ${c.kernel}: ${c.disagreements.map((d) => `${d.what}: ${d.seen}`).join('; ')}`);
  assert.deepEqual(wrong, []);
});
