import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RELEASES } from '../../../profile/releases/index.ts';
import { GiB, MiB } from '../../../range/units.ts';
import { EBUSY, EINVAL, EINTR } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { addMemory, MHP } from '../../mm/memory_hotplug/add.ts';
import { MMOP } from '../../mm/memory_hotplug/hotplug.ts';
import { removeMemory } from '../../mm/memory_hotplug/remove.ts';
import { KernelOops } from '../../oops.ts';
import { ZONE } from '../../mm/page.ts';
import { takeReferences, userAlloc, userPagesIn, userRead, putFolio, userPfn } from '../../mm/ram-user.ts';
import { iomemText } from '../../resource.ts';
import { bootMachine } from '../../setup/boot-machine.ts';
import { runStraight } from '../../state/path.ts';
import { threads } from '../../threads.ts';
import { blockOnline, stateStore, validZones } from './block-state.ts';
import { blockState, MEM } from './memory.ts';

const profile = (name: string) => RELEASES.find((p) => p.name === name)!;
const boot = (name: string, over: Partial<Parameters<typeof bootMachine>[0]> = {}): Kernel =>
  bootMachine({ profile: profile(name), ram: [{ start: MiB, end: 0x7ffdb000, nid: 0 }], ...over });
const offline = (k: Kernel, id: number): number => runStraight(stateStore(k, id, MMOP.offline, 0));
const quiet = (k: Kernel): boolean => k.log.since().length === 0;
const VERSIONS = ['5.2', '5.10', '6.1', '6.12', '7.2'];

test('8a: a block goes offline and online again, and what it holds stays readable elsewhere', () => {
  for (const name of VERSIONS) {
    const k = boot(name);
    const user = userAlloc(k, { name: 'holder', kind: 'anon', nid: 0, folios: 16, order: 9, value: 42 });
    const id = Math.floor(userPfn(k, user, 0) / 32768);
    const victim = id === 0 ? 1 : id;
    assert.equal(offline(k, victim), 0, name);
    assert.equal(blockState(k, victim), MEM.offline);
    assert.equal(userPagesIn(k, user, victim * 32768, (victim + 1) * 32768), 0);
    for (let slot = 0; slot < 16; slot += 1) assert.equal(userRead(k, user, slot), 42);
    assert.equal(runStraight(stateStore(k, victim, MMOP.online, 0)), 0);
    assert.equal(validZones(k, victim), 'DMA32');
  }
});

test('8a: EINVAL for a block that is so already and for an unknown word, without a message', () => {
  const k = boot('7.2');
  assert.equal(offline(k, 5), 0);
  assert.equal(offline(k, 5), -EINVAL);
  assert.equal(runStraight(stateStore(k, 5, -1, 0)), -EINVAL);
  assert.ok(quiet(k));
});

test('8b: two zones, two nodes: EINVAL, silent, valid_zones says none', () => {
  for (const name of ['5.10', '6.1', '6.12', '7.2']) {
    const k = boot(name, { ram: [{ start: MiB, end: 1000 * MiB, nid: 0 }, { start: 1000 * MiB, end: 2 * GiB, nid: 1 }] });
    assert.equal(validZones(k, 0), 'none');
    assert.equal(offline(k, 0), -EINVAL);
    assert.equal(validZones(k, 7), 'none', name);
    assert.equal(offline(k, 7), -EINVAL);
    assert.ok(quiet(k));
  }
});

test('8c: a hole makes EINVAL by the resource walk (new), EBUSY by PG_reserved (old); valid_zones gives no hint', () => {
  const now = boot('7.2');
  assert.equal(validZones(now, 15), 'DMA32');
  assert.equal(offline(now, 15), -EINVAL);
  assert.ok(quiet(now));
  const old = boot('5.2');
  assert.equal(offline(old, 15), -EBUSY);
});

test('8e: struct pages that were never initialised, met by offline and by remove', () => {
  const old = boot('5.2');
  assert.equal(offline(old, 15), -EBUSY);
  assert.ok(old.log.has('is uninitialized and poisoned'));
  assert.equal(runStraight(addMemory(old, 1, 4 * GiB, 128 * MiB, 0)), 0);
  assert.throws(() => runStraight(removeMemory(old, 4 * GiB, 128 * MiB)), (e: unknown) => e instanceof KernelOops && e.where.includes('arch_remove_memory'));
  for (const name of ['5.10', '7.2']) {
    const k = boot(name);
    assert.equal(runStraight(addMemory(k, 1, 4 * GiB, 128 * MiB, 0)), 0);
    assert.equal(runStraight(removeMemory(k, 4 * GiB, 128 * MiB)), 0);
  }
});

