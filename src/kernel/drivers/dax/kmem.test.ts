import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROPOSED } from '../../../profile/proposals/index.ts';
import { RELEASES } from '../../../profile/releases/index.ts';
import { GiB, MiB } from '../../../range/units.ts';
import { EBUSY, EINTR, EINVAL, ENODEV } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { MMOP } from '../../mm/memory_hotplug/hotplug.ts';
import { putFolio, takeReferences, userAlloc, userPfn } from '../../mm/ram-user.ts';
import { iomemText } from '../../resource.ts';
import { bootMachine, pmemResource } from '../../setup/boot-machine.ts';
import { runStraight } from '../../state/path.ts';
import { threads } from '../../threads.ts';
import { deviceDriver } from '../base/bus.ts';
import { stateStore } from '../base/block-state.ts';
import { blockState, MEM, memoryBlocks } from '../base/memory.ts';
import { bindStore, unbindStore } from '../base/dd.ts';
import { createDevDax } from './dev_dax.ts';
import { daxKmemInit } from './kmem.ts';
import { kmemState, kmemStateStore, UNPLUGGED } from './kmem-state.ts';

interface Rig { readonly k: Kernel; readonly dev: number; readonly kmem: number; readonly iomem: string }
function rig(name: string, ranges = [{ start: 0x100200000, end: 0x120000000 }]): Rig {
  const k = bootMachine({ profile: [...RELEASES, ...PROPOSED].find((p) => p.name === name)!, ram: [{ start: MiB, end: 2 * GiB, nid: 0 }] });
  pmemResource(k, { start: 4 * GiB, end: 5 * GiB }, 'Persistent Memory');
  const kmem = daxKmemInit(k);
  const dev = runStraight(createDevDax(k, { name: 'dax0.0', ranges, targetNode: 1 }));
  const iomem = iomemText(k);
  return { k, dev, kmem, iomem };
}
const set = (k: Kernel, id: number, mmop: number): number => runStraight(stateStore(k, id, mmop, 0));

test('6b: kmem takes whole blocks only, and from 6.18 on it says what is lost', () => {
  for (const name of ['5.10', '6.12', '6.18', '7.2']) {
    const { k, dev, kmem } = rig(name);
    assert.equal(runStraight(bindStore(k, kmem, dev)), 0);
    assert.deepEqual([...memoryBlocks(k).all()].filter((id) => id >= 32), [33, 34, 35]);
    assert.match(iomemText(k), / {2}108000000-11fffffff : dax0\.0\n {4}108000000-11fffffff : System RAM \(kmem\)/);
    assert.equal(k.log.has('kmem dax0.0: DAX region truncated by 126 MiB due to alignment'), name === '6.18' || name === '7.2');
  }
});

test('6b: unbind with a block online returns 0 and the range is lost until reboot, whatever is done afterwards', () => {
  for (const name of ['5.10', '6.1', '6.12', '7.2']) {
    const { k, dev, kmem } = rig(name);
    runStraight(bindStore(k, kmem, dev));
    set(k, 33, MMOP.onlineMovable);
    assert.equal(runStraight(unbindStore(k, kmem, dev)), 0);
    assert.ok(k.log.has('removing memory fails, because memory [0x0000000108000000-0x000000010fffffff] is onlined'));
    assert.ok(k.log.has('kmem dax0.0: mapping0: 0x108000000-0x11fffffff cannot be hotremoved until the next reboot'));
    assert.equal(deviceDriver(k, dev), 0);
    assert.equal(blockState(k, 33), MEM.online);
    assert.match(iomemText(k), /dax0\.0\n.*System RAM \(kmem\)/);
    assert.equal(runStraight(bindStore(k, kmem, dev)), name === '5.10' ? -ENODEV : -EBUSY);
    assert.equal(set(k, 33, MMOP.offline), 0);
    assert.equal(runStraight(bindStore(k, kmem, dev)), name === '5.10' ? -ENODEV : -EBUSY);
    assert.equal(blockState(k, 33), MEM.offline);
  }
});

