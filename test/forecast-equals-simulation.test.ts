/**
 * The forecast of each way in which a device goes, against doing it on the twin of each capture under every release and proposed design: every
 * effect called certain comes, and nothing comes that was not forecast; XFS with and without a reverse map. What
 * is only likely or possible comes too, somewhere, or a reason says why no twin shows it. UNSEAT_EVIDENCE=all takes every
 * release and design, the sample here a few.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { CXL_REMOVALS, UNBIND, type Make, type Removal } from '../src/evidence/what-comes/removals.ts';
import { whatComes, type Outcome } from '../src/evidence/what-comes/trials.ts';
import { openCapture } from '../src/host/capture/open.ts';
import { VM } from '../src/kernel/drivers/virtio/virtio_mem.ts';
import { simulatedHost } from '../src/kernel/host/sim-host.ts';
import type { World } from '../src/kernel/host/world.ts';
import { mmOf, vmasOf, vmaStart } from '../src/kernel/mm/mm_struct.ts';
import { PIN_KINDS, pinPages } from '../src/kernel/mm/pin-holders.ts';
import { stateStore } from '../src/kernel/drivers/base/block-state.ts';
import { blocksIn, blockState, MEM, memoryBlocks } from '../src/kernel/drivers/base/memory.ts';
import { devDaxRanges } from '../src/kernel/drivers/dax/dev_dax.ts';
import { exitTask } from '../src/kernel/mm/exit.ts';
import { MMOP } from '../src/kernel/mm/memory_hotplug/hotplug.ts';
import { must, run } from '../src/kernel/setup/run.ts';
import { hostUnplugRefused, requestSize } from '../src/kernel/setup/virtio-mem.ts';
import { eachTask } from '../src/kernel/task.ts';
import type { Machine } from '../src/machine/machine.ts';
import { forecast } from '../src/plan/forecast/forecast.ts';
import { inventoryFor, optionsOf } from '../src/plan/inventory.ts';
import { valueOf } from '../src/profile/build.ts';
import { profileByName, profileNames, releaseNames } from '../src/profile/select.ts';
import { readScenario } from '../src/scenario/read.ts';
import { buildScenario } from '../src/kernel/scenario/build.ts';
import type { Forecast, RemovalEvent } from '../src/steps/forecast.ts';
import { readForTwin } from '../src/twin/read.ts';
import { twinOf } from '../src/twin/twin.ts';

const ALL = process.env['UNSEAT_EVIDENCE'] === 'all';

/** On this twin the sample takes the proposed designs of its own removal too. */
const DESIGNS_IN_SAMPLE = ['fsdax-6.1-ext4'];
const isDesign = (name: string): boolean => /dev-pagemap-failure|corrupt-range|-walk|removal-/.test(name);

/** A device by the name that a plan is asked for, the event, and how it goes; `leaf` is what is looked at. */
type Going = readonly [device: string, event: RemovalEvent, removal: Removal, leaf?: string, unseen?: (world: World) => void];
const { cxlMem, cxlPci, commit, slotPower, button, surprise } = CXL_REMOVALS;
const ofCard = (leaf: string, memdev: string, slot: string): Going[] => [
  [leaf, 'unbind', UNBIND], ['region0', 'unbind', commit, leaf], [memdev, 'unbind', cxlMem, leaf], [memdev, 'unbind', cxlPci, leaf], [slot, 'unbind', slotPower, leaf],
  ...([button, surprise].flatMap((how) => [leaf, 'cxl-region:region0', memdev, slot].map((name): Going => [name, 'pull', how, leaf]))),
];

