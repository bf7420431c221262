/** The litmus library: the quick part of it is run, its pinned verdicts must hold, and the generated pages must be up to date. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { UnseatError } from '../src/errors/unseat-error.ts';
import { buildLitmus } from '../src/explore/litmus/build.ts';
import { checkLitmus, expected } from '../src/explore/litmus/check.ts';
import { litmusJsonSchema } from '../src/explore/litmus/json-schema.ts';
import { readLitmus } from '../src/explore/litmus/read.ts';
import type { Litmus } from '../src/explore/litmus/schema.ts';
import { parseSchedule, replay } from '../src/explore/replay.ts';
import { html } from '../src/explore/trace/html.ts';
import { itf } from '../src/explore/trace/itf.ts';
import { mermaid } from '../src/explore/trace/mermaid.ts';
import { perfetto } from '../src/explore/trace/perfetto.ts';
import { traceRows } from '../src/explore/trace/rows.ts';
import { RELEASES } from '../src/profile/releases/index.ts';
import { profileByName } from '../src/profile/select.ts';

const root = resolve(import.meta.dirname, '..');
const files = readdirSync(join(root, 'litmus')).filter((name) => name.endsWith('.yaml')).sort();
const texts = files.map((name) => readFileSync(join(root, 'litmus', name), 'utf8'));
const tests = texts.map((text, i) => readLitmus(text, files[i] as string));
const named = (name: string): Litmus => tests.find((t) => t.litmus === name) as Litmus;
let clock = 0;
const options = { now: (): number => (clock += 1), all: true, maxStates: 100_000 };
/** Few of each kind by default; all profiles in the table that tools/litmus-table.ts writes. */
const CORE = ['5.10', '6.12', '7.2'];

test('a test is named as its file is, says what it expects of every profile it is for, and names profiles that exist', () => {
  for (const [i, t] of tests.entries()) {
    assert.equal(`${t.litmus}.yaml`, files[i]);
    for (const name of t.profiles ?? RELEASES.map((p) => p.name)) {
      assert.notEqual(profileByName(name), null, `${t.litmus}: ${name}`);
      assert.notEqual(expected(t, name), null, `${t.litmus} says nothing of ${name}`);
    }
    assert.ok(t.truth !== undefined || t.source !== undefined, `${t.litmus} does not say where its verdicts come from`);
  }
  assert.ok(tests.length >= 40);
});

