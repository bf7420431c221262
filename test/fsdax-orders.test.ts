/** Clauses of systems 1, 2, 4 and 5 that are a matter of order: every interleaving of the kernel's own paths. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BreadthFirst } from '../src/explore/breadth-first.ts';
import type { Verdict } from '../src/explore/verdict.ts';
import { unbindStore } from '../src/kernel/drivers/base/dd.ts';
import { deviceDaxDriver } from '../src/kernel/drivers/dax/bus.ts';
import { ndPmemDriver } from '../src/kernel/drivers/nvdimm/pmem.ts';
import type { Kernel } from '../src/kernel/kernel.ts';
import { truncateFile } from '../src/kernel/fs/truncate.ts';
import { userRead, userWrite } from '../src/kernel/mm/access.ts';
import { exitTask } from '../src/kernel/mm/exit.ts';
import { hardOfflinePage } from '../src/kernel/mm/memory-failure.ts';
import { walkTask, WALK_PAGEMAP } from '../src/kernel/mm/walkers.ts';
import { tasksOf } from '../src/kernel/task.ts';
import { getUserPage, gupFast } from '../src/kernel/mm/gup.ts';
import { FOLL_GET } from '../src/kernel/mm/gup-flags.ts';
import { putPage } from '../src/kernel/mm/page_ref.ts';
import { vmaStart } from '../src/kernel/mm/mm_struct.ts';
import { KernelOops } from '../src/kernel/oops.ts';
import { addDevDax, devDaxInode } from '../src/kernel/setup/devdax.ts';
import { addPmem, createFile, mountFs, pmemRange } from '../src/kernel/setup/fsdax.ts';
import { presentPages } from '../src/kernel/setup/look.ts';
import { addProcess, mapFile, touchAll } from '../src/kernel/setup/process.ts';
import { makeMachine } from '../src/kernel/setup/boot-machine.ts';
import { AT, type Path, type PathFunction } from '../src/kernel/state/path.ts';
import { profile } from '../src/kernel/truth/clauses.ts';
import { buildProfile } from '../src/profile/build.ts';
import type { Entries } from '../src/profile/mechanisms/index.ts';
import { MiB } from '../src/range/units.ts';
import type { Profile } from '../src/profile/profile.ts';

let clock = 0;
const now = (): number => (clock += 1);
const START = 0x100000000;
const FOUR_PAGES = 4 * MiB - 4 * 4096;

interface Scene {
  readonly k: Kernel;
  readonly file?: number;
  readonly pfn?: number;
  readonly task: number;
  readonly vpn: number;
  readonly remover: { path: PathFunction<Kernel>; args: readonly number[] };
  readonly stale: (k: Kernel) => boolean;
}

/** Four data pages, one file of one page, one process; `mapped`: the page is faulted in before. */
function fsdax(p: Profile, mapped: boolean): Scene {
  const k = makeMachine({ profile: p, concurrent: true, ram: [{ start: 0, end: 256 * MiB, nid: 0 }] });
  const dev = addPmem(k, { start: START, size: 4 * MiB, dataOffset: FOUR_PAGES });
  const sb = mountFs(k, dev, { type: 'ext4' });
  const file = createFile(k, sb, { pages: 1, extents: [{ file: 0, device: 2, pages: 1, shared: false, dev: 0 }] });
  const task = addProcess(k);
  const vma = mapFile(k, task, file);
  if (mapped) touchAll(k, task, vma, 'write');
  const range = pmemRange(k, dev);
  return { k, file, pfn: range[1] - 2, task, vpn: vmaStart(k, vma), remover: { path: unbindStore, args: [ndPmemDriver(k), dev] }, stale: (c) => presentPages(c, task, ...range) > 0 };
}