const CASES: readonly (readonly [capture: string, going: readonly Going[], xfs?: true])[] = [
  ['fsdax-6.1-ext4', [['pmem0', 'unbind', UNBIND]]], ['fsdax-6.12-xfs', [['pmem0', 'unbind', UNBIND]], true], ['fsdax-7.2-ext4', [['pmem0', 'unbind', UNBIND], ['region0', 'unbind', UNBIND, 'pmem0']]],
  ['devdax-holder-none-7.2', [['dax0.0', 'unbind', UNBIND], ['dax0.0', 'unbind', UNBIND, 'dax0.0', spliced]]], ['devdax-holder-u-7.2', [['dax0.0', 'unbind', UNBIND]]],
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

/** What no twin that is run straight shows, and why. */
const UNSHOWN: ReadonlyMap<string, string> = new Map([
  ['stale-mapping: a running reader with 4 KiB mappings faults its pages in again between the notification and the death of the device', 'a race: litmus/xfs-refault.yaml explores it'],
]);

/** Effects that were forecast as likely or possible, and whether they ever came. */
const perhaps = new Map<string, boolean>();

/** A page of the first holder's first mapping goes into a pipe. */
function spliced({ k }: World): void {
  for (const task of eachTask(k)) {
    const [vma] = mmOf(k, task) === 0 ? [] : vmasOf(k, mmOf(k, task));
    if (vma !== undefined) must(k, pinPages(k, task, PIN_KINDS.indexOf('vmsplice'), vmaStart(k, vma), 16), 'vmsplice');
  }
}

/** Blocks go offline, the host takes its memory back, holders end and mounts go: then a removal is clean. */
function prepared(world: World): void {
  const { k } = world;
  for (const task of [...eachTask(k)]) run(k, exitTask(k, task), task);
  for (const m of world.mounts.all().reverse()) run(k, world.mounts.unmount(m.namespace, m.point));
  for (const { vm } of world.hotplug?.virtioMems ?? []) requestSize(k, vm, 0);
  for (const d of world.daxes) for (const r of devDaxRanges(k, d.device)) for (const id of blocksIn(k, r.start, r.end - r.start)) if (memoryBlocks(k).find(id) !== 0 && blockState(k, id) === MEM.online) must(k, stateStore(k, id, MMOP.offline, 0), `memory${id} offline`);
}

for (const [name, goings] of CASES) {
  test(`clean on the twin of ${name}, once nobody holds anything`, async () => {
    const capture = await openCapture(resolve(import.meta.dirname, `../fixtures/captures/${name}.tar.gz`));
    const machine = readForTwin(capture);
    capture.close();
    const wrong: string[] = [];
    for (const release of ALL ? releaseNames() : ['7.2']) {
      const profile = profileByName(release);
      assert.ok(profile !== null);
      if (twinOf(machine, profile).left.length > 0) continue;
      for (const [device, event, removal, leaf, unseen] of goings) {
        // A kernel page keeps its block; 5.2's kmem gives nothing back.
        if (unseen !== undefined || event !== 'unbind' || name.startsWith('sysram-online-kernel') || (release === '5.2' && name.startsWith('sysram'))) continue;
        const make = (): ReturnType<Make> => {
          const { world } = twinOf(machine, profile);
          prepared(world);
          return { world, device: deviceNamed(world, leaf ?? device), removal };
        };
        const inventory = inventoryFor(simulatedHost(make().world), device);
        const says = forecast(inventory.machine, profile, inventory.device, event, optionsOf(inventory)).effects.map((f) => f.effect);
        const { effects } = whatComes(make);
        if (says.join() !== 'clean' || effects.size > 0) wrong.push(`${release}, ${device}, ${removal.name}: forecast ${says.join(', ')}; came ${[...effects].join(', ')}`);
      }
    }
    assert.deepEqual(wrong, []);
  });
}

for (const [name, goings, xfs] of CASES) {
  test(`forecasts on the twin of ${name}`, async () => {
    const capture = await openCapture(resolve(import.meta.dirname, `../fixtures/captures/${name}.tar.gz`));
    const machine = readForTwin(capture);
    capture.close();
    const wrong: string[] = [];
    for (const release of ALL ? profileNames() : ['5.10', ...(name.startsWith('cxl') ? [] : ['6.12']), '7.2', ...(DESIGNS_IN_SAMPLE.includes(name) ? profileNames().filter(isDesign) : [])]) {
      for (const rmapbt of xfs === true ? [true, false] : [false]) {
        for (const going of goings) wrong.push(...compare(machine, release, rmapbt, going).map((line) => `${release}${xfs === true ? ` rmapbt=${Number(rmapbt)}` : ''}, ${going[0]}, ${going[1]}, ${going[2].name}: ${line}`));
      }
    }
    assert.deepEqual(wrong, []);
  });
}

function compare(machine: Machine, release: string, rmapbt: boolean, [name, event, removal, leaf, unseen]: Going): string[] {
  const profile = profileByName(release);
  assert.ok(profile !== null);
  if (twinOf(machine, profile, rmapbt).left.length > 0) return [];
  // The driver of a memdev is cxl_mem; where its remove may refuse, that of cxl_pci is another matter.
  if (removal === cxlPci && valueOf(profile, 'bus.unbind-can-fail')) return [];
  const make: Make = () => {
    const { world } = twinOf(machine, profile, rmapbt);
    unseen?.(world);
    return { world, device: deviceNamed(world, leaf ?? name), removal };
  };
  // The forecast is made without what no file shows.
  const inventory = inventoryFor(simulatedHost(twinOf(machine, profile, rmapbt).world), name);
  const forecasts = forecast(inventory.machine, profile, inventory.device, event, optionsOf(inventory)).effects;
  return differences(forecasts, whatComes(make));
}

function differences(forecasts: Forecast['effects'], { effects, returned }: Outcome): string[] {
  const wrong: string[] = [];
  for (const effect of effects) if (!forecasts.some((f) => f.effect === effect)) wrong.push(`${effect} came and was not forecast`);
  // After a removal that does not come back nothing else can be tried.
  for (const f of forecasts) if (returned && f.certainty === 'certain' && f.effect !== 'clean' && !effects.has(f.effect)) wrong.push(`${f.effect} was certain and did not come (${f.whom})`);
  for (const f of forecasts) {
    const came = f.effect === 'clean' ? effects.size === 0 : effects.has(f.effect);
    if (f.certainty !== 'certain' || came) perhaps.set(`${f.effect}: ${f.because}`, (perhaps.get(`${f.effect}: ${f.because}`) ?? false) || came);
  }
  if (forecasts.some((f) => f.effect === 'clean') && effects.size > 0) wrong.push(`clean was forecast, ${[...effects].join(', ')} came`);
  return wrong;
}

test('a pull of virtio-mem: the host refuses while memory is plugged, as forecast, and not afterwards', async () => {
  const capture = await openCapture(resolve(import.meta.dirname, '../fixtures/captures/virtio-mem-7.2.tar.gz'));
  const machine = readForTwin(capture);
  capture.close();
  for (const release of ['5.10', '6.1', '7.2']) {
    const profile = profileByName(release);
    assert.ok(profile !== null);
    for (const plugged of [true, false]) {
      const { world } = twinOf(machine, profile);
      if (!plugged) prepared(world);
      const inventory = inventoryFor(simulatedHost(world), 'virtio1');
      const says: string[] = forecast(inventory.machine, profile, inventory.device, 'pull', optionsOf(inventory)).effects.map((f) => f.effect);
      const refused = world.hotplug?.virtioMems.some(({ vm }) => hostUnplugRefused(world.k, vm)) ?? false;
      assert.deepEqual([says, refused], [[plugged ? 'veto' : 'clean'], plugged], release);
    }
  }
});

/** A scenario's machine, the disk, and what the sample takes of the releases. */
const MADE: readonly (readonly [scenario: string, block: string, sample?: readonly string[]])[] = [
  ['remove-btt', 'pmem0s'], ['swap-unbind', 'pmem0'], ['truth-a-swap', 'pmem0'], ['namespaces-one-section-exit', 'pmem0.1'], ['fsdax-xfs-rmapbt', 'pmem0'], ['fsdax-xfs-plain', 'pmem0'],
  ['fsdax-xfs-idle', 'pmem0', ['5.10', '6.1', '7.2']], ['truth-a-unbound-unlinked', 'pmem0', ['5.10', '6.12', '7.2']], ['truth-a-xfs-last-group', 'pmem0', ['6.12', '7.2']],
];

for (const [scenario, block, sample = ['6.1', '7.2']] of MADE) {
  test(`forecast of ${block} of scenario ${scenario} under ${ALL ? 'every release' : sample.join(', ')}`, () => {
    const spec = readScenario(readFileSync(resolve(import.meta.dirname, `../scenarios/${scenario}.yaml`), 'utf8'), scenario);
    // A section of 5.2 takes one device.
    const wrong = (ALL ? releaseNames() : sample).filter((release) => release !== '5.2' || !scenario.startsWith('namespaces')).flatMap((release) => {
      const profile = profileByName(release);
      assert.ok(profile !== null);
      const make = (): ReturnType<Make> => {
        const { world } = buildScenario(spec, profile);
        return { world, device: deviceNamed(world, block), removal: UNBIND };
      };
      const inventory = inventoryFor(simulatedHost(make().world), block);
      return differences(forecast(inventory.machine, profile, inventory.device, 'unbind', optionsOf(inventory)).effects, whatComes(make)).map((line) => `${release}: ${line}`);
    });
    assert.deepEqual(wrong, []);
  });
}

test('what is likely or possible came somewhere', () => {
  assert.deepEqual([...perhaps].filter(([, came]) => !came).map(([what]) => what), [...UNSHOWN.keys()]);
});
