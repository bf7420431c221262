/** Counterexamples as scenarios: the command makes the committed files again, word for word, and the simulated kernel shows what they say. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { compareRuns } from '../src/evidence/compare-runs.ts';
import { counterexamplesPage, DIFFER } from '../src/evidence/counterexamples.ts';
import { counterexampleScenario } from '../src/evidence/counterexample-scenario.ts';
import { simulateScenario } from '../src/evidence/simulated-run.ts';
import { UnseatError } from '../src/errors/unseat-error.ts';
import { checkLitmus } from '../src/explore/litmus/check.ts';
import { readLitmus } from '../src/explore/litmus/read.ts';
import type { Litmus } from '../src/explore/litmus/schema.ts';
import { toScenario } from '../src/explore/to-scenario/convert.ts';
import { cellKey } from '../src/lab/matrix/store.ts';
import type { Profile } from '../src/profile/profile.ts';
import { profileByName } from '../src/profile/select.ts';
import { parseRelease } from '../src/scenario/kernel-range.ts';
import type { Observation } from '../src/scenario/observation.ts';
import { readScenario } from '../src/scenario/read.ts';
import { verdict } from '../src/scenario/verdict.ts';
import { committed, seen } from '../tools/counterexamples.ts';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'scenarios/counterexamples');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml')).sort();
const litmusNamed = (name: string): Litmus => readLitmus(readFileSync(join(root, `litmus/${name}.yaml`), 'utf8'), name);
const violationsOf = (t: Litmus, profile: Profile) => checkLitmus(t, profile, { now: () => 0, all: true, maxStates: 100_000 }).verdict?.violations ?? [];

const withoutWay = (text: string): string => text.replace(/^((?:#.*\n)*)/, (head) => head.replace(/\n# /g, ' ').replace(/Replay: --replay "[^"]*"\./, ''));

for (const file of files) {
  test(`${file} is what its counterexample gives, and the simulated kernel shows it`, async () => {
    const [, name = '', release = ''] = /^(.*)-on-(\d+-\d+)\.yaml$/.exec(file) ?? [];
    const t = litmusNamed(name);
    const profile = profileByName(release.replace('-', '.')) as Profile;
    const committed = readFileSync(join(folder, file), 'utf8');
    const texts: string[] = [];
    for (const violation of violationsOf(t, profile)) {
      try {
        texts.push((await counterexampleScenario(t, profile, violation)).text);
      } catch (error) {
        if (!(error instanceof UnseatError) || error.code !== 'UNSUPPORTED') throw error;
      }
    }
    // Of several shortest ways a search may name another one next year.
    assert.equal(withoutWay(texts[0] ?? ''), withoutWay(committed), `unseat check ${name} --profile ${profile.name} --to-scenario scenarios/counterexamples/${file}`);
    const scenario = readScenario(committed, file);
    const { observations } = await simulateScenario(scenario, profile);
    assert.deepEqual(verdict(scenario, parseRelease(profile.name) as NonNullable<ReturnType<typeof parseRelease>>, observations), []);
  });
}

test('docs/counterexamples.md is what its tool writes', () => {
  assert.equal(readFileSync(join(root, 'docs/counterexamples.md'), 'utf8'), counterexamplesPage(committed(), seen()), 'node tools/counterexamples.ts');
});

test('at least three counterexamples were seen on real kernels, and each of their facts is what the simulated kernel says', async () => {
  const cells = seen();
  assert.ok(cells.filter((c) => c.status === 'agrees').length >= 3);
  for (const cell of cells) {
    const file = committed().find((f) => f.scenario.scenario === cell.scenario);
    assert.ok(file, `${cell.scenario} has no file`);
    assert.equal(cellKey(file.scenario, cell), cell.key, `${cell.scenario} is not what was run`);
    const { observations } = await simulateScenario(file.scenario, profileByName(file.scenario.kernels) as Profile);
    assert.deepEqual(compareRuns(file.scenario, observations, cell.observations as unknown as Observation[]).map((d) => `${cell.scenario}: ${d.what}: predicted ${d.predicted}, seen ${d.seen}`), (DIFFER[cell.scenario]?.facts ?? []).map((fact) => `${cell.scenario}: ${fact}`));
  }
});

const refusal = (name: string, release: string, kind: string): string => {
  const t = litmusNamed(name);
  const profile = profileByName(release) as Profile;
  const violation = violationsOf(t, profile).find((v) => v.property.startsWith(kind));
  assert.ok(violation, `${name} on ${release} has no ${kind}`);
  try {
    toScenario(t, profile, violation);
  } catch (error) {
    if (error instanceof UnseatError) return `${error.code} ${error.message} ${error.facts.cause ?? ''}`;
    throw error;
  }
  return 'made';
};

test('what user space cannot force or see is refused, and the answer says what had to overlap', () => {
  assert.match(refusal('fsdax-fault-unbind', '7.2', 'oops'), /^UNSUPPORTED .*interleaving inside kernel paths.* these ran at the same time: .*"unbind pmem0" and "read h"/);
  assert.match(refusal('devdax-pin-kept', '7.2', 'pin-without-page'), /nothing outside the kernel shows "pin-without-page"/);
  assert.match(refusal('gup-put-unbind', '7.2', 'oops'), /"p = gup h" is nothing that a program or an operator can make/);
});

test('lines that overlapped are put in an order that comes to the same', () => {
  const t = litmusNamed('fsdax-fault-unbind');
  const profile = profileByName('7.2') as Profile;
  const violation = violationsOf(t, profile).find((v) => v.property === 'stale-mapping');
  assert.ok(violation);
  const { about, scenario } = toScenario(t, profile, violation);
  assert.ok(about.some((line) => line.includes('coarse order')), about.join('\n'));
  assert.deepEqual(scenario.steps.map((s) => s.verb), ['read', 'unbind', 'read']);
});

test('lines that did not overlap keep the order of the counterexample', () => {
  const t = litmusNamed('devdax-rebind');
  const profile = profileByName('7.2') as Profile;
  const [violation] = violationsOf(t, profile);
  assert.ok(violation);
  assert.deepEqual(toScenario(t, profile, violation).scenario.steps.map((s) => s.verb), ['unbind', 'bind', 'start', 'read']);
});
