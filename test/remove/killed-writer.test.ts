/** A page in a pipe keeps System RAM from leaving: the engine's writer is killed at its deadline, and all is as before. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { isMissing } from '../../src/host/fact.ts';
import { simulatedHost } from '../../src/kernel/host/sim-host.ts';
import { buildScenario } from '../../src/kernel/scenario/build.ts';
import { inventoryFor, optionsOf } from '../../src/plan/inventory.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { profileByName } from '../../src/profile/select.ts';
import { remove } from '../../src/remove/engine/run.ts';
import { readScenario } from '../../src/scenario/read.ts';

const TEXT = readFileSync(resolve(import.meta.dirname, '../../scenarios/kmem-offline-pinned.yaml'), 'utf8');

for (const [kernel, file] of [['7.3', /dax0\.0\/state/], ['7.2', /memory3\d/], ['5.10', /memory3\d/]] as const) {
  test(`${kernel}: unseat remove of System RAM with a pin is called off at the deadline, and nothing has changed`, async () => {
    const profile = profileByName(kernel);
    assert.ok(profile !== null);
    const { world } = buildScenario(readScenario(TEXT, 'kmem-offline-pinned'), profile);
    const host = simulatedHost(world);
    const blocks = (): string[] => [33, 34, 35].map((id) => {
      const state = host.files.text(`/sys/devices/system/memory/memory${id}/state`);
      return isMissing(state) ? 'gone' : state;
    });
    const before = [blocks(), host.files.text('/proc/iomem')];
    const { machine, device, ...inventory } = inventoryFor(host, 'dax0.0');
    const plan = makePlan(machine, device, optionsOf({ machine, device, ...inventory }), { profile, exact: true, says: '', overridden: [] });
    const way = plan.ways.find((w) => w.way === 'graceful');
    assert.ok(way !== undefined);
    const record = await remove(host, plan, { ...way, possible: true, blockers: [] }, []);
    assert.equal(record.status, 'called-off', JSON.stringify(record.steps));
    assert.match(JSON.stringify(record.steps), file);
    assert.match(record.steps.at(-1)?.says ?? '', /ETIMEDOUT|killed|deadline|online/);
    assert.deepEqual([blocks(), host.files.text('/proc/iomem')], before);
  });
}
