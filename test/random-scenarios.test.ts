/** The thirty scenarios that a generator made and that are kept: they are what the generator gives, and all run on the simulated kernel. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { simulateScenario } from '../src/evidence/simulated-run.ts';
import { profileByName } from '../src/profile/select.ts';
import type { Profile } from '../src/profile/profile.ts';
import { EFFECTS, type Effect } from '../src/scenario/effect.ts';
import { effectsOf } from '../src/scenario/effects-of.ts';
import { inKernelRange } from '../src/scenario/kernel-range.ts';
import { randomText } from '../src/scenario/random.ts';
import { readScenario } from '../src/scenario/read.ts';

const FOLDER = resolve(import.meta.dirname, '../scenarios/random');
const SEEDS = Array.from({ length: 30 }, (_, i) => i + 1);

test('the kept files are what the generator gives for these seeds', () => {
  assert.deepEqual(readdirSync(FOLDER).sort(), SEEDS.map((seed) => `random-${seed}.yaml`).sort());
  for (const seed of SEEDS) assert.equal(readFileSync(resolve(FOLDER, `random-${seed}.yaml`), 'utf8'), randomText(seed), 'run node tools/random-scenarios.ts');
});

test('every random scenario runs to its end on every kernel, the same way twice', async () => {
  const seen = new Set<Effect>();
  for (const seed of SEEDS) {
    const scenario = readScenario(randomText(seed), `random-${seed}`);
    for (const name of ['5.10', '6.1', '6.12', '6.18', '7.2']) {
      const [major = 0, minor = 0] = name.split('.').map(Number);
      if (!inKernelRange(scenario.kernels, { major, minor })) continue;
      const profile = profileByName(name) as Profile;
      const once = await simulateScenario(scenario, profile).catch((error: unknown) => String(error));
      const again = await simulateScenario(scenario, profile).catch((error: unknown) => String(error));
      if (typeof once === 'string' || typeof again === 'string') {
        // A pin that this kernel does not make: the lab cannot bring its guest there either.
        assert.match(String(once), /cannot have pages of a device pinned/);
        continue;
      }
      assert.equal(once.observations.length, scenario.steps.length);
      assert.deepEqual(once.observations, again.observations);
      for (const effect of effectsOf(scenario, once.observations)) seen.add(effect);
    }
  }
  assert.ok(seen.size >= 6 && [...seen].every((effect) => effect in EFFECTS), [...seen].join(', '));
});
