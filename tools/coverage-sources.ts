/** The files that docs/coverage.md is made from. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { Sources } from '../src/evidence/coverage.ts';
import { RELEASES } from '../src/profile/releases/index.ts';

export const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const yamlIn = (folder: string): Record<string, unknown>[] => readdirSync(join(ROOT, folder)).filter((f) => f.endsWith('.yaml')).sort().map((f) => parse(read(join(folder, f))) as Record<string, unknown>);
const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

export function coverageSources(): Sources {
  const tests = ['src/kernel', 'src/explore'].flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((f) => join(folder, f))).concat(readdirSync(join(ROOT, 'test')).map((f) => join('test', f)))
    .filter((f) => f.endsWith('.test.ts')).sort().map((path) => ({ path, text: read(path) }));
  const matrix = join(ROOT, 'evidence/kernel-matrix.json');
  return {
    tests,
    litmus: yamlIn('litmus').map((l) => ({ name: String(l['litmus']), clauses: strings(l['clauses']), profiles: l['profiles'] === undefined ? RELEASES.map((p) => p.name) : strings(l['profiles']) })),
    scenarios: yamlIn('scenarios').map((s) => ({ name: String(s['scenario']), clauses: strings(s['clauses']) })),
    cells: existsSync(matrix) ? (JSON.parse(readFileSync(matrix, 'utf8')) as { cells: Sources['cells'] }).cells : [],
  };
}
