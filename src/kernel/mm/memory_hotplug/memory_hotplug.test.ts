import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Profile } from '../../../profile/profile.ts';
import { RELEASES } from '../../../profile/releases/index.ts';
import { GiB, MiB } from '../../../range/units.ts';
import { blockOnline, stateStore, validZones } from '../../drivers/base/block-state.ts';
import { blockNid, blockState, MEM, memoryBlocks } from '../../drivers/base/memory.ts';
import { EBUSY, EEXIST, EINVAL } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { KernelOops } from '../../oops.ts';
import { iomemText } from '../../resource.ts';
import { bootMachine, type MachineInput } from '../../setup/boot-machine.ts';
import { runStraight } from '../../state/path.ts';
import { brokenInvariants, traceOf } from '../invariants.ts';
import { memoryFailureRam } from '../memory_failure_ram.ts';
import { MEMORY_DEVICE, memremapPages, memunmapPages } from '../memremap.ts';
import { allocContigKernel, freeKernel } from '../page_alloc.ts';
import { memmapPresent, pageFlags, PAGE, pageLoad, TYPE } from '../page.ts';
import { memmapBacking } from '../sparse-vmemmap.ts';
import { userAlloc, userFolios, userPfn } from '../ram-user.ts';
import { addMemory, MHP } from './add.ts';
import { MMOP } from './hotplug.ts';
import { offlineAndRemoveMemory, removeMemory } from './remove.ts';

const MODERN = ['5.10', '6.1', '6.12', '7.2'];
const profileOf = (name: string): Profile => RELEASES.find((p) => p.name === name)!;
const boot = (name: string, over: Partial<MachineInput> = {}): Kernel => bootMachine({ profile: profileOf(name), ram: [{ start: 0, end: GiB, nid: 0 }], ...over });
const START = 4 * GiB;
const PFN = START / 4096;
const BLOCK = 32;
const add = (k: Kernel, blocks: number, flags: number = MHP.none, nid = 1): number => runStraight(addMemory(k, nid, START, blocks * 128 * MiB, flags));
const offline = (k: Kernel, id: number): number => runStraight(stateStore(k, id, MMOP.offline, 0));
const poisonAll = (k: Kernel, pages: number): void => {
  for (let pfn = PFN; pfn < PFN + pages; pfn += 1) memoryFailureRam(k, pfn);
};

test('6a: memory_failure of the whole range first, in ZONE_MOVABLE: offline and remove succeed, users have lost their pages', () => {
  for (const name of MODERN) {
    const k = boot(name);
    const iomem = iomemText(k);
    add(k, 1);
    runStraight(blockOnline(k, BLOCK, MMOP.onlineMovable));
    const user = userAlloc(k, { name: 'h', kind: 'anon', nid: 1, folios: 4, order: 9, thisNode: true });
    poisonAll(k, 32768);
    assert.equal(offline(k, BLOCK), 0, name);
    assert.equal(runStraight(removeMemory(k, START, 128 * MiB)), 0);
    assert.equal(iomemText(k), iomem);
    for (let slot = 0; slot < userFolios(k, user); slot += 1) assert.equal(userPfn(k, user, slot), -1);
  }
});

test('6a: the same in ZONE_NORMAL with kernel pages: poison makes them pass, and the kernel goes on using what is gone', () => {
  for (const name of MODERN) {
    const k = boot(name);
    add(k, 1);
    runStraight(blockOnline(k, BLOCK, MMOP.onlineKernel));
    const slab = allocContigKernel(k, 1, 1, TYPE.slab);
    assert.ok(slab >= PFN);
    assert.equal(offline(k, BLOCK), -EBUSY);
    memoryFailureRam(k, slab);
    assert.ok(k.log.has('unhandlable page: Ignored'));
    poisonAll(k, 32768);
    assert.equal(offline(k, BLOCK), 0, name);
    assert.equal(runStraight(removeMemory(k, START, 128 * MiB)), 0);
    assert.throws(() => freeKernel(k, slab, 1), (e: unknown) => e instanceof KernelOops && e.kind === 'page-fault');
  }
});

