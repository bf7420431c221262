/**
 * The forecast of each way in which a device goes, against doing it on the twin of each capture under every release: every
 * effect called certain comes, and nothing comes that was not forecast; XFS with and without a reverse map. What
 * is only likely or possible comes too, somewhere, or a reason says why no twin shows it. UNSEAT_EVIDENCE=all takes every
 * release, the sample here three.
 */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { CXL_REMOVALS, UNBIND, type Make, type Removal } from '../src/evidence/what-comes/removals.ts';
import { whatComes } from '../src/evidence/what-comes/trials.ts';
import { openCapture } from '../src/host/capture/open.ts';
import { VM } from '../src/kernel/drivers/virtio/virtio_mem.ts';
import { simulatedHost } from '../src/kernel/host/sim-host.ts';
import type { World } from '../src/kernel/host/world.ts';
import type { Machine } from '../src/machine/machine.ts';
import { forecast } from '../src/plan/forecast/forecast.ts';
import { inventoryFor, optionsOf } from '../src/plan/inventory.ts';
import { profileByName, releaseNames } from '../src/profile/select.ts';
import type { RemovalEvent } from '../src/steps/forecast.ts';
import { readForTwin } from '../src/twin/read.ts';
import { twinOf } from '../src/twin/twin.ts';

const ALL = process.env['UNSEAT_EVIDENCE'] === 'all';

/** A device by the name that a plan is asked for, the event, and how it goes; `leaf` is what is looked at. */
type Going = readonly [device: string, event: RemovalEvent, removal: Removal, leaf?: string];
const { cxlMem, cxlPci, commit, slotPower, button, surprise } = CXL_REMOVALS;
const ofCard = (leaf: string, memdev: string, slot: string): Going[] => [
  [leaf, 'unbind', UNBIND], ['region0', 'unbind', commit, leaf], [memdev, 'unbind', cxlMem, leaf], [memdev, 'unbind', cxlPci, leaf], [slot, 'unbind', slotPower, leaf],
  ...([button, surprise].flatMap((how) => [leaf, 'cxl-region:region0', memdev, slot].map((name): Going => [name, 'pull', how, leaf]))),
];

const CASES: readonly (readonly [capture: string, going: readonly Going[], xfs?: true])[] = [
  ['fsdax-6.1-ext4', [['pmem0', 'unbind', UNBIND]]], ['fsdax-6.12-xfs', [['pmem0', 'unbind', UNBIND]], true], ['fsdax-7.2-ext4', [['pmem0', 'unbind', UNBIND]]],
  ['devdax-holder-none-7.2', [['dax0.0', 'unbind', UNBIND]]], ['devdax-holder-u-7.2', [['dax0.0', 'unbind', UNBIND]]],
  ['sysram-online-movable-plain-6.12', [['dax0.0', 'unbind', UNBIND]]], ['sysram-online-kernel-plain-7.2', [['dax0.0', 'unbind', UNBIND]]], ['mixed-ram-pmem-6.12', [['pmem0', 'unbind', UNBIND]]],
  ['many-namespaces-7.2', [['pmem0', 'unbind', UNBIND], ['pmem0.2', 'unbind', UNBIND], ['dax0.3', 'unbind', UNBIND]]], ['virtio-mem-7.2', [['virtio1', 'unbind', UNBIND]]],
  ['cxl-region-kmem-7.2', ofCard('dax0.0', 'mem0', 'slot:2').map(named)], ['cxl-region-fsdax-7.2', ofCard('pmem0', 'mem1', 'slot:3').map(named)],
];

/** The nd region of a CXL region has its name too. */
function named([device, event, removal, leaf]: Going): Going {
  return [device === 'region0' ? 'cxl-region:region0' : device, event, removal, leaf ?? device];
}

const virtioMemNamed = ({ k, hotplug }: World, name: string): number => {
  const vm = hotplug?.virtioMems.find((v) => v.name === name)?.vm ?? 0;
  return vm === 0 ? 0 : k.heap.load(vm + VM.dev);
};
const deviceNamed = (world: World, name: string): number => virtioMemNamed(world, name) || (world.pmems.find((p) => p.block === name)?.device ?? world.daxes.find((d) => d.name === name)?.device) || 0;

for (const [name, goings, xfs] of CASES) {
  test(`forecasts on the twin of ${name}`, async () => {
    const capture = await openCapture(resolve(import.meta.dirname, `../fixtures/captures/${name}.tar.gz`));
    const machine = readForTwin(capture);
    capture.close();
    const wrong: string[] = [];
    for (const release of ALL ? releaseNames() : ['5.10', '6.12', '7.2']) {
      for (const rmapbt of xfs === true ? [true, false] : [false]) {
        for (const going of goings) wrong.push(...compare(machine, release, rmapbt, going).map((line) => `${release}${xfs === true ? ` rmapbt=${Number(rmapbt)}` : ''}, ${going[0]}, ${going[1]}, ${going[2].name}: ${line}`));
      }
    }
    assert.deepEqual(wrong, []);
  });
}

function compare(machine: Machine, release: string, rmapbt: boolean, [name, event, removal, leaf]: Going): string[] {
  const profile = profileByName(release);
  assert.ok(profile !== null);
  if (twinOf(machine, profile, rmapbt).left.length > 0) return [];
  const make: Make = () => {
    const { world } = twinOf(machine, profile, rmapbt);
    return { world, device: deviceNamed(world, leaf ?? name), removal };
  };
  const inventory = inventoryFor(simulatedHost(make().world), name);
  const forecasts = forecast(inventory.machine, profile, inventory.device, event, optionsOf(inventory)).effects;
  const { effects, returned } = whatComes(make);
  const wrong: string[] = [];
  for (const effect of effects) if (!forecasts.some((f) => f.effect === effect)) wrong.push(`${effect} came and was not forecast`);
  // After a removal that does not come back nothing else can be tried.
  for (const f of forecasts) if (returned && f.certainty === 'certain' && f.effect !== 'clean' && !effects.has(f.effect)) wrong.push(`${f.effect} was certain and did not come (${f.whom})`);
  if (forecasts.some((f) => f.effect === 'clean') && effects.size > 0) wrong.push(`clean was forecast, ${[...effects].join(', ')} came`);
  return wrong;
}
