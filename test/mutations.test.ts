/** Mutations: sites are found and rewritten rightly, every survivor has its reason, every litmus test is there for something, the page is current. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { stripTypeScriptTypes } from 'node:module';
import { conditionEdits } from '../src/evidence/mutation-conditions.ts';
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

test('inside a line: a check left out, the branch of the other version, the last page of a range', () => {
  const of = (line: string): string[] => conditionEdits(line).map((s) => `${s.how} ${s.edit.becomes} ${line.slice(s.edit.from, s.edit.to)}`);
  assert.deepEqual(of('  if (a && (b || c)) return -1;'), ['check false a && (b || c)']);
  assert.deepEqual(of("  } else if (k.mechanism('x.y') === true && n > 0) {"), ["check false k.mechanism('x.y') === true && n > 0", "version not k.mechanism('x.y') === true"]);
  assert.deepEqual(of('  for (let pfn = start; pfn < f(end); pfn += 1) {'), ['range less f(end)']);
  assert.deepEqual(of("  if (k.concurrent) yield AT('x');"), []);
  assert.deepEqual(of('  while (held(k)) yield BLOCKED(1);'), []);
  assert.deepEqual(of('  if (a) b(k);'), []);
});

test('a line with several changes is, with one of them in force, the line with that one', () => {
  const text = ["function f(k, n) {", "  if (k.mechanism('m') === 1 || n > 3) return 'early';", '  let sum = 0;', '  for (let i = 0; i < n; i += 1) sum += i;', '  return sum;', '}'].join('\n');
  const sites = mutationSites('f.ts', text);
  assert.deepEqual(sites.map((s) => `${s.line} ${s.how}`), ['2 check', '2 version', '4 range']);
  const made = new Function(`${stripTypeScriptTypes(withMutations(text, sites, 0))}; return f;`)() as (k: unknown, n: number) => unknown;
  const run = (active: number, mechanism: number, n: number): unknown => {
    (globalThis as unknown as Record<string, unknown>)[SWITCH] = { keeps: (id: number) => id !== active };
    return made({ mechanism: () => mechanism }, n);
  };
  assert.deepEqual([run(-1, 1, 2), run(-1, 0, 3), run(0, 1, 3), run(1, 1, 3), run(1, 0, 3), run(2, 0, 3)], ['early', 3, 3, 3, 'early', 1]);
});

test('two statements with a point between them are swapped over it', () => {
  const text = ['function* f(k, out) {', '  yield* k.step(out, 1);', "  if (k.concurrent) yield AT('between');", '  yield* k.step(out, 2);', '}'].join('\n');
  const sites = mutationSites('f.ts', text);
  assert.deepEqual(sites.map((s) => `${s.line} ${s.how} ${s.apart ?? ''}`), ['2 drop ', '2 swap 2', '4 drop ']);
  const made = new Function('AT', `${stripTypeScriptTypes(withMutations(text, sites, 0))}; return f;`)(() => 0) as (k: unknown, out: number[]) => Generator;
  (globalThis as unknown as Record<string, unknown>)[SWITCH] = { keeps: (id: number) => id !== 1 };
  const out: number[] = [];
  for (const _ of made({ step: function* step(o: number[], n: number): Generator { o.push(n); } }, out));
  assert.deepEqual(out, [2, 1]);
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

test('every litmus test alone notices some mutation, or has the measured outcome of a row of KERNEL-TRUTH', () => {
  assert.deepEqual(standing.filter((s) => s.alone === 0 && s.rows.length === 0).map((s) => s.litmus), []);
});

test('docs/mutations.md is current', () => {
  assert.equal(readFileSync(join(resolve(import.meta.dirname, '..'), 'docs/mutations.md'), 'utf8'), page, 'run node tools/mutate.ts, or --page where only a reason has changed');
});
