/** System 3: who maps this? Four ways to find out, what they miss and what they cost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MiB } from '../../range/units.ts';
import { buildProfile } from '../../profile/build.ts';
import type { Profile } from '../../profile/profile.ts';
import type { Entries } from '../../profile/mechanisms/index.ts';
import { pmemDax } from '../drivers/nvdimm/pmem.ts';
import { removalDesign, unmapAllInodes, unmapByMemmap, unmapByPageTables } from '../drivers/nvdimm/removal-designs.ts';
import { costsOf, resetCosts, type Costs } from '../mm/costs.ts';
import { addPmem, createFile, mountFs, mountMulti, unbindPmem } from '../setup/fsdax.ts';
import { presentPages, touchTest } from '../setup/look.ts';
import { addProcess, mapFile, touchAll } from '../setup/process.ts';
import { makeMachine } from '../setup/boot-machine.ts';
import { must, run, Stepped } from '../setup/run.ts';
import { FsdaxScene } from '../truth/fsdax-scene.ts';
import { profile } from '../truth/clauses.ts';
import { CORRUPT, corruptRange } from './corrupt-range.ts';
import { SB, SB_SHUTDOWN, sbHas } from './inode.ts';
import { reflink } from './truncate.ts';
import { evictInodes } from './super.ts';
import { TASK } from '../task.ts';

const ext4 = { fs: { type: 'ext4' } } as const;
const WALKS = ['inode-walk', 'page-walk', 'page-table-walk', 'corrupt-range', 'dev-pagemap-failure-all'] as const;
const over = (name: string, entries: Entries): Profile => buildProfile({ name: 'test', release: null, summary: '', entries }, profile(name));

for (const name of WALKS) {
  test(`3a to 3d: ${name} leaves no mapping of a quiet holder, at 2 MiB, 4 KiB and private`, () => {
    const s = new FsdaxScene(profile(name), ext4);
    s.hold();
    s.hold({ offBy: 1 });
    s.hold({ private: true }, {}, 'read');
    s.stopAll();
    s.unbind();
    assert.equal(s.unbound?.rc, 0);
    assert.equal(s.holders.reduce((sum, h) => sum + s.present(h.task), 0), 0);
  });
}

test('3a: the inode walk is unspecific: pages of healthy files go too, and fault back; pages of the removed device do not', () => {
  const k = makeMachine({ profile: profile('7.2') });
  const [bad, good] = [addPmem(k, { start: 0x100000000, size: 128 * MiB }), addPmem(k, { name: 'pfn1.0', start: 0x110000000, size: 128 * MiB })];
  const sb = mountMulti(k, [good, bad]);
  const files = [0, 1].map((dev) => createFile(k, sb, { pages: 512, extents: [{ file: 0, device: 512, pages: 512, shared: false, dev }] }));
  const task = addProcess(k);
  const vmas = files.map((file) => mapFile(k, task, file));
  for (const vma of vmas) touchAll(k, task, vma, 'write');
  const dax = pmemDax(k, bad);
  resetCosts(k);
  must(k, unmapAllInodes(k, dax), 'walk');
  assert.equal(costsOf(k)?.healthyZapped, 1, 'one 2 MiB entry of the healthy device');
  assert.equal(presentPages(k, task, 0x100000, 0x120000), 0, 'both files were unmapped');
  unbindPmem(k, bad);
  assert.equal(touchTest(k, task, vmas[0] as number, 'read').ok, 512);
  assert.equal(touchTest(k, task, vmas[1] as number, 'read').sigbus, 512);
});

test('3a: an inode that appears during the walk, before the place where it stands, is missed; one that goes does no harm', () => {
  const s = new FsdaxScene(profile('7.2'), ext4);
  s.hold();
  const walk = new Stepped(s.k, unmapAllInodes(s.k, pmemDax(s.k, s.dev)));
  assert.equal(walk.until('unmap_mapping_range'), true);
  const late = s.hold({}, {}, 'write', createFile(s.k, s.sb, { pages: 512, name: 'late' }));
  walk.finish();
  assert.equal(s.present(late.task), 512, 'new inodes go to the head of the list');
  const again = new Stepped(s.k, unmapAllInodes(s.k, pmemDax(s.k, s.dev)));
  again.until('drop_pagecache_sb: next inode');
  createFile(s.k, s.sb, { pages: 1, name: 'gone' });
  run(s.k, evictInodes(s.k, s.sb));
  assert.equal(again.finish().oops, null);
});

test('3b: the page walk follows page->mapping: a reflinked page has none, and stays', () => {
  const s = new FsdaxScene(profile('7.2'), { fs: { type: 'xfs', rmapbt: true, reflink: true }, file: { pages: 4 } });
  const clone = createFile(s.k, s.sb, { pages: 4, name: 'clone' });
  reflink(s.k, s.file, clone);
  const [a, b] = [s.hold({}, {}, 'read'), s.hold({}, {}, 'read', clone)];
  must(s.k, unmapByMemmap(s.k, s.range[0], s.range[1]), 'walk');
  assert.deepEqual([s.present(a.task), s.present(b.task)], [4, 4]);
  must(s.k, unmapByPageTables(s.k, s.range[0], s.range[1]), 'walk');
  assert.deepEqual([s.present(a.task), s.present(b.task)], [0, 0]);
});

test('3c: the page-table walk finds what no file knows and leaves healthy pages and private copies alone', () => {
  const s = new FsdaxScene(profile('7.2'), ext4);
  const h = s.hold({ private: true, offBy: 1 }, {}, 'read');
  s.hold();
  run(s.k, removalDesign(s.k, 0, 0));
  touchTest(s.k, h.task, h.vma, 'write');
  must(s.k, unmapByPageTables(s.k, s.range[0], s.range[1]), 'walk');
  assert.equal(s.present(s.holders[1]?.task as number), 0);
  assert.equal(touchTest(s.k, h.task, h.vma, 'read').ok, 1024);
});

test('3d: the reverse map finds every file of a reflinked extent, and several files', () => {
  for (const name of ['6.12', 'xfs-count-clamped']) {
    const s = new FsdaxScene(profile(name), { fs: { type: 'xfs', rmapbt: true, reflink: true }, file: { pages: 4 } });
    const clone = createFile(s.k, s.sb, { pages: 4, name: 'clone' });
    reflink(s.k, s.file, clone);
    s.hold({}, {}, 'read');
    s.hold({}, {}, 'read', clone);
    s.hold({}, {}, 'write', createFile(s.k, s.sb, { pages: 8, name: 'other' }));
    s.unbind();
    assert.deepEqual(s.holders.map((h) => s.present(h.task)), [0, 0, 0], name);
  }
});

test('3e: the range holds data, metadata or free space: readers are told, the file system shuts down, or nothing', () => {
  const s = new FsdaxScene(profile('corrupt-range'), { fs: { type: 'xfs', rmapbt: true }, file: { pages: 512 } });
  const h = s.hold();
  const dax = pmemDax(s.k, s.dev);
  const groupPages = s.k.heap.load(s.sb + SB.groupPages);
  assert.equal(run(s.k, corruptRange(s.k, dax, groupPages - 8, 8)).rc, CORRUPT.free);
  assert.equal(s.present(h.task), 512);
  assert.equal(run(s.k, corruptRange(s.k, dax, 512, 1)).rc, CORRUPT.data);
  assert.equal(s.present(h.task), 0);
  assert.notEqual(s.k.heap.load(h.task + TASK.pending), 0, 'data loss is reported');
  assert.equal(sbHas(s.k, s.sb, SB_SHUTDOWN), false);
  assert.equal(run(s.k, corruptRange(s.k, dax, 0, 1)).rc, CORRUPT.metadata);
  assert.equal(sbHas(s.k, s.sb, SB_SHUTDOWN), true);
});

test('3e: a separate log device that fails takes the file system down', () => {
  const k = makeMachine({ profile: profile('6.12') });
  const [data, log] = [addPmem(k, { start: 0x100000000, size: 128 * MiB }), addPmem(k, { name: 'pfn1.0', start: 0x110000000, size: 128 * MiB })];
  const sb = mountFs(k, data, { type: 'xfs', rmapbt: true });
  k.heap.store(sb + SB.logDev, pmemDax(k, log));
  k.heap.store(pmemDax(k, log) + 1, sb);
  k.heap.store(pmemDax(k, log) + 2, k.heap.load(sb + SB.type));
  unbindPmem(k, log);
  assert.equal(sbHas(k, sb, SB_SHUTDOWN), true);
});

test('3e: one device of several goes while the file system lives: "device unplug" is not "file system dead"', () => {
  for (const [gone, dead] of [[1, false], [0, true]] as const) {
    const k = makeMachine({ profile: profile('6.12') });
    const devs = [addPmem(k, { start: 0x100000000, size: 128 * MiB }), addPmem(k, { name: 'pfn1.0', start: 0x110000000, size: 128 * MiB })];
    const sb = mountMulti(k, devs);
    const files = [0, 1].map((dev) => createFile(k, sb, { pages: 512, extents: [{ file: 0, device: 512, pages: 512, shared: false, dev }] }));
    const spans = createFile(k, sb, { pages: 8, extents: [{ file: 0, device: 1200, pages: 4, shared: false, dev: 0 }, { file: 4, device: 1200, pages: 4, shared: false, dev: 1 }] });
    const task = addProcess(k);
    const vmas = [...files, spans].map((file) => mapFile(k, task, file));
    for (const vma of vmas) touchAll(k, task, vma, 'write');
    unbindPmem(k, devs[gone] as number);
    assert.equal(sbHas(k, sb, SB_SHUTDOWN), dead);
    const counts = vmas.map((vma) => touchTest(k, task, vma, 'read').sigbus);
    assert.deepEqual(counts, gone === 1 ? [0, 512, 4] : [512, 0, 4], 'which files span the device was found');
  }
});

/** What a design costs on a machine of the given size. */
function cost(name: string, input: { pages: number; inodes: number; processes: number; offBy?: number }): Costs {
  const s = new FsdaxScene(over(name, { 'fsdax.mark-dead-shuts-down': { value: false, source: 'test' } }), { fs: { type: 'ext4' }, file: { pages: input.pages } });
  for (let i = 1; i < input.inodes; i += 1) createFile(s.k, s.sb, { pages: 1, align: 1, name: `f${i}` });
  for (let i = 0; i < input.processes; i += 1) s.hold({ offBy: input.offBy ?? 0 });
  resetCosts(s.k);
  s.unbind();
  return { ...(costsOf(s.k) as Costs) };
}

