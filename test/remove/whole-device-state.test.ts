/** kmem devices of 7.3: `unseat remove` takes the whole device out with one write, and all of it or nothing goes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { isMissing } from '../../src/host/fact.ts';
import type { Host } from '../../src/host/host.ts';
import { recordHost } from '../../src/host/recording/recording-host.ts';
import { simulatedHost } from '../../src/kernel/host/sim-host.ts';
import { allocContigKernel } from '../../src/kernel/mm/page_alloc.ts';
import { TYPE } from '../../src/kernel/mm/page-template.ts';
import { buildScenario } from '../../src/kernel/scenario/build.ts';
import { simulate } from '../../src/kernel/scenario/simulate.ts';
import { inventoryFor, optionsOf } from '../../src/plan/inventory.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { profileByName } from '../../src/profile/select.ts';
import { remove } from '../../src/remove/engine/run.ts';
import type { RemovalRecord } from '../../src/remove/record.ts';
import { readScenario } from '../../src/scenario/read.ts';

const STATE = '/sys/bus/dax/devices/dax0.0/state';
const DRIVERS = '/sys/bus/dax/drivers';
const machineOf = (scenario: string, kernel = '7.3'): Host => simulate(readFileSync(resolve(import.meta.dirname, `../../scenarios/${scenario}.yaml`), 'utf8'), scenario, kernel);

async function removeOn(host: Host, acting: Host = host): Promise<RemovalRecord> {
  const inventory = inventoryFor(host, 'dax0.0');
  const plan = makePlan(inventory.machine, inventory.device, optionsOf(inventory));
  const way = plan.ways.find((w) => w.way === 'graceful');
  assert.ok(way !== undefined);
  // What the plan would refuse beforehand is carried out all the same: the kernel is to refuse it here.
  return remove(acting, plan, { ...way, possible: true, blockers: [] }, []);
}

const blocks = (host: Host): string[] => [32, 33, 34, 35].map((id) => {
  const state = host.files.text(`/sys/devices/system/memory/memory${id}/state`);
  return isMissing(state) ? 'gone' : state;
});
const BLOCKS_FREED = ['gone', 'gone', 'gone', 'gone'];

test('7.3: one write to `state`, no block written by itself, and nothing is left', async () => {
  const host = machineOf('remove-kmem');
  const before = blocks(host);
  const recorded = recordHost(host);
  assert.equal((await removeOn(host, recorded.host)).status, 'done');
  const writes = recorded.calls.filter((c) => c.facet === 'actions' && c.method === 'write').map((c) => c.args.slice(0, 2).map(String).join(' < '));
  assert.equal(writes.length, 2, writes.join('\n'));
  assert.match(writes[0] ?? '', /dax0\.0\/state < unplugged$/);
  assert.equal(writes[1], `${DRIVERS}/kmem/unbind < dax0.0`);
  assert.notDeepEqual(before, BLOCKS_FREED);
  assert.deepEqual(blocks(host), BLOCKS_FREED);
  assert.doesNotMatch(String(host.files.text('/proc/iomem')), /System RAM \(kmem\)/);
});

test('before 7.3 there is no such file, and every block is written by itself', async () => {
  const host = machineOf('remove-kmem', '7.2');
  assert.ok(isMissing(host.files.stat(STATE)));
  const recorded = recordHost(host);
  assert.equal((await removeOn(host, recorded.host)).status, 'done');
  assert.ok(recorded.calls.filter((c) => c.facet === 'actions' && c.method === 'write' && /memory\d+\/state$/.test(String(c.args[0]))).length > 1);
});

test('7.3: a block that cannot go keeps all of them: online as before, bound as before', async () => {
  const host = machineOf('kmem-normal-unmovable');
  const [before, state] = [blocks(host), host.files.text(STATE)];
  const record = await removeOn(host);
  assert.equal(record.status, 'called-off', JSON.stringify(record.steps));
  assert.match(record.steps.at(-1)?.says ?? '', /EBUSY/);
  assert.deepEqual(blocks(host), before);
  assert.equal(host.files.text(STATE), state);
  assert.ok(!isMissing(host.files.stat(`${DRIVERS}/kmem/dax0.0`)));
});

test('7.3: the last block cannot go: those that went offline before it are online again', async () => {
  const text = readFileSync(resolve(import.meta.dirname, '../../scenarios/remove-kmem.yaml'), 'utf8');
  const profile = profileByName('7.3');
  assert.ok(profile !== null);
  const { world } = buildScenario(readScenario(text, 'remove-kmem'), profile);
  const host = simulatedHost(world);
  const write = async (path: string, word: string): Promise<void> => { assert.equal((await host.actions?.write(path, word, 1000))?.ok, true, `${word} > ${path}`); };
  const block = (id: number): string => `/sys/devices/system/memory/memory${id}/state`;
  await write(STATE, 'unplugged');
  await write(STATE, 'online_kernel');
  // The kernel's own page finds room in the last block only.
  for (const id of [33, 34]) await write(block(id), 'offline');
  allocContigKernel(world.k, 1, 1, TYPE.slab);
  for (const id of [33, 34]) await write(block(id), 'online_kernel');
  const before = blocks(host);
  assert.deepEqual(before, ['gone', 'online', 'online', 'online']);
  const record = await removeOn(host);
  assert.equal(record.status, 'called-off', JSON.stringify(record.steps));
  assert.match(record.steps.at(-1)?.says ?? '', /EBUSY/);
  assert.deepEqual(blocks(host), before);
  // By themselves the first two go, and only the last one refuses.
  for (const id of [33, 34]) await write(block(id), 'offline');
  assert.equal((await host.actions?.write(block(35), 'offline', 1000))?.errno, 'EBUSY');
});

test('7.3: a removal that fails after the unbind brings the memory back online', async () => {
  const host = machineOf('remove-kmem');
  const [before, state] = [blocks(host), host.files.text(STATE)];
  const recorded = recordHost(host, [{ at: (c) => c.method === 'write' && /unbind$/.test(String(c.args[0])), fault: { kind: 'errno', errno: 'EIO', effect: 'done', definite: true } }, { at: (c) => c.method === 'text' && c.args[0] === '/proc/iomem', fault: { kind: 'missing', absence: 'unreadable' } }]);
  const record = await removeOn(host, recorded.host);
  assert.equal(record.status, 'called-off', JSON.stringify([record.steps, record.undone], null, 1));
  assert.deepEqual(blocks(host), before);
  assert.equal(host.files.text(STATE), state);
});

test('the state file takes its four words, and an online word from unplugged only', async () => {
  const host = machineOf('remove-kmem');
  assert.ok(host.actions !== undefined);
  for (const [word, errno, state] of [['offline', 'EINVAL', 'online_movable'], ['online', 'EBUSY', 'online_movable'], ['unplugged', undefined, 'unplugged'], ['online_movable', undefined, 'online_movable']] as const) {
    assert.equal((await host.actions.write(STATE, word, 1000)).errno, errno, word);
    assert.equal(host.files.text(STATE), state, word);
  }
});

test('new_id of a dax driver: it takes a device that nobody has, leaves one that another has, and wants a name', async () => {
  const host = machineOf('remove-kmem');
  const { actions } = host;
  assert.ok(actions !== undefined);
  const write = async (path: string, text: string): Promise<string | undefined> => (await actions.write(`${DRIVERS}/${path}`, text, 1000)).errno;
  const has = (driver: string): boolean => !isMissing(host.files.stat(`${DRIVERS}/${driver}/dax0.0`));
  assert.equal(await write('device_dax/new_id', 'dax0.0'), undefined);
  assert.deepEqual([has('kmem'), has('device_dax')], [true, false]);
  await actions.write(STATE, 'unplugged', 1000);
  assert.equal(await write('kmem/unbind', 'dax0.0'), undefined);
  assert.equal(await write('device_dax/new_id', 'dax0.0'), undefined);
  assert.deepEqual([has('kmem'), has('device_dax')], [false, true]);
  assert.equal(await write('kmem/new_id', 'pmem0'), 'EINVAL');
  assert.equal(await write('device_dax/unbind', 'dax0.0'), undefined);
  assert.equal(await write('kmem/new_id', 'dax0.0'), undefined);
  assert.deepEqual([has('kmem'), has('device_dax')], [true, false]);
});
