import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RELEASES } from '../../../profile/releases/index.ts';
import { GiB, MiB } from '../../../range/units.ts';
import { EINVAL, ENODEV } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { physRead } from '../../mm/physmem.ts';
import { bootMachine } from '../../setup/boot-machine.ts';
import { deviceDelByHost, makeSlot, pressButton, pullCard, putCardIn } from '../../setup/slot.ts';
import { runStraight } from '../../state/path.ts';
import { threads } from '../../threads.ts';
import { busDevices, deviceAlloc, driverCore, type Driver } from '../base/bus.ts';
import { deviceAdd } from '../base/dd.ts';
import { attentionShow } from './acpiphp.ts';
import { powerStore } from './pciehp.ts';
import { INDICATOR, SLOT } from './slot.ts';

const order: string[] = [];
const DISK: Driver = {
  name: 'virtio-pci',
  *probe() { return 0; },
  *remove(k, _dev = 0) {
    order.push(`remove reads ${physRead(k, BAR.start / 4096, 1)}`);
    return 0;
  },
};
const BAR = { start: 64 * GiB, end: 64 * GiB + MiB };
interface Rig { readonly k: Kernel; readonly slot: number }
function rig(name: string, kind: 'pciehp' | 'acpiphp'): Rig {
  order.length = 0;
  const k = bootMachine({ profile: RELEASES.find((p) => p.name === name)!, ram: [{ start: MiB, end: GiB, nid: 0 }] });
  driverCore(k).register('pci', DISK);
  const dev = deviceAlloc(k, { bus: 'pci', name: '0000:02:00.0' });
  runStraight(deviceAdd(k, dev));
  return { k, slot: makeSlot(k, { name: '5', kind, dev, bar: BAR }) };
}
const look = ({ k, slot }: Rig): number[] => [SLOT.power, SLOT.adapter, SLOT.indicator].map((word) => k.heap.load(slot + word));

test('9b: button, five seconds in which sysfs shows nothing, remove, power off, indicator off', () => {
  for (const name of ['5.10', '6.1', '6.12', '7.2']) {
    const r = rig(name, 'pciehp');
    deviceDelByHost(r.k, r.slot);
    threads(r.k).pass(4.9);
    assert.deepEqual(look(r), [1, 1, INDICATOR.blinking]);
    assert.deepEqual(order, []);
    threads(r.k).pass(0.2);
    assert.deepEqual(order, ['remove reads 1']);
    assert.deepEqual(look(r), [0, 0, INDICATOR.off]);
    assert.deepEqual(busDevices(r.k, 'pci'), []);
    assert.ok(r.k.log.has(name === '5.10' || name === '6.1' ? 'Powering off due to button press' : 'Button press: will power off in 5 sec'));
  }
});

test('9b: a second press within the five seconds cancels', () => {
  const r = rig('7.2', 'pciehp');
  pressButton(r.k, r.slot);
  threads(r.k).pass(3);
  pressButton(r.k, r.slot);
  threads(r.k).pass(10);
  assert.deepEqual(look(r), [1, 1, INDICATOR.on]);
  assert.deepEqual(order, []);
  assert.ok(r.k.log.has('Action canceled due to button press'));
});

test('9b: a write of 0 to power takes the device away at once; 1 with the card gone is ENODEV', () => {
  const r = rig('7.2', 'pciehp');
  assert.equal(runStraight(powerStore(r.k, r.slot, 0)), 0);
  assert.deepEqual(order, ['remove reads 1']);
  assert.deepEqual(look(r), [0, 1, INDICATOR.off]);
  assert.equal(runStraight(powerStore(r.k, r.slot, 0)), -EINVAL);
  r.k.heap.store(r.slot + SLOT.adapter, 0);
  assert.equal(runStraight(powerStore(r.k, r.slot, 1)), -ENODEV);
  putCardIn(r.k, r.slot);
  threads(r.k).pass(5.1);
  assert.deepEqual(look(r), [1, 1, INDICATOR.on]);
  assert.ok(r.k.log.has('Slot(5): Card present') && r.k.log.has('Slot(5): Link Up'));
});

test('9d: surprise removal: the driver lets go of a device that reads all ones', () => {
  const r = rig('7.2', 'pciehp');
  pullCard(r.k, r.slot);
  assert.deepEqual(order, ['remove reads -1']);
  assert.deepEqual(look(r), [0, 0, INDICATOR.off]);
  assert.ok(r.k.log.has('Slot(5): Link Down'));
});

test('9d: a card that is pulled within the five seconds of a managed removal', () => {
  const r = rig('7.2', 'pciehp');
  pressButton(r.k, r.slot);
  threads(r.k).pass(2);
  pullCard(r.k, r.slot);
  threads(r.k).pass(10);
  assert.deepEqual(order, ['remove reads -1']);
  assert.deepEqual(look(r), [0, 0, INDICATOR.off]);
});

test('9e: an ACPI slot: at once, no message, latch open, no attention file', () => {
  for (const name of ['5.10', '7.2']) {
    const r = rig(name, 'acpiphp');
    const mark = r.k.log.mark;
    deviceDelByHost(r.k, r.slot);
    assert.deepEqual(order, ['remove reads 1']);
    assert.deepEqual(look(r), [0, 0, INDICATOR.off]);
    assert.equal(r.k.heap.load(r.slot + SLOT.latch), 1);
    assert.deepEqual(r.k.log.since(mark), []);
    assert.equal(attentionShow(), -EINVAL);
  }
});