test('6a: kernel pages: EBUSY at once with the page in the log; only their block', () => {
  for (const name of ['5.10', '7.2']) {
    const reserved = boot(name, { reserved: [{ start: 512 * MiB, end: 512 * MiB + 8192 }] });
    assert.equal(offline(reserved, 4), -EBUSY);
    assert.ok(reserved.log.has('page dumped because: unmovable page') && reserved.log.has('reserved'));
    assert.equal(blockState(reserved, 4), MEM.online);
    assert.equal(offline(reserved, 5), 0);
  }
});

const withNode1 = (name: string, over = {}): Kernel => {
  const k = boot(name, over);
  assert.equal(runStraight(addMemory(k, 1, 4 * GiB, 256 * MiB, MHP.none)), 0);
  return k;
};

test('6a: added memory is offline, on its node, in iomem; it goes online, offline and away, and leaves no trace', () => {
  for (const name of ['5.10', '6.1', '6.12', '7.2']) {
    const k = boot(name);
    const iomem = iomemText(k);
    const sections = k.sparse.extras.used;
    assert.equal(runStraight(addMemory(k, 1, 4 * GiB, 256 * MiB, MHP.none)), 0);
    assert.equal(blockState(k, 32), MEM.offline);
    assert.match(iomemText(k), /100000000-10fffffff : System RAM/);
    assert.equal(validZones(k, 32), 'Normal Movable');
    assert.equal(runStraight(stateStore(k, 32, MMOP.onlineMovable, 0)), 0);
    assert.equal(k.zones.get(1, ZONE.movable, 'free'), 32768);
    assert.equal(runStraight(removeMemory(k, 4 * GiB, 256 * MiB)), -EBUSY);
    assert.ok(k.log.has('removing memory fails, because memory [0x0000000100000000-0x0000000107ffffff] is onlined'));
    assert.equal(offline(k, 32), 0);
    assert.equal(k.zones.isEmpty(1, ZONE.movable), true);
    assert.equal(runStraight(removeMemory(k, 4 * GiB, 256 * MiB)), 0);
    assert.equal(iomemText(k), iomem);
    assert.equal(k.sparse.extras.used, sections);
    assert.equal(k.zones.nodeOnline(1), false);
    assert.equal(blockState(k, 32), MEM.absent);
  }
});

test('6a: a pinned page in ZONE_MOVABLE: the offline goes round until a signal, or until the pin goes', () => {
  for (const name of ['5.10', '7.2']) {
    const k = withNode1(name);
    runStraight(stateStore(k, 32, MMOP.onlineMovable, 0));
    const user = userAlloc(k, { name: 'h', kind: 'anon', nid: 1, folios: 512, order: 0, thisNode: true, value: 7 });
    takeReferences(k, user, 0, 16, 1);
    const first = threads(k).spawn('sh', (signal) => stateStore(k, 32, MMOP.offline, signal));
    assert.equal(first.state, 'waiting');
    assert.equal(blockState(k, 32), MEM.goingOffline);
    assert.ok(k.log.has('failed ret:16') && k.log.has('page dumped because: migration failure'));
    threads(k).kill(first);
    assert.deepEqual([first.state, first.result], ['done', -EINTR]);
    assert.equal(blockState(k, 32), MEM.online);
    assert.equal(userPagesIn(k, user, 1048576, 1048576 + 32768), 16);
    const second = threads(k).spawn('sh', (signal) => stateStore(k, 32, MMOP.offline, signal));
    for (let slot = 0; slot < 16; slot += 1) putFolio(k, userPfn(k, user, slot), 1);
    threads(k).run();
    assert.deepEqual([second.state, second.result], ['done', 0]);
    assert.equal(userRead(k, user, 3), 7);
  }
});

test('8a: blocks of many sections go as one', () => {
  const k = bootMachine({ profile: profile('7.2'), ram: [{ start: MiB, end: 4 * GiB, nid: 0 }], geometry: { memoryBlockSize: 2 * GiB } });
  assert.equal(runStraight(addMemory(k, 1, 8 * GiB, 4 * GiB, 0)), 0);
  assert.equal(runStraight(addMemory(k, 1, 16 * GiB, 128 * MiB, 0)), -EINVAL);
  assert.ok(k.log.has('unaligned hotplug range'));
  assert.equal(runStraight(blockOnline(k, 4, MMOP.onlineMovable)), 0);
  assert.equal(k.zones.get(1, ZONE.movable, 'free'), 2 * GiB / 4096);
  assert.equal(offline(k, 4), 0);
});