test('6b: unbind with all blocks offline is clean, and the device can be bound again', () => {
  for (const name of ['5.10', '6.12', '6.18', '7.2']) {
    const { k, dev, kmem, iomem } = rig(name);
    runStraight(bindStore(k, kmem, dev));
    for (const id of [33, 34, 35]) set(k, id, MMOP.onlineMovable);
    for (const id of [33, 34, 35]) assert.equal(set(k, id, MMOP.offline), 0);
    const mark = k.log.mark;
    assert.equal(runStraight(unbindStore(k, kmem, dev)), 0);
    assert.deepEqual(k.log.since(mark), []);
    assert.equal(iomemText(k), iomem);
    assert.equal(blockState(k, 33), MEM.absent);
    assert.equal(k.zones.nodeOnline(1), false);
    assert.equal(runStraight(bindStore(k, kmem, dev)), 0);
  }
});

test('6b: 5.2 never gives a range back', () => {
  const { k, dev, kmem } = rig('5.2');
  assert.equal(runStraight(bindStore(k, kmem, dev)), 0);
  assert.equal(runStraight(unbindStore(k, kmem, dev)), 0);
  assert.match(iomemText(k), /dax0\.0\n.*System RAM/);
  assert.equal(runStraight(bindStore(k, kmem, dev)), -ENODEV);
});

test('6b: the whole-device state takes all ranges out or none', () => {
  const { k, dev, kmem, iomem } = rig('7.3', [{ start: 4 * GiB, end: 4 * GiB + 256 * MiB }, { start: 4 * GiB + 512 * MiB, end: 5 * GiB }]);
  runStraight(bindStore(k, kmem, dev));
  assert.equal(kmemState(k, dev), 'offline');
  assert.equal(runStraight(kmemStateStore(k, dev, MMOP.online, 0)), -EBUSY);
  assert.equal(runStraight(kmemStateStore(k, dev, UNPLUGGED, 0)), 0);
  assert.equal(kmemState(k, dev), 'unplugged');
  assert.equal(runStraight(kmemStateStore(k, dev, MMOP.offline, 0)), -EINVAL);
  assert.equal(runStraight(kmemStateStore(k, dev, MMOP.onlineMovable, 0)), 0);
  assert.equal(kmemState(k, dev), 'online_movable');
  const user = userAlloc(k, { name: 'h', kind: 'anon', nid: 1, folios: 300, order: 9, thisNode: true });
  takeReferences(k, user, 299, 300, 1);
  const thread = threads(k).spawn('echo', (signal) => kmemStateStore(k, dev, UNPLUGGED, signal));
  assert.equal(thread.state, 'waiting');
  threads(k).kill(thread);
  assert.equal(thread.result, -EINTR);
  assert.equal(kmemState(k, dev), 'online_movable');
  putFolio(k, userPfn(k, user, 299), 1);
  assert.equal(runStraight(kmemStateStore(k, dev, UNPLUGGED, 0)), 0);
  assert.equal(runStraight(unbindStore(k, kmem, dev)), 0);
  assert.equal(iomemText(k), iomem);
});

test('6b: without the mechanism there is no such file', () => {
  const { k, dev, kmem } = rig('7.2');
  runStraight(bindStore(k, kmem, dev));
  assert.equal(kmemState(k, dev), null);
  assert.equal(runStraight(kmemStateStore(k, dev, UNPLUGGED, 0)), -ENODEV);
});

test('9a: where ->remove() may fail (a proposal) an unbind of online memory is refused, and works after it went offline', () => {
  const { k, dev, kmem, iomem } = rig('proposal:unbind-may-fail');
  assert.equal(runStraight(bindStore(k, kmem, dev)), 0);
  set(k, 33, MMOP.onlineMovable);
  assert.equal(runStraight(unbindStore(k, kmem, dev)), -EBUSY);
  assert.equal(deviceDriver(k, dev), kmem);
  assert.equal(set(k, 33, MMOP.offline), 0);
  assert.equal(runStraight(unbindStore(k, kmem, dev)), 0);
  assert.equal(iomemText(k), iomem);
});
