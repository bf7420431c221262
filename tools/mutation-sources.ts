/** What docs/mutations.md is made from: the last run of tools/mutate.ts, the litmus tests, the rows that they stand for. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { STANDS_FOR } from '../src/evidence/litmus-standing.ts';
import { mutationPage, standings, type Standing } from '../src/evidence/mutation-page.ts';
import type { MutationRun } from '../src/evidence/mutation-run.ts';
import { ORDERED } from '../src/evidence/truth-order.ts';

const ROOT = resolve(import.meta.dirname, '..');

export function mutationSources(): { readonly run: MutationRun; readonly standing: readonly Standing[]; readonly page: string } {
  const run = JSON.parse(readFileSync(join(ROOT, 'evidence/mutations.json'), 'utf8')) as MutationRun;
  const names = readdirSync(join(ROOT, 'litmus')).filter((f) => f.endsWith('.yaml')).sort().map((f) => f.replace('.yaml', ''));
  const rows = new Map(names.map((name) => [name, ORDERED.filter((o) => o.litmus === name).map((o) => o.row)]));
  const standing = standings(run, names, rows, STANDS_FOR);
  return { run, standing, page: mutationPage(run, standing) };
}

export const writeMutationPage = (): void => writeFileSync(join(ROOT, 'docs/mutations.md'), mutationSources().page);
