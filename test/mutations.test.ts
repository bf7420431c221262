/** Mutations: sites are found and rewritten rightly, every survivor has its reason, every litmus test is there for something, the page is current. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { stripTypeScriptTypes } from 'node:module';
import { reasonFor, REASONS } from '../src/evidence/mutation-reasons.ts';
import { mutationSites, SWITCH, withMutations } from '../src/evidence/mutation-sites.ts';
import { mutationSources } from '../tools/mutation-sources.ts';

const { run, standing, page } = mutationSources();
const survivors = run.results.filter((r) => r.caught.length === 0);

test('statements are found: those that change state, wait or call, and swaps only where others can run between the two', () => {
  const text = ['function* f(k) {', '  const x = 1;', '  yield* lock(k);', '  k.heap.store(a, 1);', '  k.heap.store(b, 1);', '  unlock(k, a);', "  k.log.write('x');", '  if (k.concurrent) yield AT(1);', '  return x;', '}'].join('\n');
  assert.deepEqual(mutationSites('f.ts', text).map((s) => `${s.line} ${s.how}`), ['3 drop', '3 out of lock', '4 drop', '5 drop', '6 drop']);
});

test('one text holds every mutant, and the one in force is asked for', () => {
  const text = ['function* f(k, out) {', '  yield* k.step(out, 1);', '  yield* k.step(out, 2);', '  yield* k.step(out, 3);', '}'].join('\n');
  const sites = mutationSites('f.ts', text);
  assert.deepEqual(sites.map((s) => `${s.line} ${s.how}`), ['2 drop', '2 swap', '3 drop', '3 swap', '4 drop']);
  const made = new Function(`${stripTypeScriptTypes(withMutations(text, sites, 10))}; return f;`)() as (k: unknown, out: number[]) => Generator;
  const k = { step: function* step(out: number[], n: number): Generator { out.push(n); } };
  const order = (active: number): number[] => {
    (globalThis as unknown as Record<string, unknown>)[SWITCH] = { keeps: (id: number) => id !== active };
    const out: number[] = [];
    for (const _ of made(k, out));
    return out;
  };
  assert.deepEqual([-1, 10, 11, 12, 13, 14].map(order), [[1, 2, 3], [2, 3], [2, 1, 3], [1, 3], [1, 3, 2], [1, 2]]);
});

test('at least 100 mutations were tried, clearly more are caught than survive, and every survivor has its reason', () => {
  assert.ok(run.results.length >= 100);
  assert.ok(run.results.length - survivors.length > 1.3 * survivors.length, `${run.results.length - survivors.length} caught, ${survivors.length} survive`);
  assert.deepEqual(survivors.filter((r) => reasonFor(r) === null).map((r) => `${r.file}:${r.line} ${r.how} ${r.text}`), []);
});

test('no reason is kept for a survivor that is none any more', () => {
  const used = new Set(survivors.map(reasonFor));
  assert.deepEqual(REASONS.map((r) => r.reason).filter((reason) => !used.has(reason)), []);
});

test('every litmus test alone notices some mutation, or stands for a row of KERNEL-TRUTH, or says what it is there for', () => {
  assert.deepEqual(standing.filter((s) => s.alone === 0 && s.rows.length === 0 && s.because === null).map((s) => s.litmus), []);
});

test('docs/mutations.md is current', () => {
  assert.equal(readFileSync(join(resolve(import.meta.dirname, '..'), 'docs/mutations.md'), 'utf8'), page, 'run node tools/mutate.ts, or --page where only a reason has changed');
});