test('3f: dev_pagemap_failure() grows with the pages of the device times processes, mapped or not', () => {
  const [one, two] = [cost('dev-pagemap-failure-all', { pages: 512, inodes: 1, processes: 1 }), cost('dev-pagemap-failure-all', { pages: 512, inodes: 1, processes: 2 })];
  assert.equal(one.pagesVisited, (512 - 2) * 256, 'every data page of the namespace');
  assert.equal(two.tasksVisited, 2 * one.tasksVisited);
});

test('3f: the inode walk grows with inodes, the reverse map with extents, the page-table walk with entries', () => {
  assert.equal(cost('inode-walk', { pages: 512, inodes: 30, processes: 1 }).inodesVisited, 30);
  assert.equal(cost('corrupt-range', { pages: 512, inodes: 30, processes: 1 }).extentsVisited, 30);
  const [big, small] = [0, 1].map((offBy) => cost('page-table-walk', { pages: 512, inodes: 30, processes: 3, offBy }).entriesVisited);
  assert.equal(big, 3, 'one entry for each process at 2 MiB');
  assert.ok((small as number) >= 3);
});

test('3f: collateral: the inode walk unmaps what was healthy, kills nobody; the mass call signals every holder', () => {
  assert.equal(cost('inode-walk', { pages: 512, inodes: 2, processes: 3 }).signalsSent, 0);
  assert.equal(cost('dev-pagemap-failure-all', { pages: 512, inodes: 2, processes: 3 }).signalsSent, 3);
});

