import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RELEASES } from '../../profile/releases/index.ts';
import { GiB, MiB } from '../../range/units.ts';
import { blockOnline, stateStore } from '../drivers/base/block-state.ts';
import { bindStore, unbindStore } from '../drivers/base/dd.ts';
import { daxKmemInit } from '../drivers/dax/kmem.ts';
import { createDevDax } from '../drivers/dax/dev_dax.ts';
import type { Kernel } from '../kernel.ts';
import { iomemText, walkSystemRam } from '../resource.ts';
import { bootMachine } from '../setup/boot-machine.ts';
import { runStraight, type Path } from '../state/path.ts';
import type { Profile } from '../../profile/profile.ts';
import { brokenInvariants, brokenTables, traceOf } from './invariants.ts';
import { addMemory } from './memory_hotplug/add.ts';
import { MMOP } from './memory_hotplug/hotplug.ts';
import { offlineAndRemoveMemory, removeMemory } from './memory_hotplug/remove.ts';
import { memremapPages, memunmapPages, MEMORY_DEVICE } from './memremap.ts';
import { allocContigKernel, freeKernel } from './page_alloc.ts';
import { memoryFailureRam } from './memory_failure_ram.ts';
import { pinLongterm, spliceGet, splicePut, unpinLongterm } from './pin-ram.ts';
import { TYPE } from './page.ts';
import { userAlloc, userFolios, userFree, userPfn, userRead } from './ram-user.ts';
import { memoryBlocks } from '../drivers/base/memory.ts';

const NAMES = ['5.10', '6.1', '6.12', '7.2'] as const;
const profileOf = (name: string): Profile => RELEASES.find((p) => p.name === name)!;
/** Real kernels leave sections behind when a later one fails; the variant that reverts shows that all else is undone. */
const reverting = (name: string): Profile => ({ ...profileOf(name), mechanisms: { ...profileOf(name).mechanisms, 'section.add-pages-reverts': { value: true, source: 'test' } } });
const machine = (profile: Profile, memmapOnMemory = false): Kernel =>
  bootMachine({ profile, ram: [{ start: 0, end: GiB, nid: 0 }], memmapOnMemory, nodes: 3 });

/** Runs a path; one that waits for ever is given a signal by `task`, or given up with its state undone by the caller. */
function tryRun(k: Kernel, path: Path<number>, task: number): number {
  return runStraight(path, () => {
    if (k.heap.load(task) !== 0) return false;
    k.heap.store(task, 1);
    return true;
  });
}

interface World {
  readonly k: Kernel;
  readonly task: number;
  readonly users: { user: number; splice: boolean; long: boolean }[];
  readonly kernel: number[];
  readonly pgmaps: number[];
}

/** Whoever removes memory removes what was added, or a part of it. */
function added(k: Kernel, start: number, size: number): boolean {
  let whole = false;
  walkSystemRam(k, start, start + size, (from, to) => {
    whole ||= from === start && to === start + size;
    return true;
  });
  return whole;
}

