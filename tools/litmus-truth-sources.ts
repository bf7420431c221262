/** What docs/litmus-truth.md is made from: the rows, the litmus tests, the cells of the lab. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ORDERED } from '../src/evidence/truth-order.ts';
import { orderLine, type LabCell, type OrderLine } from '../src/evidence/truth-order-table.ts';
import { readLitmus } from '../src/explore/litmus/read.ts';
import type { Litmus } from '../src/explore/litmus/schema.ts';
import type { TruthRow } from '../src/kernel/truth/row.ts';
import { TRUTH_ROWS } from '../src/kernel/truth/rows.ts';

export const ROOT = resolve(import.meta.dirname, '..');

export interface OrderSources {
  readonly rows: ReadonlyMap<string, TruthRow>;
  readonly tests: ReadonlyMap<string, Litmus>;
  readonly lines: readonly OrderLine[];
}

export function orderSources(): OrderSources {
  const rows = new Map(TRUTH_ROWS.map((row) => [row.id, row]));
  const files = readdirSync(join(ROOT, 'litmus')).filter((f) => f.endsWith('.yaml')).sort();
  const tests = new Map(files.map((f) => readLitmus(readFileSync(join(ROOT, 'litmus', f), 'utf8'), f)).map((t) => [t.litmus, t]));
  const matrix = join(ROOT, 'evidence/kernel-matrix.json');
  const cells = existsSync(matrix) ? (JSON.parse(readFileSync(matrix, 'utf8')) as { cells: LabCell[] }).cells : [];
  const lines = ORDERED.flatMap((row) => {
    const [truth, test] = [rows.get(row.row), tests.get(row.litmus)];
    return truth === undefined || test === undefined ? [] : [orderLine(row, truth, test, cells)];
  });
  return { rows, tests, lines };
}
