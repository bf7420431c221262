/**
 * Writes docs/counterexamples.md, and takes results of the lab into evidence/counterexamples.json:
 * node tools/counterexamples.ts [RESULT.json ...], each as `unseat lab run FILE --json` printed it.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { counterexamplesPage, type CounterexampleFile } from '../src/evidence/counterexamples.ts';
import { seenCell, wasRun, type SeenCell } from '../src/evidence/kernel-matrix.ts';
import { cellKey } from '../src/lab/matrix/store.ts';
import type { Cell } from '../src/lab/run/cell.ts';
import { readScenario } from '../src/scenario/read.ts';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'scenarios/counterexamples');
const evidence = join(root, 'evidence/counterexamples.json');

export function committed(): CounterexampleFile[] {
  return readdirSync(folder).filter((name) => name.endsWith('.yaml')).sort().map((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const head = text.split('\n').filter((line) => line.startsWith('# ')).map((line) => line.slice(2));
    // The first sentence may go over two lines of the head.
    return { file, scenario: readScenario(text, file), head: [head.join(' ').split(' Made by:')[0] ?? ''] };
  });
}
export const seen = (): SeenCell[] => (existsSync(evidence) ? (JSON.parse(readFileSync(evidence, 'utf8')) as { cells: SeenCell[] }).cells : []);

if (import.meta.main) {
  const files = committed();
  const cells = new Map(seen().map((c) => [c.scenario, c]));
  for (const path of process.argv.slice(2)) {
    const cell = JSON.parse(readFileSync(path, 'utf8')) as Cell;
    const file = files.find((f) => f.scenario.scenario === cell.scenario);
    if (file === undefined || !wasRun(cell)) continue;
    cells.set(cell.scenario, seenCell({ key: cellKey(file.scenario, cell), date: new Date().toISOString(), cell }));
  }
  const sorted = [...cells.values()].sort((a, b) => a.scenario.localeCompare(b.scenario, 'en'));
  writeFileSync(evidence, `${JSON.stringify({ cells: sorted }, null, 1)}\n`);
  writeFileSync(join(root, 'docs/counterexamples.md'), counterexamplesPage(files, sorted));
  process.stdout.write(`${files.length} scenarios, ${sorted.length} run\n`);
}
