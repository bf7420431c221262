/** What a removal may meet on a machine in memory: latecomers, busy unmounts, small stacks, memory_failure() that does nothing, another removal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Host } from '../../src/host/host.ts';
import { Crashed } from '../../src/host/recording/fault.ts';
import { recordHost } from '../../src/host/recording/recording-host.ts';
import { remove, resume, rollback } from '../../src/remove/engine/run.ts';
import { findJournals } from '../../src/remove/journal/journal.ts';
import { FS_DEV, FakeMachine } from './fake-machine.ts';
import { planFor } from './plans.ts';
import { crashAt, gone, machineFor, settled, start } from './engine-rig.ts';

test('latecomers are sent back to the stop', async () => {
  const machine = machineFor('detach');
  const { plan, way } = planFor(machine, 'detach');
  machine.add(200, { shared: 1 });
  machine.add(201, { remaps: 1 });
  const record = await remove(machine.host(), plan, way, [FS_DEV]);
  assert.equal(record.status, 'done', JSON.stringify(record.steps));
  gone(machine, 'detach', 'latecomers');
});

test('a process that held nothing whenever it was looked at, and maps at the unmount, is let go then', async () => {
  for (const way of ['detach', 'kill'] as const) {
    const machine = machineFor(way);
    const { plan, way: wayPlan } = planFor(machine, way);
    const host = machine.host();
    const actions = host.actions;
    assert.ok(actions);
    let tries = 0;
    const unmount: typeof actions.unmount = (...args) => {
      if ((tries += 1) === 1) machine.add(250, { shared: 1, fds: 1 });
      return actions.unmount(...args);
    };
    const record = await remove({ ...host, actions: { ...actions, unmount } }, plan, wayPlan, [FS_DEV]);
    assert.equal(record.status, 'done', JSON.stringify(record.steps));
    gone(machine, way, way);
    assert.equal(tries, 2, way);
  }
});

test('a holder that holds nothing just when it is to be stopped, and maps again unless it is stopped', async () => {
  const machine = machineFor('detach');
  const { plan, way } = planFor(machine, 'detach');
  const holder = machine.processes.get(101);
  assert.ok(holder);
  const mappings = holder.mappings;
  holder.mappings = [];
  holder.present.clear();
  const host = machine.host();
  const actions = host.actions;
  assert.ok(actions);
  const sync: typeof actions.sync = (...args) => {
    if (!holder.stopped) holder.mappings = mappings;
    return actions.sync(...args);
  };
  // The first sync comes before the stop: between the two it maps and lets go once more.
  let first = true;
  const record = await remove({ ...host, actions: { ...actions, sync: async (...args) => (first ? ((first = false), actions.sync(...args)) : sync(...args)) } }, plan, way, [FS_DEV]);
  assert.equal(record.status, 'done', JSON.stringify(record.steps));
  gone(machine, 'detach', 'maps again');
});

test('an unmount that stays busy without anybody to be seen comes to an end', async () => {
  const machine = machineFor('detach');
  const { plan, way } = planFor(machine, 'detach');
  const host = machine.host();
  assert.ok(host.actions);
  const record = await remove({ ...host, actions: { ...host.actions, unmount: async () => ({ ok: false, errno: 'EBUSY', definite: true, milliseconds: 1 }) } }, plan, way, [FS_DEV]);
  assert.notEqual(record.status, 'done');
  assert.equal(machine.bound, true);
  assert.match(JSON.stringify(record.steps), /EBUSY/);
});

test('a process that maps again and again while it runs cannot be outrun by kill, and is stopped by detach', async () => {
  const machine = machineFor('graceful');
  machine.add(300, { remaps: 1000 });
  const record = await start(machine.host(), machine, 'graceful');
  assert.equal(record.status, 'called-off');
  assert.match(record.steps.at(-1)?.says ?? '', /pid 300 \(p300\).*graceful way ends nobody/);
  assert.equal(machine.bound, true);
});

test('a block that does not go offline: the others come back, nothing is unbound', async () => {
  const machine = machineFor('graceful');
  machine.stubborn.set(34, 'EBUSY');
  const record = await start(machine.host(), machine, 'graceful');
  assert.deepEqual([...machine.blocks.values()], ['online', 'online']);
  assert.equal(machine.bound, true);
  assert.match(record.steps.at(-1)?.says ?? '', /EBUSY/);
  assert.deepEqual(machine.harm, []);
});

test('a detach that ends half way is told as such: partly, with its journal kept', async () => {
  const machine = machineFor('detach');
  const { plan, way } = planFor(machine, 'detach');
  const host = machine.host();
  const trace = { ...host.trace!, inject: async (...[ref, chain, ms]: Parameters<NonNullable<Host['trace']>['inject']>) => {
    const at = chain.findIndex((c) => c.name === 'dup3');
    if (at < 0) return host.trace!.inject(ref, chain, ms);
    const result = await host.trace!.inject(ref, chain.slice(0, at), ms);
    return { ...result, results: [...result.results, -24] };
  } };
  const record = await remove({ ...host, trace }, plan, way, [FS_DEV]);
  assert.equal(record.status, 'partly');
  assert.match(record.steps.at(-1)?.says ?? '', /dup3 returned -24/);
  assert.equal(machine.bound, true);
  assert.equal(findJournals(host).length, 1);
  settled(machine, 'half a detach');
});

/** The fake machine with stacks on which only so many calls find room. */
function withRoomFor(machine: FakeMachine, calls: number): { host: Host; longest: () => number } {
  const host = machine.host();
  let longest = 0;
  const inject: NonNullable<Host['trace']>['inject'] = async (ref, chain, ms) => {
    if (chain.length > calls) return { ok: false, errno: 'ENOSPC', definite: true, milliseconds: 0, results: [], detail: 'no room on the stack' };
    longest = Math.max(longest, chain.length);
    return host.trace!.inject(ref, chain, ms);
  };
  return { host: { ...host, trace: { ...host.trace!, inject } }, longest: () => longest };
}

