/** Clauses 1f and 1g: fsdax itself, and memmaps that lie elsewhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MiB } from '../../range/units.ts';
import { PROPOSED } from '../../profile/proposals/index.ts';
import { assignOwner, peekMedium } from '../domains.ts';
import { addPmem, createFile, mountFs, unbindPmem } from '../setup/fsdax.ts';
import { addDevDax, devDaxInode } from '../setup/devdax.ts';
import { touchTest } from '../setup/look.ts';
import { addProcess, mapFile, touchAll } from '../setup/process.ts';
import { makeMachine } from '../setup/boot-machine.ts';
import { must, run, Stepped } from '../setup/run.ts';
import { FsdaxScene } from '../truth/fsdax-scene.ts';
import { profile, RELEASES } from '../truth/clauses.ts';
import { userRead, userWrite } from '../mm/access.ts';
import { fork } from '../mm/fork.ts';
import { loseMemmapIn } from '../mm/memremap.ts';
import { mlock, munmap } from '../mm/mmap.ts';
import { mmOf, regionPage, VMA, vmaEnd, vmasOf, vmaStart, VM_LOCKED } from '../mm/mm_struct.ts';
import { PTE_WRITE, walk, type Found } from '../mm/pgtable.ts';
import { PIN_KINDS, pinPages } from '../mm/pin-holders.ts';
import { memmapBacking } from '../mm/sparse-vmemmap.ts';
import { fdClose } from './file.ts';
import { DAX_DIRTY, DAX_LOCKED, entryFlags, findEntry } from './dax-entry.ts';
import { reflink, truncateFile } from './truncate.ts';
import { syncInode } from './sync.ts';

const ext4 = { fs: { type: 'ext4' } } as const;
const entryOf = (s: FsdaxScene, vma: number, page = 0): Found => walk(s.k.heap, s.k.heap.load(vma + VMA.region), regionPage(s.k, vma, vmaStart(s.k, vma) + page));

for (const release of RELEASES) {
  test(`1f: faults at 2 MiB where address, file and device agree, at 4 KiB where not (${release.name})`, () => {
    const s = new FsdaxScene(release, ext4);
    const [big, small] = [s.hold(), s.hold({ offBy: 1 })];
    assert.deepEqual([entryOf(s, big.vma).level, entryOf(s, small.vma).level], [2, 1]);
    assert.deepEqual([s.present(big.task), s.present(small.task)], [1024, 1024]);
  });

  test(`1f: device-dax faults at its alignment and no other: 4 KiB, 2 MiB, 1 GiB (${release.name})`, () => {
    for (const [align, level] of [[4096, 1], [2 * MiB, 2], [1024 * MiB, 3]] as const) {
      const k = makeMachine({ profile: release, ram: [{ start: 0, end: 3072 * MiB, nid: 0 }] });
      const dev = addDevDax(k, { start: 0x100000000, size: 2048 * MiB, align, dataOffset: 1024 * MiB });
      const task = addProcess(k);
      const vma = mapFile(k, task, devDaxInode(k, dev), { pages: 262144 });
      must(k, userWrite(k, task, vmaStart(k, vma), 1), 'touch');
      assert.equal(walk(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vmaStart(k, vma))).level, level);
    }
  });
}

test('1f: a private mapping reads the device and keeps its own copies of what it writes', () => {
  const s = new FsdaxScene(profile('6.12'), ext4);
  const w = s.hold();
  const h = s.hold({ private: true }, {}, 'read');
  const vpn = vmaStart(s.k, h.vma);
  run(s.k, userWrite(s.k, h.task, vpn + 3, 777));
  assert.equal(run(s.k, userRead(s.k, h.task, vpn + 3)).rc, 777);
  assert.equal(run(s.k, userRead(s.k, w.task, vmaStart(s.k, w.vma) + 3)).rc, 4);
  run(s.k, userWrite(s.k, w.task, vmaStart(s.k, w.vma) + 4, 888));
  assert.equal(run(s.k, userRead(s.k, h.task, vpn + 4)).rc, 888, 'what was not copied is still the file');
});

test('1f: fork shares DAX mappings by faulting again, and private copies until one side writes', () => {
  const s = new FsdaxScene(profile('7.2'), ext4);
  const h = s.hold({ private: true, offBy: 1 }, {}, 'write');
  const child = must(s.k, fork(s.k, h.task), 'fork');
  const vpn = vmaStart(s.k, h.vma);
  run(s.k, userWrite(s.k, child, vpn, 500));
  assert.equal(run(s.k, userRead(s.k, h.task, vpn)).rc, 1);
  assert.equal(run(s.k, userRead(s.k, child, vpn)).rc, 500);
  const shared = s.hold();
  const other = must(s.k, fork(s.k, shared.task), 'fork');
  assert.equal(s.present(other), 0);
  touchTest(s.k, other, [...vmasOf(s.k, mmOf(s.k, other))][0] as number, 'read');
  assert.equal(s.present(other), 1024);
});

test('1f: mlock faults in and does not keep a device from unmapping', () => {
  const s = new FsdaxScene(profile('6.12'), { fs: { type: 'xfs', rmapbt: true } });
  const task = addProcess(s.k);
  const vma = mapFile(s.k, task, s.file);
  must(s.k, mlock(s.k, task, vmaStart(s.k, vma)), 'mlock');
  assert.equal(s.present(task), 1024);
  assert.notEqual(s.k.heap.load(vma + VMA.flags) & VM_LOCKED, 0);
  s.unbind();
  assert.equal(s.present(task), 0);
});

test('1f: a MAP_SYNC write fault puts the metadata in the log before the entry is writable; other mappings do not', () => {
  for (const sync of [true, false]) {
    const s = new FsdaxScene(profile('6.12'), { fs: { type: 'xfs' } });
    s.hold({ sync });
    s.shutdownIoctl();
    s.exitAll();
    s.umount();
    const again = mountFs(s.k, s.dev, { type: 'xfs' });
    assert.equal(s.k.heap.load(again + 4) !== 0, sync, sync ? 'the file is there' : 'the file was never logged');
  }
});

test('1f: write-back cleans the entry and write-protects every process; the next write makes it dirty again', () => {
  for (const name of ['5.10', '7.2']) {
    const s = new FsdaxScene(profile(name), ext4);
    const [a, b] = [s.hold(), s.hold({ offBy: 1 })];
    const dirty = (): boolean => (entryFlags(s.k, findEntry(s.k, s.file, 0)) & DAX_DIRTY) !== 0;
    assert.equal(dirty(), true);
    must(s.k, syncInode(s.k, s.file, 0), 'fsync');
    assert.equal(dirty(), false);
    assert.deepEqual([a, b].map((h) => entryOf(s, h.vma).flags & PTE_WRITE), [0, 0]);
    run(s.k, userWrite(s.k, a.task, vmaStart(s.k, a.vma), 9));
    assert.equal(dirty(), true);
    assert.notEqual(entryOf(s, a.vma).flags & PTE_WRITE, 0);
  }
});

test('1f: an entry lock keeps a fault and a notification apart', () => {
  const s = new FsdaxScene(profile('7.2'), ext4);
  const task = addProcess(s.k);
  const vma = mapFile(s.k, task, s.file, { offBy: 1 });
  const fault = new Stepped(s.k, userRead(s.k, task, vmaStart(s.k, vma)));
  assert.equal(fault.until('dax_insert_entry'), true);
  assert.notEqual(entryFlags(s.k, findEntry(s.k, s.file, 0)) & DAX_LOCKED, 0);
  assert.equal(fault.finish().rc, 0);
  assert.equal(entryFlags(s.k, findEntry(s.k, s.file, 0)) & DAX_LOCKED, 0);
});

for (const name of ['5.10', '6.1', '6.12', '7.2']) {
  test(`1f: truncate unmaps, waits for a page that is pinned, and then takes the blocks (${name})`, () => {
    const s = new FsdaxScene(profile(name), ext4);
    const h = s.hold();
    const fd = must(s.k, pinPages(s.k, h.task, PIN_KINDS.indexOf('vmsplice'), vmaStart(s.k, h.vma) + 600, 1), 'pin');
    const waits = run(s.k, truncateFile(s.k, s.file, 512));
    assert.match(String(waits.hangs), /dax_break_layout/);
    s.k.heap.store(s.file + 10, 0);
    run(s.k, fdClose(s.k, h.task, fd));
    assert.equal(run(s.k, truncateFile(s.k, s.file, 512)).rc, 0);
    assert.equal(s.present(h.task), 512);
    assert.equal(touchTest(s.k, h.task, h.vma, 'read').sigbus, 512);
  });
}

test('1f: reflinked files share pages until one writes; the page then has no single mapping', () => {
  const s = new FsdaxScene(profile('7.2'), { fs: { type: 'xfs', rmapbt: true, reflink: true }, file: { pages: 4 } });
  const h = s.hold({}, {}, 'write');
  const clone = createFile(s.k, s.sb, { pages: 4, name: 'clone' });
  reflink(s.k, s.file, clone);
  const other = addProcess(s.k);
  const vma = mapFile(s.k, other, clone);
  assert.equal(run(s.k, userRead(s.k, other, vmaStart(s.k, vma))).rc, 1, 'the clone reads the shared block');
  run(s.k, userWrite(s.k, other, vmaStart(s.k, vma), 55));
  assert.equal(run(s.k, userRead(s.k, h.task, vmaStart(s.k, h.vma))).rc, 1, 'the original keeps its block');
});

test('1f: the memmap lies in RAM or on the device; with either the unbind gives it back', () => {
  for (const map of ['mem', 'dev'] as const) {
    const s = new FsdaxScene(profile('7.2'), { ...ext4, map });
    assert.equal(memmapBacking(s.k, s.range[0]) === null, map === 'dev');
    s.unbind();
    assert.equal(s.bind().rc, 0);
  }
});

test('1g: the memmap lies on another removable device: pulling that one makes every use of the pages an oops', () => {
  const k = makeMachine({ profile: profile('7.2') });
  const dev = addPmem(k, { start: 0x100000000, size: 128 * MiB });
  const sb = mountFs(k, dev, { type: 'ext4' });
  const file = createFile(k, sb, { pages: 1024 });
  const task = addProcess(k);
  const vma = mapFile(k, task, file);
  touchAll(k, task, vma, 'write');
  const backing = memmapBacking(k, 0x100000) as readonly [number, number];
  assert.equal(loseMemmapIn(k, backing[0], backing[0] + 1), 128 * 256);
  assert.equal(touchTest(k, task, vma, 'read').ok, 1024, 'the data is still there and mapped');
  assert.equal(run(k, munmap(k, task, vmaStart(k, vma), vmaEnd(k, vma)), task).oops, 'unmap_vmas');
  assert.notEqual(unbindPmem(k, dev).spins, null, 'the dead task holds the page-table lock');
});

test('1f: data of the file is what was written, on the medium too', () => {
  const s = new FsdaxScene(profile('6.1'), ext4);
  s.hold();
  assert.equal(s.mediumPagesOfFile(), 1024);
  assignOwner(s.k, s.range[0], s.range[0] + 1, 3);
  assert.equal(peekMedium(s.k, s.range[0]), 0);
  assert.ok(PROPOSED.length > 0);
});

test('1f: an inode nobody uses but whose page is pinned: the unbind of 7.2 waits for the pin in its eviction, older kernels do not', () => {
  for (const [name, hangs] of [['5.10', true], ['6.12', false], ['7.2', true]] as const) {
    const s = new FsdaxScene(profile(name), ext4);
    const h = s.hold();
    must(s.k, pinPages(s.k, h.task, PIN_KINDS.indexOf('vmsplice'), vmaStart(s.k, h.vma), 1), 'pin');
    must(s.k, munmap(s.k, h.task, vmaStart(s.k, h.vma), vmaEnd(s.k, h.vma)), 'munmap');
    assert.equal(s.unbind().hangs !== null, hangs, name);
  }
});
