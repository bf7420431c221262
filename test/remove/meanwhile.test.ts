/** What the hardware and the firmware do while a removal is under way: a button pressed, an eject vetoed, or without an end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Host } from '../../src/host/host.ts';
import { SB } from '../../src/kernel/fs/inode.ts';
import { allocContigKernel } from '../../src/kernel/mm/page_alloc.ts';
import { TYPE } from '../../src/kernel/mm/page-template.ts';
import { pressButton } from '../../src/kernel/setup/slot.ts';
import { threads } from '../../src/kernel/threads.ts';
import { remove } from '../../src/remove/engine/run.ts';
import type { RemovalRecord } from '../../src/remove/record.ts';
import { CASES, fieldsOf } from './every-call/cases.ts';
import { setUp, type SetUp } from './every-call/machine.ts';

type Write = NonNullable<Host['actions']>['write'];

/** Carries the case out; `happens` sees every write before it is done. */
async function removeWhile(name: string, happens: (s: SetUp, write: Write, path: string) => Promise<void>, slots: readonly string[] = []): Promise<{ s: SetUp; record: RemovalRecord; told: string[] }> {
  const s = setUp(CASES.find((c) => c.name === name) ?? assert.fail(name));
  const { actions } = s.host;
  assert.ok(actions !== undefined);
  const plain: Write = (path, text, ms) => actions.write(path, text, ms);
  const write: Write = async (path, text, ms) => {
    await happens(s, plain, path);
    return plain(path, text, ms);
  };
  const acting: Host = { ...fieldsOf(s.host), actions: new Proxy(actions, { get: (target, key) => {
    const value: unknown = key === 'write' ? write : Reflect.get(target, key, target);
    return typeof value === 'function' && key !== 'write' ? value.bind(target) : value;
  } }) };
  const told: string[] = [];
  const record = await remove(acting, s.plan, s.way, s.numbers, { slots, progress: (p) => { if (p.phase === 'going') told.push(p.text); } });
  return { s, record, told };
}

async function press({ built: { world } }: SetUp): Promise<void> {
  const slot = world.hotplug?.slots[0]?.slot;
  assert.ok(slot !== undefined);
  pressButton(world.k, slot);
  threads(world.k).run();
}

test('a press of the attention button is told at once, and stands in the record', async () => {
  const { record, told } = await removeWhile('slot with CXL RAM', async (s, _write, path) => { if (path.endsWith('memory33/state')) await press(s); }, ['2']);
  assert.equal(record.status, 'done', JSON.stringify(record.steps.at(-1)));
  assert.equal(record.noticed?.length, 1);
  assert.match(record.noticed?.[0] ?? '', /button of slot 2 was pressed.*5 seconds.*press it again/);
  assert.deepEqual(told.filter((t) => /button/.test(t)), record.noticed);
  assert.match(record.steps.map((step) => step.says).join('\n'), /SAFE TO PULL/);
});

test('a press at a slot that the device does not sit in is no matter of ours', async () => {
  const { record } = await removeWhile('slot with CXL RAM', async (s, _write, path) => { if (path.endsWith('memory33/state')) await press(s); }, ['7']);
  assert.equal(record.noticed, undefined);
});

test('a DIMM that left says so by its status', async () => {
  const { record } = await removeWhile('DIMM', async () => undefined);
  assert.match(record.steps.at(-1)?.says ?? '', /PNP0C80:00: ejected \(status 0\)/);
});

/** Somebody brings a block online again, and the kernel puts a page of its own there. */
const usedAgain = (s: SetUp, write: Write) => async (): Promise<void> => {
  await write('/sys/devices/system/memory/memory32/state', 'online_kernel', 1000);
  assert.ok(allocContigKernel(s.built.world.k, 1, 1, TYPE.slab) !== 0);
};

test('an eject that the kernel vetoes is told with its reason, at once, and everything is as before', async () => {
  const { s, record } = await removeWhile('DIMM', async (at, write, path) => { if (path.endsWith('/eject')) await usedAgain(at, write)(); });
  const last = record.steps.at(-1);
  assert.match(last?.says ?? '', /vetoed \(_OST 0x82, device busy\).*memory memory32: Offline failed\./);
  assert.ok((last?.milliseconds ?? 0) < 5000, 'a veto is not waited for');
  assert.equal(record.status, 'called-off');
  for (const block of [32, 33]) assert.equal(s.host.files.text(`/sys/devices/system/memory/memory${block}/state`), 'online');
});

test('an eject that meets a pinned page has no end: told with what ends it', async () => {
  const s = setUp(CASES.find((c) => c.name === 'DIMM') ?? assert.fail());
  const { actions, files } = s.host;
  assert.ok(actions !== undefined);
  // The kernel goes on trying in a worker of its own: the write has returned, and the block stays as it is.
  let asked = false;
  const write: Write = async (path, text, ms) => {
    if (!path.endsWith('/eject')) return actions.write(path, text, ms);
    asked = true;
    return { ok: true, definite: true, milliseconds: 1 };
  };
  const text: Host['files']['text'] = (path) => (asked && path.endsWith('memory32/state') ? 'going-offline' : files.text(path));
  const withOne = <T extends object>(target: T, name: string, method: unknown): T => new Proxy(target, { get: (object, key) => {
    const value: unknown = key === name ? method : Reflect.get(object, key, object);
    return typeof value === 'function' && key !== name ? value.bind(object) : value;
  } });
  const record = await remove({ ...fieldsOf(s.host), actions: withOne(actions, 'write', write), files: withOne(files, 'text', text) }, s.plan, s.way, s.numbers);
  assert.match(record.steps.at(-1)?.says ?? '', /memory32 going-offline: a page there is pinned.*completes by itself when the pin is dropped/);
  assert.equal(record.status, 'partly');
});

test('a mount namespace that is made while the removal runs takes a copy of the mount with it: unmounted there too, and said', async () => {
  const s = setUp(CASES.find((c) => c.name === 'fsdax, detach') ?? assert.fail());
  const { actions } = s.host;
  const { world, supers } = s.built;
  assert.ok(actions !== undefined);
  let copied = 0;
  const unmount: NonNullable<Host['actions']>['unmount'] = (id, at, ms) => {
    if (copied === 0) {
      copied = 4026532177;
      const sb = supers.get('/mnt') ?? 0;
      world.k.heap.add(sb + SB.mounts, 1);
      world.mounts.add(sb, '/mnt', copied, 'rw,relatime');
    }
    return actions.unmount(id, at, ms);
  };
  const acting: Host = { ...fieldsOf(s.host), actions: new Proxy(actions, { get: (target, key) => {
    const value: unknown = key === 'unmount' ? unmount : Reflect.get(target, key, target);
    return typeof value === 'function' && key !== 'unmount' ? value.bind(target) : value;
  } }) };
  const record = await remove(acting, s.plan, s.way, s.numbers);
  assert.equal(record.status, 'done', JSON.stringify(record.steps.at(-1)));
  assert.match(record.steps.map((step) => step.says).join('\n'), /unmounted as well, because it came meanwhile: \/mnt in mount namespace 4026532177/);
});