test('small stacks: chains are cut until they fit, private copies too', async () => {
  const machine = new FakeMachine();
  machine.add(100, { shared: 40, privates: 30, fds: 12, cwd: FS_DEV });
  const { plan, way } = planFor(machine, 'detach');
  const { host, longest } = withRoomFor(machine, 12);
  const record = await remove(host, plan, way, [FS_DEV]);
  assert.equal(record.status, 'done', JSON.stringify(record.steps.at(-1)));
  gone(machine, 'detach', 'small stacks');
  assert.ok(longest() > 4 && longest() <= 12, `${longest()} calls`);
  const left = machine.processes.get(100)?.mappings ?? [];
  assert.equal(left.length, 70, 'one mapping in the place of each, and no copy besides');
});

test('no room on any stack: refused, and the holder is as before', async () => {
  const machine = new FakeMachine();
  machine.add(100, { shared: 2, privates: 2 });
  const before = JSON.stringify(machine.processes.get(100)?.mappings);
  const { plan, way } = planFor(machine, 'detach');
  const record = await remove(withRoomFor(machine, 0).host, plan, way, [FS_DEV]);
  assert.equal(record.status, 'called-off');
  assert.match(record.steps.at(-1)?.says ?? '', /no room on the stack/);
  assert.equal(JSON.stringify(machine.processes.get(100)?.mappings), before);
  settled(machine, 'no room');
});

test('memory_failure that reports success and does nothing is not believed', async () => {
  const machine = new FakeMachine();
  machine.add(100, { shared: 1, late: true });
  const record = await start(machine.host(), machine, 'force');
  assert.equal(record.status, 'called-off');
  assert.match(record.steps.at(-1)?.says ?? '', /reported success and unmapped nothing/);
  settled(machine, 'late holder');
  assert.equal(machine.bound, true);
});

test('force: the child dies before the unbind: the holder runs and faults back, nothing is unbound', async () => {
  const machine = machineFor('force');
  const { plan, way } = planFor(machine, 'force');
  const host = machine.host();
  const unbind = way.steps.find((s) => s.action.kind === 'unbind');
  const dies = { ...host, actions: { ...host.actions!, store: { ...host.actions!.store, append: async (path: string, text: string) => {
    if (text.includes('"begin"') && text.includes(`"step":"${unbind?.id}"`)) machine.crash();
    return host.actions!.store.append(path, text);
  } } } };
  const record = await remove(dies, plan, way, [FS_DEV]);
  assert.equal(machine.bound, true);
  assert.notEqual(record.status, 'done');
  settled(machine, 'child died');
});

test('an unbind after which the kernel log tells of harm is not a success', async () => {
  const machine = machineFor('kill');
  const host = machine.host();
  const { plan, way } = planFor(machine, 'kill');
  const write = host.actions!.write;
  const actions = { ...host.actions!, write: async (...args: Parameters<typeof write>) => {
    if (args[0].endsWith('/unbind')) machine.log.push({ seconds: 1, level: 3, sequence: machine.log.length, text: 'kmem dax0.0: mapping0: 0x108000000-0x11fffffff cannot be hotremoved until the next reboot' });
    return write(...args);
  } };
  const record = await remove({ ...host, actions }, plan, way, [FS_DEV]);
  assert.notEqual(record.status, 'done');
  assert.equal(record.kernelLog.length, 1);
});

test('a removal that is still under way is not taken over', async () => {
  const machine = machineFor('detach');
  const unseat = machine.add(500);
  const { plan, way } = planFor(machine, 'detach');
  const recorded = recordHost(machine.host(), [{ at: 40, fault: { kind: 'crash', when: 'before' } }]);
  await assert.rejects(remove(recorded.host, plan, way, [FS_DEV], { own: [unseat.pid] }), Crashed);
  machine.crash();
  const journal = findJournals(machine.host())[0]!;
  for (const how of [resume, rollback]) await assert.rejects(how(machine.host(), journal.path, journal.content, { own: [501] }), /still under way, by process 500/);
  unseat.alive = false;
  assert.equal((await resume(machine.host(), journal.path, journal.content, { own: [501] })).status, 'done');
});

test('a second removal is refused while the journal of an interrupted one is there', async () => {
  const machine = await crashAt('detach', 40, 'before');
  await assert.rejects(start(machine.host(), machine, 'detach'), /interrupted/);
});
