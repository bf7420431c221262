/**
 * The forecast of a bare unbind against doing it: every effect called certain comes, and nothing comes that was not
 * forecast; for the twin of every capture under every release, and XFS with and without a reverse map.
 */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { whatComes } from '../src/evidence/what-comes.ts';
import { openCapture } from '../src/host/capture/open.ts';
import { VM } from '../src/kernel/drivers/virtio/virtio_mem.ts';
import { simulatedHost } from '../src/kernel/host/sim-host.ts';
import type { World } from '../src/kernel/host/world.ts';
import { inventoryFor, optionsOf } from '../src/plan/inventory.ts';
import { makePlan } from '../src/plan/make-plan.ts';
import { profileByName, releaseNames } from '../src/profile/select.ts';
import { readForTwin } from '../src/twin/read.ts';
import { twinOf } from '../src/twin/twin.ts';

const CAPTURES: readonly (readonly [capture: string, device: string, xfs?: true])[] = [
  ['fsdax-6.1-ext4', 'pmem0'], ['fsdax-6.12-xfs', 'pmem0', true], ['fsdax-7.2-ext4', 'pmem0'], ['devdax-holder-none-7.2', 'dax0.0'], ['devdax-holder-u-7.2', 'dax0.0'],
  ['sysram-online-movable-plain-6.12', 'dax0.0'], ['sysram-online-kernel-plain-7.2', 'dax0.0'], ['mixed-ram-pmem-6.12', 'pmem0'],
  ['many-namespaces-7.2', 'pmem0'], ['many-namespaces-7.2', 'pmem0.2'], ['many-namespaces-7.2', 'dax0.3'], ['virtio-mem-7.2', 'virtio1'],
];

const virtioMemNamed = ({ k, hotplug }: World, name: string): number => {
  const vm = hotplug?.virtioMems.find((v) => v.name === name)?.vm ?? 0;
  return vm === 0 ? 0 : k.heap.load(vm + VM.dev);
};
const deviceNamed = (world: World, name: string): number => virtioMemNamed(world, name) || (world.pmems.find((p) => p.block === name)?.device ?? world.daxes.find((d) => d.name === name)?.device) || 0;

for (const [name, device, xfs] of CAPTURES) {
  test(`forecast of ${device} on the twin of ${name}`, async () => {
    const capture = await openCapture(resolve(import.meta.dirname, `../fixtures/captures/${name}.tar.gz`));
    const machine = readForTwin(capture);
    capture.close();
    const wrong: string[] = [];
    for (const release of releaseNames()) {
      const profile = profileByName(release);
      assert.ok(profile !== null);
      for (const rmapbt of xfs === true ? [true, false] : [false]) {
        const make = (): { world: World; device: number } => {
          const { world } = twinOf(machine, profile, rmapbt);
          return { world, device: deviceNamed(world, device) };
        };
        if (twinOf(machine, profile, rmapbt).left.length > 0) continue;
        const inventory = inventoryFor(simulatedHost(make().world), device);
        const plan = makePlan(inventory.machine, inventory.device, optionsOf(inventory), { profile, exact: true, says: '', overridden: [] });
        const forecast = plan.forecasts.find((f) => f.event === 'unbind')?.effects ?? [];
        const { effects, returned } = whatComes(make);
        const what = `${release}${xfs === true ? ` rmapbt=${Number(rmapbt)}` : ''}`;
        for (const effect of effects) if (!forecast.some((f) => f.effect === effect)) wrong.push(`${what}: ${effect} came and was not forecast`);
        // After an unbind that does not come back nothing else can be tried.
        for (const f of forecast) if (returned && f.certainty === 'certain' && f.effect !== 'clean' && !effects.has(f.effect)) wrong.push(`${what}: ${f.effect} was certain and did not come (${f.whom})`);
        if (forecast.some((f) => f.effect === 'clean') && effects.size > 0) wrong.push(`${what}: clean was forecast, ${[...effects].join(', ')} came`);
      }
    }
    assert.deepEqual(wrong, []);
  });
}
