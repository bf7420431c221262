import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RELEASES } from '../../../profile/releases/index.ts';
import { GiB, MiB } from '../../../range/units.ts';
import { EBUSY, ENODEV } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { MMOP } from '../../mm/memory_hotplug/hotplug.ts';
import { pinLongterm, spliceGet, splicePut } from '../../mm/pin-ram.ts';
import { userAlloc, userPagesIn, userRead } from '../../mm/ram-user.ts';
import { iomemText } from '../../resource.ts';
import { bootMachine } from '../../setup/boot-machine.ts';
import { runStraight } from '../../state/path.ts';
import { threads } from '../../threads.ts';
import { driverCore } from '../base/bus.ts';
import { blockState, MEM } from '../base/memory.ts';
import { bindStore, unbindStore } from '../base/dd.ts';
import { stateStore } from '../base/block-state.ts';
import { requestSize } from '../../setup/virtio-mem.ts';
import { createVirtioMem, VM, vmPlugged } from './virtio_mem.ts';

const NAMES = ['5.10', '6.1', '6.12', '7.2'];
interface Rig { readonly k: Kernel; readonly vm: number; readonly dev: number; readonly driver: number; readonly iomem: string }
function rig(name: string): Rig {
  const k = bootMachine({ profile: RELEASES.find((p) => p.name === name)!, ram: [{ start: MiB, end: 2 * GiB, nid: 0 }], autoOnline: 'online_movable' });
  const before = iomemText(k);
  const vm = runStraight(createVirtioMem(k, { name: 'virtio1', addr: 4 * GiB, size: GiB, nid: 1 }));
  requestSize(k, vm, 384 * MiB);
  return { k, vm, dev: k.heap.load(vm + VM.dev), driver: driverCore(k).find('virtio', 'virtio_mem'), iomem: before };
}

test('6c: memory comes as blocks under the device, and goes back whole', () => {
  for (const name of NAMES) {
    const { k, vm } = rig(name);
    assert.match(iomemText(k), /100000000-13fffffff : virtio1\n {2}100000000-117ffffff : System RAM \(virtio_mem\)/);
    assert.equal(vmPlugged(k, vm), 384 * MiB);
    assert.equal(blockState(k, 34), MEM.online);
    const user = userAlloc(k, { name: 'h', kind: 'anon', nid: 1, folios: 32, order: 9, thisNode: true, value: 5 });
    requestSize(k, vm, 0);
    assert.equal(vmPlugged(k, vm), 0);
    assert.deepEqual([32, 33, 34].map((id) => blockState(k, id)), [MEM.absent, MEM.absent, MEM.absent]);
    assert.equal(userRead(k, user, 31), 5);
    assert.equal(userPagesIn(k, user, 0, 524288), 32 * 512);
  }
});

test('6c: a pin keeps its own sub-block only, and the shrink ends by itself when the pipe is closed', () => {
  for (const name of NAMES) {
    const { k, vm } = rig(name);
    const user = userAlloc(k, { name: 'h', kind: 'anon', nid: 1, folios: 512, order: 0, thisNode: true, value: 5 });
    spliceGet(k, user, 0, 16);
    const mark = k.log.mark;
    requestSize(k, vm, 0);
    assert.equal(vmPlugged(k, vm), name === '5.10' ? 4 * MiB : 2 * MiB);
    assert.deepEqual([32, 33, 34].map((id) => blockState(k, id)), [MEM.online, MEM.absent, MEM.absent]);
    assert.equal(k.log.since(mark).filter((line) => line.text.includes('virtio')).length, 0);
    splicePut(k, user, 0, 16);
    threads(k).run();
    assert.equal(vmPlugged(k, vm), 0);
    assert.equal(blockState(k, 32), MEM.absent);
  }
});

test('6c: long-term pins leave ZONE_MOVABLE first (6.1 on) and do not keep it', () => {
  for (const name of ['6.1', '7.2']) {
    const { k, vm } = rig(name);
    const user = userAlloc(k, { name: 'h', kind: 'anon', nid: 1, folios: 512, order: 0, thisNode: true });
    assert.equal(runStraight(pinLongterm(k, user, 0, 512)), 0);
    requestSize(k, vm, 0);
    assert.equal(vmPlugged(k, vm), 0);
  }
});

test('6c: the driver can be unbound in use, and never comes back', () => {
  for (const name of NAMES) {
    const { k, vm, dev, driver } = rig(name);
    const user = userAlloc(k, { name: 'h', kind: 'anon', nid: 1, folios: 32, order: 9, thisNode: true, value: 5 });
    assert.equal(runStraight(unbindStore(k, driver, dev)), 0);
    assert.ok(k.log.has('virtio_mem virtio1: device still has system memory added'));
    assert.equal(blockState(k, 33), MEM.online);
    assert.equal(userRead(k, user, 0), 5);
    assert.equal(vmPlugged(k, vm), 384 * MiB);
    assert.equal(runStraight(bindStore(k, driver, dev)), name === '5.10' ? -ENODEV : -EBUSY);
    assert.ok(k.log.has('could not reserve device region') && k.log.has('reloading the driver is not supported'));
    requestSize(k, vm, 0);
    assert.equal(vmPlugged(k, vm), 384 * MiB);
  }
});

test('6c: unbind when nothing is plugged is clean', () => {
  const { k, vm, dev, driver, iomem } = rig('7.2');
  requestSize(k, vm, 0);
  assert.equal(runStraight(unbindStore(k, driver, dev)), 0);
  assert.equal(iomemText(k), iomem);
  assert.equal(runStraight(bindStore(k, driver, dev)), 0);
});

test('6c: after the driver has gone a half-plugged block can never be taken offline', () => {
  const { k, vm, dev, driver } = rig('7.2');
  requestSize(k, vm, 380 * MiB);
  assert.equal(blockState(k, 34), MEM.online);
  runStraight(unbindStore(k, driver, dev));
  const thread = threads(k).spawn('sh', (signal) => stateStore(k, 34, MMOP.offline, signal));
  assert.equal(thread.state, 'waiting');
  const { k: live, vm: other } = rig('7.2');
  requestSize(live, other, 380 * MiB);
  assert.equal(runStraight(stateStore(live, 34, MMOP.offline, 0)), 0);
  assert.equal(runStraight(stateStore(live, 34, MMOP.onlineMovable, 0)), 0);
  assert.equal(vmPlugged(live, other), 380 * MiB);
});