test('pinned verdicts hold on three generations, every violation looked for', () => {
  const wrong: string[] = [];
  for (const t of tests) {
    for (const name of (t.profiles ?? CORE).filter((p) => CORE.includes(p) || p.startsWith('proposal:'))) {
      const r = checkLitmus(t, profileByName(name) as NonNullable<ReturnType<typeof profileByName>>, options);
      if (r.asExpected !== true) wrong.push(`${t.litmus} on ${name}: ${r.status} ${r.violated.join(', ')} (${r.says})`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('the reduction changes neither a verdict nor the length of a shortest counterexample; what is remembered is what is so', () => {
  for (const t of tests) {
    const profile = profileByName((t.profiles ?? ['6.12'])[0] as string) as NonNullable<ReturnType<typeof profileByName>>;
    const reduced = checkLitmus(t, profile, { ...options, all: false });
    // Every step, key and answer that is found again is made anew beside it.
    const full = checkLitmus(t, profile, { ...options, all: false, reduce: false, selfCheck: 1 });
    assert.equal(reduced.status, full.status, t.litmus);
    assert.equal(reduced.verdict?.violations[0]?.trace.length, full.verdict?.violations[0]?.trace.length, t.litmus);
  }
});

test('a counterexample replays to the same steps, and is drawn in every form', () => {
  const t = named('fsdax-fault-unbind');
  const profile = RELEASES.at(-2) as (typeof RELEASES)[number];
  const [violation] = checkLitmus(t, profile, { ...options, all: false }).verdict?.violations ?? [];
  assert.ok(violation);
  const program = buildLitmus(t, profile);
  assert.deepEqual(replay(program, parseSchedule(violation.schedule, 2)).trace, violation.trace);
  const rows = traceRows(violation);
  assert.match(mermaid('t', rows), /^sequenceDiagram\n/);
  assert.match(html('a<b', 'x', violation.schedule, rows), /<h1>a&lt;b<\/h1>/);
  assert.equal((perfetto('t', rows) as { traceEvents: { ph: string }[] }).traceEvents.filter((e) => e.ph === 'X').length, violation.trace.length);
  assert.equal((itf('t', violation) as { states: unknown[] }).states.length, violation.trace.length + 1);
});

test('a schedule that cannot be run is refused by its step', () => {
  const program = buildLitmus(named('devdax-pin-kept'), RELEASES[1] as (typeof RELEASES)[number]);
  assert.throws(() => replay(program, parseSchedule('0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0', 1)), (e: unknown) => e instanceof UnseatError && /^step \d+ cannot be made: remover/.test(e.message));
  assert.throws(() => parseSchedule('0 7', 2), /no schedule/);
});

const GOOD = texts[files.indexOf('fsdax-fault-unbind.yaml')] as string;
const complaint = (text: string): string => {
  try {
    readLitmus(text, 'x.yaml');
  } catch (error) {
    if (error instanceof UnseatError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'nothing';
};

test('mistakes are told with their line', () => {
  assert.match(complaint(GOOD.replace('unbind pmem0', 'unbnd pmem0')), /^BAD_SCENARIO line 1\d, threads\.remover\[0\]: there is no operation unbnd/);
  assert.match(complaint(GOOD.replace('[stale-mapping]\nsometimes', '[stale-maping]\nsometimes')), /there is no predicate stale-maping/);
  assert.match(complaint(GOOD.replace('maps: f', 'maps: nofile')), /there is no file or device nofile/);
  assert.match(complaint(GOOD.replace('fs: ext4', 'fs: btrfs')), /^BAD_SCENARIO line \d/);
  assert.match(complaint(`${GOOD}\nextra: 1\n`), /Unrecognized key/);
  assert.match(complaint('litmus: [x'), /not YAML/);
});

test('names that only set-up can check are refused when the machine is built', () => {
  const build = (text: string): unknown => buildLitmus(readLitmus(text, 'x.yaml'), RELEASES[1] as (typeof RELEASES)[number]);
  assert.throws(() => build(GOOD.replace('unbind pmem0', 'unbind nothere')), /there is no device nothere/);
  assert.throws(() => build(GOOD.replace('read h', 'read h page=9')), /maps 1 pages/);
  assert.throws(() => build(GOOD.replace('  pmem:\n', '  mechanisms: { no.such: true }\n  pmem:\n')), /there is no mechanism no\.such/);
});

test('a finally line that is asked in no state is told, and no verdict is as expected then', () => {
  // The driver of virtio-mem looks again and again at what it could not give back: somebody can always go on.
  const text = texts[files.indexOf('virtio-mem-shrink.yaml')] as string;
  const check = (lines: string, all: boolean): string => {
    const r = checkLitmus(readLitmus(text.replace('expect:\n  default: ok', lines), 'x.yaml'), profileByName('6.12') as NonNullable<ReturnType<typeof profileByName>>, { ...options, all });
    return `${r.status} ${r.asExpected}: ${r.says}`;
  };
  const asked = 'never asked, since in every state somebody can go on: finally block-absent ram0';
  for (const all of [true, false]) assert.equal(check('finally: [block-absent ram0]\nexpect:\n  default: ok', all), `vacuous false: ${asked}`);
  const wrong = 'never: [block-absent ram0]\nfinally: [block-absent ram0]\nexpect:\n  default: [block-absent ram0]';
  assert.equal(check(wrong, true), `violated false: block-absent ram0; ${asked}`);
  assert.equal(check(wrong, false), 'violated true: block-absent ram0');
});

test('schema/litmus.json is what the schema says', () => {
  assert.equal(readFileSync(join(root, 'schema/litmus.json'), 'utf8'), `${JSON.stringify(litmusJsonSchema(), null, 1)}\n`);
});

test('docs/litmus-table.md was made from these files, and nothing in it is unexpected', () => {
  const table = readFileSync(join(root, 'docs/litmus-table.md'), 'utf8');
  assert.ok(table.includes(`sources ${createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 16)}`), 'run tools/litmus-table.ts');
  assert.ok(!table.includes('NOT EXPECTED'));
  for (const t of tests) assert.ok(table.includes(`[${t.litmus}]`));
});
