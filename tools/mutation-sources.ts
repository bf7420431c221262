/** What docs/mutations.md is made from: the last run of tools/mutate.ts, the litmus tests, the rows that they stand for. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { mutationPage, standings, type Standing } from '../src/evidence/mutation-page.ts';
import type { MutationRun } from '../src/evidence/mutation-run.ts';
import { orderSources } from './litmus-truth-sources.ts';

const ROOT = resolve(import.meta.dirname, '..');

export function mutationSources(): { readonly run: MutationRun; readonly standing: readonly Standing[]; readonly page: string } {
  const run = JSON.parse(readFileSync(join(ROOT, 'evidence/mutations.json'), 'utf8')) as MutationRun;
  const names = readdirSync(join(ROOT, 'litmus')).filter((f) => f.endsWith('.yaml')).sort().map((f) => f.replace('.yaml', ''));
  // A row counts where the test was held against a measured column of it, or a cell of the lab, and agrees.
  const { lines } = orderSources();
  const held = lines.filter((l) => Object.keys(l.row.shows).length > 0 && l.disagree.length === 0 && l.truth.length + l.lab.length > 0);
  const rows = new Map(names.map((name) => [name, [...new Set(held.filter((l) => l.row.litmus === name).map((l) => l.row.row))]]));
  const standing = standings(run, names, rows);
  return { run, standing, page: mutationPage(run, standing) };
}

export const writeMutationPage = (): void => writeFileSync(join(ROOT, 'docs/mutations.md'), mutationSources().page);