function devdax(p: Profile, mapped: boolean): Scene {
  const k = makeMachine({ profile: p, concurrent: true, ram: [{ start: 0, end: 256 * MiB, nid: 0 }] });
  const dev = addDevDax(k, { start: START, size: 4 * MiB, align: 4096, dataOffset: FOUR_PAGES });
  const task = addProcess(k);
  const vma = mapFile(k, task, devDaxInode(k, dev), { pages: 1 });
  if (mapped) touchAll(k, task, vma, 'write');
  return { k, task, vpn: vmaStart(k, vma), remover: { path: unbindStore, args: [deviceDaxDriver(k), dev] }, stale: (c) => presentPages(c, task, START / 4096, START / 4096 + 1024) > 0 };
}

/** A reference taken and put back: FOLL_GET by GUP-fast alone. */
function* getAndPut(k: Kernel, task: number, vpn: number): Path {
  const pfn = yield* k.call(gupFast, task, vpn, FOLL_GET);
  if (pfn < 0) return 0;
  if (k.concurrent) yield AT('put_page');
  putPage(k, pfn, 1, 'put_page');
  return 1;
}

/** The same, the reference kept until the end of time. */
function* getAndKeep(k: Kernel, task: number, vpn: number): Path {
  return (yield* k.call(gupFast, task, vpn, FOLL_GET)) < 0 ? 0 : 1;
}

function explore(s: Scene, user: PathFunction<Kernel>, ...more: number[]): Verdict {
  return new BreadthFirst<Kernel>({
    name: 'order', context: s.k, threads: [{ name: 'user', path: user, args: [s.task, s.vpn, ...more] }, { name: 'remover', ...s.remover }],
    properties: [{ name: 'stale', kind: 'never', holds: (c, done) => done(1) !== undefined && s.stale(c) }],
  }, { now, all: true, maxStates: 200_000 }).run();
}

const found = (v: Verdict): string[] => [...new Set(v.violations.map((x) => (x.kind === 'never' ? x.property : x.kind)))].sort();
const over = (base: string, entries: Entries): Profile => buildProfile({ name: 'test', release: null, summary: '', entries }, profile(base));
const source = 'test';

test('1b: the third patch without the second: GUP-fast takes a page whose memmap has gone', () => {
  assert.deepEqual(found(explore(fsdax(profile('dev-pagemap-failure-3-alone'), true), getAndPut)), ['oops', 'stale']);
});

test('1b: with the second patch GUP-fast without the pagemap reference is safe', () => {
  const v = explore(fsdax(profile('dev-pagemap-failure-all'), true), getAndPut);
  assert.deepEqual([found(v), v.complete], [[], true]);
});

test('1b: 5.10 itself: the pagemap reference keeps GUP-fast safe although the mapping stays', () => {
  assert.deepEqual(found(explore(fsdax(profile('5.10'), true), getAndPut)), ['stale']);
});

test('2a: GUP-fast rests on the grace period: without it even an unmap before the teardown is not enough', () => {
  const walk: Entries = { 'fsdax.removal-design': { value: 'inode-walk', source } };
  assert.deepEqual(found(explore(fsdax(over('7.2', walk), true), getAndKeep)), []);
  assert.deepEqual(found(explore(fsdax(over('7.2', { ...walk, 'gup.irqs-off-grace-period': { value: false, source } }), true), getAndKeep)), ['oops']);
});

test('2a: a kept reference is no protection from 5.18 on, and makes the teardown wait before', () => {
  const walk: Entries = { 'fsdax.removal-design': { value: 'inode-walk', source } };
  assert.deepEqual(found(explore(fsdax(over('7.2', walk), true), getAndKeep)), []);
  assert.deepEqual(found(explore(devdax(profile('5.10'), true), getAndKeep)), ['hang']);
});

test('2a: slow GUP checks under the page-table lock', () => {
  const v = explore(devdax(profile('7.2'), true), getUserPage, FOLL_GET);
  assert.deepEqual([found(v), v.complete], [[], true]);
});

test('4a: a fault against the removal: a mapping made in the window stays, and one made too late touches freed pages', () => {
  for (const name of ['5.10', '6.1', '6.12', '7.2']) assert.deepEqual(found(explore(fsdax(profile(name), false), userRead)), ['oops', 'stale'], name);
});