const BASE = 4 * GiB;
const SLOTS = 4;
/** One action by number; anything may be refused, nothing may break. */
function act(w: World, what: number, a: number, b: number): void {
  const { k, task } = w;
  k.heap.store(task, 0);
  const start = BASE + (a % SLOTS) * 128 * MiB;
  const blocks = [...memoryBlocks(k).all()];
  const block = blocks[a % Math.max(1, blocks.length)] ?? 0;
  const pmem = BASE + 2 * GiB + (a % 24) * 2 * MiB;
  switch (what) {
    case 0: tryRun(k, addMemory(k, 1 + (b % 2), start, (1 + (b % 3)) * 128 * MiB, b % 2 === 0 ? 2 : 0), task); break;
    case 1: if (added(k, start, (1 + (b % 3)) * 128 * MiB)) tryRun(k, removeMemory(k, start, (1 + (b % 3)) * 128 * MiB), task); break;
    case 2: tryRun(k, stateStore(k, block, 1 + (b % 3), task), task); break;
    case 3: tryRun(k, stateStore(k, block, MMOP.offline, task), task); break;
    case 4: if (added(k, start, 128 * MiB)) tryRun(k, offlineAndRemoveMemory(k, start, 128 * MiB, task), task); break;
    case 5: {
      const user = userAlloc(k, { name: 'u', kind: b % 4 === 0 ? 'mlock' : 'anon', nid: b % 3, folios: 1 + (a % 20), order: b % 2 === 0 ? 9 : (a % 3), value: a });
      if (user !== 0) w.users.push({ user, splice: false, long: false });
      break;
    }
    case 6: {
      const entry = w.users.splice(a % Math.max(1, w.users.length), 1)[0];
      if (entry !== undefined && !entry.splice && !entry.long) userFree(k, entry.user);
      else if (entry !== undefined) w.users.push(entry);
      break;
    }
    case 7: {
      const entry = w.users[a % Math.max(1, w.users.length)];
      if (entry === undefined || userFolios(k, entry.user) === 0 || userPfn(k, entry.user, 0) < 0) break;
      if (entry.splice) splicePut(k, entry.user, 0, 1);
      else spliceGet(k, entry.user, 0, 1);
      entry.splice = !entry.splice;
      break;
    }
    case 8: {
      const entry = w.users[a % Math.max(1, w.users.length)];
      if (entry === undefined || entry.splice) break;
      if (entry.long) unpinLongterm(k, entry.user, 0, userFolios(k, entry.user));
      else if (tryRun(k, pinLongterm(k, entry.user, 0, userFolios(k, entry.user)), task) < 0) break;
      entry.long = !entry.long;
      break;
    }
    case 9: {
      const pfn = allocContigKernel(k, b % 3, 1 + (a % 8), TYPE.slab);
      if (pfn >= 0) w.kernel.push(pfn, 1 + (a % 8));
      break;
    }
    case 10: if (w.kernel.length > 0) {
      const [pfn, count] = w.kernel.splice(0, 2) as [number, number];
      freeKernel(k, pfn, count);
    } break;
    case 11: {
      const pgmap = memremapPages(k, { startPfn: pmem / 4096, endPfn: pmem / 4096 + 512 * (1 + (b % 4)), dataPfn: pmem / 4096, type: MEMORY_DEVICE.generic });
      if (pgmap > 0) w.pgmaps.push(pgmap);
      break;
    }
    default: {
      const pgmap = w.pgmaps.splice(a % Math.max(1, w.pgmaps.length), 1)[0];
      if (pgmap !== undefined) runStraight(memunmapPages(k, pgmap));
    }
  }
}

const actions = fc.array(fc.tuple(fc.nat(12), fc.nat(255), fc.nat(11)), { minLength: 1, maxLength: 40 });

for (const name of NAMES) {
  test(`6a, 7a, 8a: after any sequence of adds, removals, onlines, offlines, users and pins nothing is out of balance (${name})`, () => {
    fc.assert(fc.property(actions, fc.boolean(), (list, self) => {
      const k = machine(profileOf(name), self);
      const w: World = { k, task: k.heap.reserve(1), users: [], kernel: [], pgmaps: [] };
      for (const [what, a, b] of list) {
        act(w, what, a, b);
        assert.deepEqual(brokenInvariants(k), []);
      }
      assert.deepEqual(brokenTables(k, 0, GiB / 4096), []);
      for (const { user } of w.users) {
        const first = userRead(k, user, 0);
        for (let slot = 0; slot < userFolios(k, user); slot += 1) assert.equal(userRead(k, user, slot), first);
      }
    }), { numRuns: 60 });
  });
}

