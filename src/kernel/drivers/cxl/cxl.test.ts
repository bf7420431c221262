import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROPOSED } from '../../../profile/proposals/index.ts';
import { RELEASES } from '../../../profile/releases/index.ts';
import { GiB, MiB } from '../../../range/units.ts';
import { EBUSY, EOPNOTSUPP, EPERM } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { MMOP } from '../../mm/memory_hotplug/hotplug.ts';
import { userAlloc, userPagesIn, userRead, userWrite } from '../../mm/ram-user.ts';
import { iomemText } from '../../resource.ts';
import { bootMachine } from '../../setup/boot-machine.ts';
import { cxlDisableMemdev, cxlDisableRegion, cxlWindow, makeMemdev, makeRegion } from '../../setup/cxl.ts';
import { deviceDelByHost, makeSlot, pullCard } from '../../setup/slot.ts';
import { runStraight } from '../../state/path.ts';
import { threads } from '../../threads.ts';
import { deviceDriver, driverCore } from '../base/bus.ts';
import { bindStore, unbindStore } from '../base/dd.ts';
import { stateStore } from '../base/block-state.ts';
import { blockState, MEM } from '../base/memory.ts';
import { SLOT } from '../pci/slot.ts';
import { MEMDEV } from './cxl.ts';
import { commitStore } from './region.ts';

const BASE = 0x690000000;
const BLOCKS = [0, 1, 2, 3].map((i) => BASE / (128 * MiB) + i);
interface Rig { readonly k: Kernel; readonly mem0: number; readonly region: number; readonly user: number; readonly slot: number }
function rig(name: string, over: { readonly answer?: number; readonly locked?: boolean; readonly overProfile?: object } = {}): Rig {
  const profile = RELEASES.find((p) => p.name === name)!;
  const k = bootMachine({ profile: { ...profile, mechanisms: { ...profile.mechanisms, ...over.overProfile } }, ram: [{ start: MiB, end: 2 * GiB, nid: 0 }] });
  cxlWindow(k, 0, BASE, BASE + 4 * GiB);
  const mem0 = makeMemdev(k, { name: 'mem0', pciName: '0000:0d:00.0' });
  const slot = makeSlot(k, { name: '2', kind: 'pciehp', dev: k.heap.load(mem0 + MEMDEV.pci) });
  const region = makeRegion(k, { name: 'region0', start: BASE, end: BASE + 512 * MiB, mode: 'ram', targets: [mem0], nid: 1, answer: over.answer ?? 0, locked: over.locked ?? false });
  for (const id of BLOCKS) assert.equal(runStraight(stateStore(k, id, MMOP.onlineMovable, 0)), 0);
  const user = userAlloc(k, { name: 'h', kind: 'anon', nid: 1, folios: 8, order: 9, thisNode: true, value: 77 });
  return { k, mem0, region, user, slot };
}
const driverOf = (k: Kernel, dev: number): number => deviceDriver(k, dev);
function damage({ k, user }: Rig, answer = 0): void {
  assert.ok(k.log.has('removing memory fails, because memory [') && k.log.has('cannot be hotremoved until the next reboot'));
  for (const id of BLOCKS) assert.equal(blockState(k, id), MEM.online);
  assert.equal(userRead(k, user, 3), answer);
  userWrite(k, user, 3, 5);
  assert.equal(userRead(k, user, 3), answer);
  const fresh = userAlloc(k, { name: 'new', kind: 'anon', nid: 1, folios: 1, order: 9, thisNode: true, value: 9 });
  assert.ok(fresh > 0 && userPagesIn(k, fresh, BASE / 4096, (BASE + 512 * MiB) / 4096) === 512);
  assert.equal(userRead(k, fresh, 0), answer);
}

test('6f: unbinding cxl_mem or cxl_pci under online memory: 0, blocks stay online, processes read zeroes', () => {
  for (const name of ['6.12', '6.18', '7.2']) {
    for (const which of [MEMDEV.dev, MEMDEV.pci]) {
      const r = rig(name);
      const dev = r.k.heap.load(r.mem0 + which);
      const driver = driverOf(r.k, dev);
      assert.equal(runStraight(unbindStore(r.k, driver, dev)), 0);
      damage(r);
      assert.equal(runStraight(bindStore(r.k, driver, dev)), 0);
      assert.equal(userRead(r.k, r.user, 3), 0);
    }
  }
});

test('6f: other hardware answers all ones', () => {
  const r = rig('7.2', { answer: -1 });
  assert.equal(runStraight(commitStore(r.k, r.region, 0)), 0);
  damage(r, -1);
});

test('6f: commit 0 does the same damage; nothing refuses', () => {
  const r = rig('7.2');
  assert.equal(runStraight(commitStore(r.k, r.region, 0)), 0);
  damage(r);
});

