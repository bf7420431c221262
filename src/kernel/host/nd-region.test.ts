import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { isMissing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { readScenario } from '../../scenario/read.ts';
import { profileByName } from '../../profile/select.ts';
import { buildScenario } from '../scenario/build.ts';
import { simulatedHost } from './sim-host.ts';

function hostOf(scenario: string): Host {
  const profile = profileByName('7.2');
  assert.ok(profile !== null);
  return simulatedHost(buildScenario(readScenario(readFileSync(resolve(import.meta.dirname, `../../../scenarios/${scenario}.yaml`), 'utf8'), scenario), profile).world);
}
const on = (host: Host, path: string): readonly string[] => {
  const names = host.files.list(path);
  return isMissing(names) ? [] : names;
};
const write = async (host: Host, path: string, text: string): Promise<string> => {
  const result = await host.actions!.write(path, text, 1000);
  return result.ok ? 'ok' : (result.errno ?? '');
};

test('nd_region unbound: its namespaces, their disks and drivers are gone; bound again all are back', async () => {
  const host = hostOf('remove-swap');
  const before = on(host, '/sys/bus/nd/devices');
  assert.deepEqual(before, ['namespace0.0', 'ndbus0', 'nmem0', 'pfn0.0', 'region0']);
  assert.equal(await write(host, '/sys/bus/nd/drivers/nd_pmem/unbind', 'region0'), 'ENODEV');
  assert.equal(await write(host, '/sys/bus/nd/drivers/nd_region/unbind', 'region0'), 'ok');
  assert.deepEqual(on(host, '/sys/bus/nd/devices'), ['ndbus0', 'nmem0', 'region0']);
  assert.deepEqual([on(host, '/sys/block'), on(host, '/sys/bus/nd/drivers/nd_region').filter((n) => n === 'region0'), on(host, '/dev').filter((n) => n.startsWith('pmem'))], [[], [], []]);
  assert.equal(await write(host, '/sys/bus/nd/drivers/nd_region/unbind', 'region0'), 'ENODEV');
  assert.equal(await write(host, '/sys/bus/nd/drivers/nd_region/bind', 'region0'), 'ok');
  assert.deepEqual(on(host, '/sys/bus/nd/devices'), before);
  assert.deepEqual(on(host, '/sys/block'), ['pmem0']);
  // Its driver took the namespace by itself.
  assert.equal(await write(host, '/sys/bus/nd/drivers/nd_pmem/bind', 'pfn0.0'), 'EBUSY');
});

test('a CXL region that goes takes the nd region made from it; the mount on it stays, with its disk number', async () => {
  const host = hostOf('cxl-fsdax-unbind');
  const mounted = (): string => String(host.files.text('/proc/self/mountinfo')).split('\n').find((l) => l.includes('/dev/pmem0')) ?? '';
  const before = mounted();
  assert.match(before, / 259:0 \/ \/mnt /);
  assert.ok(on(host, '/sys/bus/nd/devices').includes('region0'));
  assert.equal(await write(host, '/sys/bus/cxl/drivers/cxl_mem/unbind', 'mem0'), 'ok');
  assert.deepEqual(on(host, '/sys/bus/nd/devices').filter((n) => n !== 'ndbus0' && n !== 'nmem0'), []);
  assert.deepEqual(on(host, '/sys/block'), []);
  assert.match(mounted(), / 259:0 \/ \/mnt .*shutdown/);
});

test('/proc/swaps: an area stays listed as deleted when its disk has gone, and swapoff does not find it', async () => {
  const host = hostOf('swap-unbind');
  const swaps = (): string => String(host.files.text('/proc/swaps')).split('\n').slice(1).map((l) => l.split(/\s+/)[0]).join();
  assert.equal(swaps(), '/dev/pmem0');
  assert.equal(await write(host, '/sys/bus/nd/drivers/nd_pmem/unbind', 'pfn0.0'), 'ok');
  assert.equal(swaps(), '/dev/pmem0\\040(deleted)');
  assert.equal((await host.actions!.swapOff('/dev/pmem0', 1000)).errno, 'ENOENT');
  assert.equal((await host.actions!.swapOff('/dev/sda', 1000)).errno, 'EINVAL');
});

test('a disk on a card: its node, its file system without DAX; the slot takes both, the mount and its number stay', async () => {
  const host = hostOf('slot-power-off');
  const line = (): string => String(host.files.text('/proc/self/mountinfo')).split('\n').find((l) => l.includes(' /mnt ')) ?? '';
  assert.deepEqual([on(host, '/sys/block'), line().includes('dax')], [['vda'], false]);
  assert.match(line(), / 253:0 .*\/dev\/vda rw$/);
  const [slot] = on(host, '/sys/bus/pci/slots');
  assert.equal(await write(host, `/sys/bus/pci/slots/${slot}/power`, '0'), 'ok');
  assert.deepEqual(on(host, '/sys/block'), []);
  assert.match(line(), / 253:0 .*\/dev\/vda rw,shutdown$/);
});