test('6a: a node that only the memory kept online goes with it, one with CPUs stays', () => {
  for (const [cpuNodes, stays] of [[[0], false], [[0, 1], true]] as const) {
    const k = boot('7.2', { cpuNodes });
    add(k, 1);
    assert.equal(k.zones.nodeOnline(1), true);
    runStraight(removeMemory(k, START, 128 * MiB));
    assert.equal(k.zones.nodeOnline(1), stays);
  }
});

test('6a: memory where something is already: EEXIST, and a node that cannot be: EINVAL, no trace of either', () => {
  const k = boot('7.2');
  const before = traceOf(k);
  assert.equal(runStraight(addMemory(k, 0, 512 * MiB, 128 * MiB, 0)), -EEXIST);
  assert.equal(runStraight(addMemory(k, 99, START, 128 * MiB, 0)), -EINVAL);
  assert.equal(traceOf(k), before);
});

test('6a: offline_and_remove_memory puts every block back as it was when one refuses', () => {
  for (const name of MODERN) {
    const k = boot(name);
    add(k, 3);
    runStraight(blockOnline(k, BLOCK, MMOP.onlineMovable));
    runStraight(blockOnline(k, BLOCK + 2, MMOP.onlineKernel));
    const slab = allocContigKernel(k, 1, 1, TYPE.slab);
    assert.ok(slab >= PFN + 65536);
    assert.equal(runStraight(offlineAndRemoveMemory(k, START, 384 * MiB, 0)), -EBUSY);
    assert.deepEqual([0, 1, 2].map((i) => blockState(k, BLOCK + i)), [MEM.online, MEM.offline, MEM.online]);
    assert.equal(validZones(k, BLOCK), 'Movable');
    freeKernel(k, slab, 1);
    assert.equal(runStraight(offlineAndRemoveMemory(k, START, 384 * MiB, 0)), 0);
    assert.deepEqual(brokenInvariants(k), []);
  }
});

test('6e: memmap_on_memory: 5.10 has none, 6.1 for one block only, later for each; the block then gives 126 MiB', () => {
  for (const [name, one, three] of [['5.10', 0, 0], ['6.1', 512, 0], ['6.12', 512, 512], ['7.2', 512, 512]] as const) {
    for (const [blocks, own] of [[1, one], [3, three]] as const) {
      const k = boot(name, { memmapOnMemory: true });
      const before = traceOf(k);
      add(k, blocks, MHP.memmapOnMemory);
      runStraight(blockOnline(k, BLOCK, MMOP.onlineMovable));
      assert.equal(k.zones.get(1, 3, 'free'), 32768 - own, `${name}, ${blocks} blocks`);
      assert.equal(memmapBacking(k, PFN) === null, own > 0);
      assert.equal(offline(k, BLOCK), 0);
      assert.equal(runStraight(removeMemory(k, START, blocks * 128 * MiB)), 0);
      assert.equal(traceOf(k), before);
    }
  }
});

test('6e: the memmap of one device in the memory of another: that one cannot go first', () => {
  for (const name of MODERN) {
    const k = boot(name);
    add(k, 2);
    for (const id of [BLOCK, BLOCK + 1]) runStraight(blockOnline(k, id, MMOP.onlineKernel));
    const second = 16 * GiB;
    const pgmap = memremapPages(k, { startPfn: second / 4096, endPfn: (second + 128 * MiB) / 4096, dataPfn: second / 4096, type: MEMORY_DEVICE.fsdax, node: 1 });
    const [where] = memmapBacking(k, second / 4096) as readonly [number, number];
    assert.ok(where >= PFN && where < PFN + 65536, 'its memmap lies in the hot-added memory');
    assert.equal(offline(k, Math.floor(where / 32768)), -EBUSY);
    assert.ok(k.log.has('unmovable page'));
    runStraight(memunmapPages(k, pgmap));
    assert.equal(offline(k, Math.floor(where / 32768)), 0);
    assert.deepEqual(brokenInvariants(k), []);
  }
});

test('6e: ZONE_MOVABLE never holds a memmap: it comes from another node instead', () => {
  const k = boot('7.2');
  add(k, 2);
  for (const id of [BLOCK, BLOCK + 1]) runStraight(blockOnline(k, id, MMOP.onlineMovable));
  const pgmap = memremapPages(k, { startPfn: PFN * 4, endPfn: PFN * 4 + 32768, dataPfn: PFN * 4, type: MEMORY_DEVICE.fsdax, node: 1 });
  assert.ok(pgmap > 0 && (memmapBacking(k, PFN * 4) as readonly [number, number])[0] < GiB / 4096);
});

