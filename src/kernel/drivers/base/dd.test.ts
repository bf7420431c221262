import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EBUSY, ENODEV } from '../../errno.ts';
import { Kernel } from '../../kernel.ts';
import { RELEASES } from '../../../profile/releases/index.ts';
import { runStraight } from '../../state/path.ts';
import { busDevices, deviceAlloc, deviceDriver, driverCore, type Driver } from './bus.ts';
import { bindStore, deviceAdd, deviceDel, driverLoad, driverUnregister, unbindStore } from './dd.ts';
import { defineAction, devmAddAction } from './devres.ts';

const trace: number[] = [];
const note = defineAction(function* (_k, first = 0) {
  trace.push(first);
  return 0;
});
const DRIVER: Driver = {
  name: 'toy',
  *probe(k, dev = 0) {
    devmAddAction(k, dev, note, 1);
    devmAddAction(k, dev, note, 2);
    return 0;
  },
  *remove() {
    trace.push(9);
    return -EBUSY;
  },
};
const SOUR: Driver = { ...DRIVER, name: 'sour', manual: true, *probe() { return -EBUSY; } };

const machine = (name: string): { k: Kernel; toy: number; sour: number; dev: number } => {
  const k = new Kernel({ profile: RELEASES.find((p) => p.name === name)! });
  const toy = driverCore(k).register('toys', DRIVER);
  const sour = driverCore(k).register('toys', SOUR);
  const dev = deviceAlloc(k, { bus: 'toys', name: 'toy0' });
  runStraight(deviceAdd(k, dev));
  trace.length = 0;
  return { k, toy, sour, dev };
};

test('9a: an unbind succeeds although remove says no, and managed resources go newest first', () => {
  const { k, toy, dev } = machine('7.2');
  assert.equal(deviceDriver(k, dev), toy);
  assert.equal(runStraight(unbindStore(k, toy, dev)), 0);
  assert.deepEqual(trace, [9, 2, 1]);
  assert.equal(deviceDriver(k, dev), 0);
  assert.equal(runStraight(unbindStore(k, toy, dev)), -ENODEV);
});

test('9a: bind says what the probe said since 5.14, ENODEV before', () => {
  for (const [name, errno] of [['5.10', ENODEV], ['7.2', EBUSY]] as const) {
    const { k, toy, sour, dev } = machine(name);
    runStraight(unbindStore(k, toy, dev));
    assert.equal(runStraight(bindStore(k, sour, dev)), -errno);
    assert.equal(runStraight(bindStore(k, toy, dev)), 0);
  }
});

test('9a: rmmod unbinds every device; the module that comes back takes them again', () => {
  const { k, toy, dev } = machine('7.2');
  runStraight(driverUnregister(k, toy));
  assert.equal(deviceDriver(k, dev), 0);
  assert.equal(runStraight(bindStore(k, toy, dev)), -ENODEV);
  runStraight(driverLoad(k, toy));
  assert.equal(deviceDriver(k, dev), toy);
});

test('9a: a device that leaves takes its driver, its resources and its words with it', () => {
  const { k, dev } = machine('7.2');
  runStraight(deviceDel(k, dev));
  assert.deepEqual(trace, [9, 2, 1]);
  assert.deepEqual(busDevices(k, 'toys'), []);
  assert.equal(driverCore(k).slab.used, 0);
});
