import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMissing } from '../../host/fact.ts';
import { profileByName } from '../../profile/select.ts';
import { readScenario } from '../../scenario/read.ts';
import { splicePut, spliceGet } from '../mm/pin-ram.ts';
import { userAlloc } from '../mm/ram-user.ts';
import { buildScenario } from '../scenario/build.ts';
import { taskPid } from '../task.ts';
import { startTime } from './proc-process.ts';
import { simulatedHost } from './sim-host.ts';

/** Memory of a pmem device as movable System RAM on a node of its own, one page of it in a pipe. */
function pinnedRam(kernel: string) {
  const profile = profileByName(kernel);
  assert.ok(profile !== null);
  const { world } = buildScenario(readScenario(`
scenario: pinned
title: one page in a pipe
machine:
  nodes: [{ram: 2G}, {ram: 0}]
  nvdimms: [{name: nv, size: 512M, node: 1}]
  namespaces: [{name: data, on: nv, mode: devdax}]
systemRam: [{device: data, online: movable}]
steps: [{look: [iomem]}]
`, 'pinned'), profile);
  const user = userAlloc(world.k, { name: 'u', kind: 'anon', nid: 1, folios: 1, order: 0, thisNode: true, value: 77 });
  spliceGet(world.k, user, 0, 1);
  const host = simulatedHost(world);
  const blocks = (): string[] => [33, 34, 35].map((id) => {
    const state = host.files.text(`/sys/devices/system/memory/memory${id}/state`);
    return isMissing(state) ? 'gone' : state;
  });
  return { k: world.k, host, blocks, user };
}

for (const [kernel, path, word] of [['7.2', '/sys/devices/system/memory/memory33/state', 'offline'], ['7.3', '/sys/bus/dax/devices/dax0.0/state', 'unplugged']] as const) {
  test(`${kernel}: the writer of ${word} is killed at its deadline; blocks are as before, locks are free`, async () => {
    const { k, host, blocks, user } = pinnedRam(kernel);
    const before = blocks();
    assert.deepEqual([...new Set(before)], ['online']);
    const { ok, errno, definite, detail } = await host.actions!.write(path, word, 5000);
    assert.deepEqual({ ok, errno, definite }, { ok: false, errno: 'ETIMEDOUT', definite: false });
    assert.match(detail ?? '', /^the writer was killed; it (span|waited) in the kernel at/);
    assert.deepEqual(blocks(), before);
    // Whoever comes next gets the hotplug lock, and is through when the pin has gone.
    splicePut(k, user, 0, 1);
    assert.equal((await host.actions!.write(path, word, 5000)).ok, true);
    assert.notDeepEqual(blocks(), before);
  });
}

test('5.10: an unbind that waits for a pin does not listen to signals, and ends when the pin goes', async () => {
  const profile = profileByName('5.10');
  assert.ok(profile !== null);
  const { world, processes } = buildScenario(readScenario(`
scenario: pinned
title: a device page in a pipe
machine:
  nvdimms: [{name: nv, size: 512M}]
  namespaces: [{name: data, on: nv, mode: devdax}]
processes: [{name: h, maps: [{device: data, size: 8M}], pins: [{by: vmsplice, size: 64K}]}]
steps: [{look: [iomem]}]
`, 'pinned'), profile);
  const host = simulatedHost(world);
  const driver = '/sys/bus/dax/drivers/device_dax';
  const first = await host.actions!.write(`${driver}/unbind`, 'dax0.0', 5000);
  assert.match(first.detail ?? '', /^the writer waits in the kernel at .*, killed or not$/);
  const task = processes.get('h')?.task ?? 0;
  assert.equal((await host.actions!.signal({ pid: taskPid(world.k, task), startTime: startTime(world.k, task) }, 'SIGKILL')).ok, true);
  assert.ok(isMissing(host.files.link('/sys/bus/dax/devices/dax0.0/driver')));
  assert.equal((await host.actions!.write(`${driver}/bind`, 'dax0.0', 5000)).ok, true);
});
