/** Every scenario on every kernel it is for, on the simulated kernel: what it expects is what comes. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { UnseatError } from '../src/errors/unseat-error.ts';
import { simulateScenario } from '../src/evidence/simulated-run.ts';
import { profileByName } from '../src/profile/select.ts';
import type { Profile } from '../src/profile/profile.ts';
import { inKernelRange } from '../src/scenario/kernel-range.ts';
import { readScenario } from '../src/scenario/read.ts';
import { verdict } from '../src/scenario/verdict.ts';

const FOLDER = resolve(import.meta.dirname, '../scenarios');
/** Kernels that scenarios speak of: those that were run. */
const KERNELS = ['5.10', '6.1', '6.12', '6.18', '7.2'];

/** Of the lab alone: the simulated machine lacks what they need. Any other scenario must run here, and these must not. */
const LAB_ONLY = ['truth-a-notify-busy', 'truth-b-block-reserved', 'truth-b-kmem-normal', 'truth-b-virtio-mem-rmmod'];

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'))) {
  const scenario = readScenario(readFileSync(join(FOLDER, file), 'utf8'), file);
  test(`${scenario.clauses.join(', ')}: scenario ${scenario.scenario} on the simulated kernel`, async () => {
    let ran = 0;
    for (const name of KERNELS) {
      const [major = 0, minor = 0] = name.split('.').map(Number);
      const release = { major, minor };
      if (!inKernelRange(scenario.kernels, release)) continue;
      const profile = profileByName(name) as Profile;
      if (LAB_ONLY.includes(scenario.scenario)) {
        await assert.rejects(simulateScenario(scenario, profile), (error) => error instanceof UnseatError && error.code === 'UNSUPPORTED');
        ran += 1;
        continue;
      }
      const { observations } = await simulateScenario(scenario, profile);
      assert.deepEqual(verdict(scenario, release, observations), [], `${scenario.scenario} on ${name}: ${observations.map((o) => `${o.verb} ${o.subject} ${o.ending}`).join('; ')}`);
      assert.equal(observations.filter((o) => o.ending === 'not-available').length, 0, `${scenario.scenario} on ${name}: ${JSON.stringify(observations.filter((o) => o.ending === 'not-available'))}`);
      ran += 1;
    }
    assert.ok(ran > 0, 'no kernel');
  });
}