test('8b: the node id of a boot block on two nodes: the last one registered, or unknown', () => {
  const ram = [{ start: 0, end: 1000 * MiB, nid: 0 }, { start: 1000 * MiB, end: 2 * GiB, nid: 1 }];
  assert.equal(blockNid(boot('7.2', { ram }), memoryBlocks(boot('7.2', { ram })).find(7)), 1);
  const base = profileOf('7.2');
  const k = boot('x', { profile: { ...base, mechanisms: { ...base.mechanisms, 'block.node-id': { value: 'none-if-mixed', source: 'test' } } }, ram });
  assert.equal(blockNid(k, memoryBlocks(k).find(7)), -1);
  assert.equal(blockNid(k, memoryBlocks(k).find(6)), 0);
});

test('8b: each rule can be switched off, and what it kept from going then goes', () => {
  const ram = [{ start: 0, end: 1000 * MiB, nid: 0 }, { start: 1000 * MiB, end: 2 * GiB, nid: 1 }];
  const base = profileOf('7.2');
  const k = boot('x', { profile: { ...base, mechanisms: { ...base.mechanisms, 'block.one-node-check': { value: false, source: 'test' } } }, ram });
  assert.equal(offline(k, 7), -EINVAL, 'the zone is still unknown');
  const hole = boot('7.2', { ram: [{ start: 0, end: GiB - 64 * MiB, nid: 0 }] });
  assert.equal(offline(hole, 7), -EINVAL);
  const blind = boot('x', { profile: { ...base, mechanisms: { ...base.mechanisms, 'block.hole-check': { value: 'none', source: 'test' } } }, ram: [{ start: 0, end: GiB - 64 * MiB, nid: 0 }] });
  assert.equal(offline(blind, 7), -EBUSY, 'the reserved pages of the hole are met later');
});

test('8d: blocks with ZONE_DEVICE sub-sections: offline and remove are refused, the pmem is untouched', () => {
  for (const name of MODERN) {
    const k = boot(name, { ram: [{ start: 0, end: GiB - 64 * MiB, nid: 0 }] });
    const pfn = (GiB - 64 * MiB) / 4096;
    memremapPages(k, { startPfn: pfn, endPfn: GiB / 4096, dataPfn: pfn, type: MEMORY_DEVICE.fsdax });
    assert.equal(offline(k, 7), -EINVAL, name);
    assert.equal(runStraight(removeMemory(k, GiB - 128 * MiB, 128 * MiB)), -EBUSY);
    assert.ok(memmapPresent(k, pfn) && pageFlags(k, pfn, 'test') >= 0);
    assert.equal(k.log.since().filter((line) => line.text.includes('dumped')).length, 0);
  }
});

test('8d: a boot block with missing sub-sections: its memmap is whole, its resource is not', () => {
  const k = boot('7.2', { ram: [{ start: 0, end: GiB - 64 * MiB, nid: 0 }] });
  const hole = (GiB - 2 * MiB) / 4096;
  assert.ok(memmapPresent(k, hole));
  assert.equal(pageLoad(k, hole, PAGE.refcount, 'test'), 1);
  assert.equal(offline(k, 7), -EINVAL);
  assert.equal(k.log.since().length, 0);
});

test('8d: blocks added at boot can be removed once they are offline; their memmap then goes, and they can come again', () => {
  for (const name of MODERN) {
    const k = boot(name, { ram: [{ start: 0, end: GiB, nid: 0 }, { start: START, end: START + 256 * MiB, nid: 1 }] });
    assert.equal(offline(k, BLOCK), 0);
    assert.equal(runStraight(removeMemory(k, START, 128 * MiB)), 0, name);
    assert.equal(memmapPresent(k, PFN), false);
    assert.match(iomemText(k), /108000000-10fffffff : System RAM/);
    assert.equal(runStraight(addMemory(k, 1, START, 128 * MiB, 0)), 0);
    assert.equal(runStraight(blockOnline(k, BLOCK, MMOP.onlineMovable)), 0);
    assert.deepEqual(brokenInvariants(k), []);
  }
});
