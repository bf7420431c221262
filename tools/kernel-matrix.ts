/** Predicts every cell of evidence/kernel-matrix.json anew and writes it, docs/kernel-matrix.md and docs/kernel-truth-confirmed.md. Runs no guest; `unseat lab matrix --out .` does. */
import { resolve } from 'node:path';
import { evidenceOf } from '../src/evidence/evidence-of.ts';
import { matrixFiles, type SeenCell } from '../src/evidence/kernel-matrix.ts';
import { standing } from '../src/evidence/kernel-matrix-page.ts';
import { truthConfirmed } from '../src/evidence/truth-confirmed.ts';
import { TRUTH_ROWS } from '../src/kernel/truth/rows.ts';
import { committedCells } from '../src/lab/matrix/store.ts';
import { allScenarios } from '../src/lab/project.ts';
import { writeFiles } from '../src/lab/write-files.ts';

const root = resolve(import.meta.dirname, '..');
const scenarios = new Map(allScenarios().map((s) => [s.scenario, s]));
const cells = await evidenceOf(committedCells(root) as readonly SeenCell[], scenarios);
const truth = truthConfirmed(TRUTH_ROWS, { cells, scenarios });
writeFiles(root, [...matrixFiles(cells, new Map([...scenarios].map(([name, s]) => [name, s.title]))), { path: 'docs/kernel-truth-confirmed.md', text: truth.page }]);
const counts = Object.fromEntries([...Map.groupBy(cells, standing)].map(([what, list]) => [what, list.length]));
process.stdout.write(`${JSON.stringify(counts)}\n${JSON.stringify(truth.counts)}\n${truth.contradicted.join('\n')}\n`);
