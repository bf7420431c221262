/** Memory hotplug under every interleaving: the explorer runs the simulated kernel's own paths. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BreadthFirst } from '../src/explore/breadth-first.ts';
import { blockOnline, stateStore } from '../src/kernel/drivers/base/block-state.ts';
import { blockState, MEM } from '../src/kernel/drivers/base/memory.ts';
import type { Kernel } from '../src/kernel/kernel.ts';
import { addMemory } from '../src/kernel/mm/memory_hotplug/add.ts';
import { MMOP } from '../src/kernel/mm/memory_hotplug/hotplug.ts';
import { removeMemory } from '../src/kernel/mm/memory_hotplug/remove.ts';
import { pfnValidRacy } from '../src/kernel/mm/pfn.ts';
import { spliceGet, splicePut } from '../src/kernel/mm/pin-ram.ts';
import { memunmapPages, memremapPages, MEMORY_DEVICE } from '../src/kernel/mm/memremap.ts';
import { userAlloc, userPfn, userRead } from '../src/kernel/mm/ram-user.ts';
import { bootMachine } from '../src/kernel/setup/boot-machine.ts';
import { AT, runStraight, type Path } from '../src/kernel/state/path.ts';
import { RELEASES } from '../src/profile/releases/index.ts';
import { GiB, MiB } from '../src/range/units.ts';

let ticks = 0;
const now = (): number => (ticks += 1);
const START = 256 * MiB;
/** Sections and blocks of 2 MiB, so that states stay small; one hot-added MOVABLE block on node 1. */
function machine(name: string): Kernel {
  const k = bootMachine({
    profile: RELEASES.find((p) => p.name === name)!, quietLog: true, nodes: 2, ram: [{ start: 0, end: 32 * MiB, nid: 0 }],
    geometry: { sectionSize: 2 * MiB, memoryBlockSize: 2 * MiB, physicalBits: 30 },
  });
  assert.equal(runStraight(addMemory(k, 1, START, 2 * MiB, 0)), 0);
  assert.equal(runStraight(blockOnline(k, START / (2 * MiB), MMOP.onlineMovable)), 0);
  return k;
}
const ID = START / (2 * MiB);

/** A pipe takes a page and gives it back. */
function* splicer(k: Kernel, user = 0): Path<number> {
  yield AT('vmsplice: get_user_pages');
  spliceGet(k, user, 0, 1);
  yield AT('close the pipe');
  splicePut(k, user, 0, 1);
  return 0;
}

test('6a: offline against a pin that comes and goes: it ends in every order, and the data is whole', () => {
  for (const name of ['5.10', '7.2']) {
    const k = machine(name);
    const user = userAlloc(k, { name: 'u', kind: 'anon', nid: 1, folios: 1, order: 0, thisNode: true, value: 9 });
    k.concurrent = true;
    const verdict = new BreadthFirst<Kernel>({
      name: 'offline and pin', context: k,
      threads: [{ name: 'offline', path: stateStore, args: [ID, MMOP.offline, 0] }, { name: 'pipe', path: splicer, args: [user] }],
      properties: [
        { name: 'the block is offline', kind: 'finally', holds: (c) => blockState(c, ID) === MEM.offline },
        { name: 'the data is whole', kind: 'never', holds: (c) => userRead(c, user, 0) !== 9 },
        { name: 'the page has left the block', kind: 'finally', holds: (c) => userPfn(c, user, 0) < START / 4096 },
        { name: 'the pin meets a block that is going offline', kind: 'sometimes', holds: (c) => blockState(c, ID) === MEM.goingOffline },
      ],
    }, { now }).run();
    assert.deepEqual(verdict.violations.map((v) => v.property), [], name);
    assert.equal(verdict.complete, true);
  }
});

test('6a, 8a: two shells write offline and remove at once: one wins, nothing is removed while it is online', () => {
  const k = machine('7.2');
  k.concurrent = true;
  const verdict = new BreadthFirst<Kernel>({
    name: 'offline and remove', context: k,
    threads: [{ name: 'offline', path: stateStore, args: [ID, MMOP.offline, 0] }, { name: 'remove', path: removeMemory, args: [START, 2 * MiB] }],
    properties: [
      { name: 'removed although it was online', kind: 'never', holds: (c, done) => done(1) === 0 && done(0) === undefined && blockState(c, ID) === MEM.online },
      { name: 'remove came first and was refused', kind: 'sometimes', holds: (_c, done) => done(1) === -16 },
      { name: 'offline came first', kind: 'sometimes', holds: (_c, done) => done(0) === 0 && done(1) === 0 },
    ],
  }, { now }).run();
  assert.deepEqual(verdict.violations.map((v) => v.property), []);
});

test('2e: pfn_valid against a removal: use of freed usage on 6.1, none on 6.12, in any order', () => {
  for (const [name, oops] of [['6.1', true], ['6.12', false]] as const) {
    const k = bootMachine({ profile: RELEASES.find((p) => p.name === name)!, quietLog: true, nodes: 1, ram: [{ start: 0, end: 64 * MiB, nid: 0 }], geometry: { physicalBits: 33 } });
    const pfn = (4 * GiB) / 4096;
    const pgmap = memremapPages(k, { startPfn: pfn, endPfn: pfn + 512, dataPfn: pfn, type: MEMORY_DEVICE.fsdax });
    assert.ok(pgmap > 0);
    k.concurrent = true;
    const verdict = new BreadthFirst<Kernel>({
      name: 'pfn_valid and removal', context: k,
      threads: [{ name: 'remover', path: memunmapPages, args: [pgmap] }, { name: 'reader', path: pfnValidRacy, args: [pfn] }],
      properties: [],
    }, { now }).run();
    assert.equal(verdict.violations.length > 0, oops, name);
  }
});