test('9c: a managed unplug of a memdev under online memory is not refused', () => {
  for (const name of ['6.12', '7.2']) {
    const r = rig(name);
    deviceDelByHost(r.k, r.slot);
    assert.equal(userRead(r.k, r.user, 0), 77);
    threads(r.k).pass(5.1);
    damage(r);
    assert.deepEqual([SLOT.power, SLOT.adapter].map((word) => r.k.heap.load(r.slot + word)), [0, 0]);
    assert.ok(r.k.log.has('Slot(2): Button press: will power off in 5 sec'));
  }
});

test('9d: a card that is pulled takes its memory at once, locked or not', () => {
  const r = rig('7.2', { locked: true, answer: -1 });
  pullCard(r.k, r.slot);
  damage(r, -1);
  assert.ok(r.k.log.has('Slot(2): Link Down') && r.k.log.has('Card not present'));
});

test('6f: locked decoders go on decoding: the kernel refuses (6.19 on) or writes to registers that stay', () => {
  const now = rig('7.2', { locked: true });
  assert.equal(runStraight(commitStore(now.k, now.region, 0)), -EPERM);
  assert.equal(userRead(now.k, now.user, 3), 77);
  const old = rig('6.12', { locked: true });
  assert.equal(runStraight(commitStore(old.k, old.region, 0)), 0);
  assert.ok(old.k.log.has('cannot be hotremoved until the next reboot'));
  assert.equal(userRead(old.k, old.user, 3), 77);
});

test('9c: only the tool refuses or offlines first', () => {
  const r = rig('7.2');
  assert.equal(cxlDisableMemdev(r.k, r.mem0, false), -EBUSY);
  assert.equal(userRead(r.k, r.user, 3), 77);
  assert.equal(runStraight(cxlDisableRegion(r.k, r.region, 0)), 0);
  assert.equal(userRead(r.k, r.user, 3), 77);
  assert.equal(userPagesIn(r.k, r.user, BASE / 4096, (BASE + GiB) / 4096), 0);
  for (const id of BLOCKS) assert.equal(blockState(r.k, id), MEM.absent);
  assert.ok(!iomemText(r.k).includes('kmem'));
  const forced = rig('7.2');
  assert.equal(cxlDisableMemdev(forced.k, forced.mem0, true), 0);
  damage(forced);
});

test('9c: a kernel that asked (a proposal) would refuse commit 0', () => {
  const r = rig('7.2', { overProfile: { 'bus.cxl-teardown-asks-memory': { value: true, source: 'test' } } });
  assert.equal(runStraight(commitStore(r.k, r.region, 0)), -EBUSY);
  assert.equal(userRead(r.k, r.user, 3), 77);
});

const proposed = (name: string): object => PROPOSED.find((p) => p.name === `proposal:${name}`)!.mechanisms;

test('9c: unbinding cxl_mem is refused only where the kernel asks and ->remove() may fail (two proposals together)', () => {
  for (const [name, refused] of [['cxl-asks-memory', false], ['cxl-asks-memory-and-unbind-may-fail', true]] as const) {
    const r = rig('7.2', { overProfile: proposed(name) });
    const dev = r.k.heap.load(r.mem0 + MEMDEV.dev);
    assert.equal(runStraight(unbindStore(r.k, driverOf(r.k, dev), dev)), refused ? -EBUSY : 0);
    // Where remove's answer is dropped, the decoders stay as they were all the same: nothing was torn down.
    assert.equal(userRead(r.k, r.user, 3), 77);
    assert.equal(driverOf(r.k, dev) !== 0, refused);
  }
});

test('9b: a slot that asks the driver (a proposal) keeps its power while the card is in use', () => {
  const r = rig('7.2', { overProfile: proposed('pciehp-asks-driver') });
  deviceDelByHost(r.k, r.slot);
  threads(r.k).pass(6);
  assert.deepEqual([SLOT.power, SLOT.adapter].map((word) => r.k.heap.load(r.slot + word)), [1, 1]);
  assert.equal(userRead(r.k, r.user, 3), 77);
});

test('9c: 6.1 makes no ram regions, 5.10 none at all', () => {
  for (const name of ['5.10', '6.1']) {
    const k = bootMachine({ profile: RELEASES.find((p) => p.name === name)!, ram: [{ start: MiB, end: 2 * GiB, nid: 0 }] });
    const mem0 = makeMemdev(k, { name: 'mem0', pciName: '0000:0d:00.0' });
    assert.equal(makeRegion(k, { name: 'region0', start: BASE, end: BASE + 512 * MiB, mode: 'ram', targets: [mem0], nid: 1 }), -EOPNOTSUPP);
    assert.equal(driverCore(k).find('cxl', 'cxl_region'), 0);
  }
});