/** Every path that takes memory: run with the n-th allocation failing, for every n that is reached. */
const PATHS: Readonly<Record<string, (k: Kernel) => number>> = {
  'add_memory of three blocks': (k) => runStraight(addMemory(k, 1, BASE, 384 * MiB, 0)),
  'add_memory with the memmap on the memory': (k) => runStraight(addMemory(k, 1, BASE, 384 * MiB, 2)),
  'memremap_pages across two sections': (k) => Math.min(0, memremapPages(k, { startPfn: (BASE + 64 * MiB) / 4096, endPfn: (BASE + 192 * MiB) / 4096, dataPfn: BASE / 4096, type: MEMORY_DEVICE.generic })),
};

for (const [what, run] of Object.entries(PATHS)) {
  test(`7f: ${what}: an allocation that fails at any point leaves no trace`, () => {
    for (const name of NAMES) {
      for (let n = 1; ; n += 1) {
        const k = machine(reverting(name), true);
        const before = traceOf(k) + iomemText(k);
        k.failAllocation(n);
        const ret = run(k);
        const reached = !k.failurePending;
        k.failAllocation(0);
        assert.deepEqual(brokenInvariants(k), [], `${name}, allocation ${n}`);
        if (!reached) break;
        assert.ok(ret < 0, `${name}, allocation ${n}: ${ret}`);
        if (ret < 0) assert.equal(traceOf(k) + iomemText(k), before, `${name}, allocation ${n}`);
        assert.ok(n < 100);
      }
    }
  });
}

test('7f: kmem over two ranges: every allocation that fails in probe leaves what kmem itself would keep', () => {
  for (const name of NAMES) {
    for (let n = 1; n < 40; n += 1) {
      const k = machine(reverting(name));
      const kmem = daxKmemInit(k);
      const dev = runStraight(createDevDax(k, { name: 'dax0.0', ranges: [{ start: BASE, end: BASE + 128 * MiB }, { start: BASE + GiB, end: BASE + GiB + 128 * MiB }], targetNode: 1 }));
      const before = traceOf(k) + iomemText(k);
      k.failAllocation(n);
      const ret = runStraight(bindStore(k, kmem, dev));
      const reached = !k.failurePending;
      k.failAllocation(0);
      assert.deepEqual(brokenInvariants(k), [], `${name}, allocation ${n}`);
      if (ret < 0) assert.equal(traceOf(k) + iomemText(k), before, `${name}, allocation ${n}`);
      else assert.equal(runStraight(unbindStore(k, kmem, dev)), 0);
      assert.equal(traceOf(k) + iomemText(k), before, `${name}, allocation ${n}, after unbind`);
      if (!reached) break;
    }
  }
});

test('6a: an allocation that fails while a block is emptied only delays it: nothing is lost', () => {
  for (const name of NAMES) {
    for (let n = 1; n < 20; n += 1) {
      const k = machine(profileOf(name));
      runStraight(addMemory(k, 1, BASE, 128 * MiB, 0));
      runStraight(blockOnline(k, 32, MMOP.onlineMovable));
      const user = userAlloc(k, { name: 'u', kind: 'anon', nid: 1, folios: 8, order: 9, thisNode: true, value: 9 });
      k.failAllocation(n);
      const ret = runStraight(stateStore(k, 32, MMOP.offline, 0), () => true);
      const reached = !k.failurePending;
      k.failAllocation(0);
      assert.equal(ret, 0);
      for (let slot = 0; slot < 8; slot += 1) assert.equal(userRead(k, user, slot), 9);
      assert.deepEqual(brokenInvariants(k), []);
      if (!reached) break;
    }
  }
});

test('6a: memory_failure of any frame keeps the counts', () => {
  fc.assert(fc.property(fc.array(fc.nat(GiB / 4096 - 1), { maxLength: 20 }), (pfns) => {
    const k = machine(profileOf('7.2'));
    userAlloc(k, { name: 'u', kind: 'anon', nid: 0, folios: 50, order: 9, value: 1 });
    for (const pfn of pfns) memoryFailureRam(k, pfn);
    assert.deepEqual(brokenTables(k, 0, GiB / 4096), []);
    assert.deepEqual(brokenInvariants(k).filter((line) => !line.includes('free')), []);
  }), { numRuns: 30 });
});