test('4c: unmap then dead loses to a fault, dead then unmap too: a fault that has its pfn inserts it late', () => {
  for (const name of ['inode-walk-before-dead', 'inode-walk']) assert.deepEqual(found(explore(fsdax(profile(name), false), userRead)), ['oops', 'stale'], name);
});

test('4c: dev_pagemap_failure() misses a page that a fault has not yet associated with its file', () => {
  assert.ok(found(explore(fsdax(profile('dev-pagemap-failure-all'), false), userRead)).includes('stale'));
});

test('4c: locked out: dead first, and faults hold dax_read_lock until their entry is there', () => {
  for (const user of [userRead, userWrite]) {
    const v = explore(fsdax(profile('inode-walk-locked'), false), user, 5);
    assert.deepEqual([found(v), v.complete], [[], true]);
  }
});

test('5a: one inode to unmap: kill_dev_dax in its order leaves no mapping, whatever a fault does', () => {
  for (const name of ['5.10', '6.12', '7.2']) {
    const v = explore(devdax(profile(name), false), userRead);
    assert.deepEqual([found(v), v.complete], [[], true], name);
  }
});

test('5a: unmap before dead: a fault in between leaves a mapping', () => {
  assert.ok(found(explore(devdax(profile('devdax-unmap-then-dead'), false), userRead)).includes('stale'));
});

test('5b: a pin against the removal of device-dax: 5.10 waits, 6.1 and later do not and the put oopses', () => {
  assert.deepEqual(found(explore(devdax(profile('5.10'), true), getAndPut)), []);
  for (const name of ['6.1', '6.12', '7.2']) assert.deepEqual(found(explore(devdax(profile(name), true), getAndPut)), ['oops'], name);
  assert.deepEqual(found(explore(devdax(profile('devdax-waits-for-pins'), true), getAndPut)), []);
});

/** Two paths against each other, whatever they are. */
function against(s: Scene, ...paths: { path: PathFunction<Kernel>; args: readonly number[] }[]): string[] {
  const v = new BreadthFirst<Kernel>({ name: 'order', context: s.k, threads: paths.map((p, i) => ({ name: `t${i}`, ...p })), properties: [] }, { now, all: true, maxStates: 200_000 }).run();
  assert.equal(v.complete, true);
  return found(v);
}

test('1d: a truncate or an exit against memory_failure(): the entry lock keeps them apart, in every order', () => {
  for (const name of ['5.10', '6.1', '6.12', '7.2']) {
    const fail = (s: Scene) => ({ path: hardOfflinePage, args: [s.pfn as number] });
    const [a, b] = [fsdax(profile(name), true), fsdax(profile(name), true)];
    for (const s of [a, b]) s.k.heap.store(tasksOf(s.k).earlyKill, 1);
    assert.deepEqual(against(a, { path: truncateFile, args: [a.file as number, 0] }, fail(a)), [], name);
    assert.deepEqual(against(b, { path: exitTask, args: [b.task] }, fail(b)), [], name);
  }
});

test('1e: exit, truncate and pagemap against the unbind: 7.2 oopses in each, 6.12 in truncate only', () => {
  const acts: Readonly<Record<string, (s: Scene) => { path: PathFunction<Kernel>; args: readonly number[] }>> = {
    exit: (s) => ({ path: exitTask, args: [s.task] }),
    pagemap: (s) => ({ path: walkTask, args: [s.task, WALK_PAGEMAP] }),
    truncate: (s) => ({ path: truncateFile, args: [s.file as number, 0] }),
  };
  for (const [name, expected] of [['6.12', { exit: [], pagemap: [], truncate: ['oops'] }], ['7.2', { exit: ['oops'], pagemap: ['oops'], truncate: ['oops'] }]] as const) {
    for (const [what, act] of Object.entries(acts)) {
      const s = fsdax(profile(name), true);
      assert.deepEqual(against(s, act(s), s.remover), expected[what as keyof typeof expected], `${name} ${what}`);
    }
  }
});

test('the oops of a path is known to the explorer', () => {
  assert.equal(new KernelOops('page-fault', 'text', 'where', 1).name, 'KernelOops');
});
