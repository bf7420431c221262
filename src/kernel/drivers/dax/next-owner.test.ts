/** Systems 4 (from unplug to invalidation, and the next owner) and 5 (device-dax), straight. Orders: test/fsdax-orders.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MiB } from '../../../range/units.ts';
import { domainsOf, ownerOf, peekMedium, VIA } from '../../domains.ts';
import { unbindStore } from '../base/dd.ts';
import { ndPmemDriver } from '../nvdimm/pmem.ts';
import { errnoName } from '../../errno.ts';
import { FD, fdClose } from '../../fs/file.ts';
import { findEntry } from '../../fs/dax-entry.ts';
import type { Kernel } from '../../kernel.ts';
import { userRead, userWrite } from '../../mm/access.ts';
import { exitTask } from '../../mm/exit.ts';
import { vmaEnd, vmaStart } from '../../mm/mm_struct.ts';
import { munmap } from '../../mm/mmap.ts';
import { ANSWER, physBack, physGone } from '../../mm/physmem.ts';
import { dmaTransfer, ioUringFixed, PIN_KINDS, pinPages, type PinKind } from '../../mm/pin-holders.ts';
import { addDevDax, bindDevDax, destroyNamespaceOf, devDaxInode, handOverDevDax, unbindDevDax } from '../../setup/devdax.ts';
import { createFile, handOver, mountFs } from '../../setup/fsdax.ts';
import { presentPages, touchTest } from '../../setup/look.ts';
import { addProcess, mapFile, openFile, touchAll } from '../../setup/process.ts';
import { makeMachine } from '../../setup/boot-machine.ts';
import { must, run, Stepped } from '../../setup/run.ts';
import { FsdaxScene } from '../../truth/fsdax-scene.ts';
import { profile, RELEASES } from '../../truth/clauses.ts';
import { guestAccess, kvmCreate } from '../../virt/kvm.ts';
import { Threads } from '../../threads.ts';
import { deviceDaxDriver } from './bus.ts';

const START = 0x100000000;
const DATA = START / 4096 + 512;
const ext4 = { fs: { type: 'ext4' } } as const;
const kind = (name: PinKind): number => PIN_KINDS.indexOf(name);

interface DevDax { k: Kernel; dev: number; task: number; vma: number; vpn: number }
function devdax(name: string): DevDax {
  const k = makeMachine({ profile: profile(name) });
  const dev = addDevDax(k, { start: START, size: 128 * MiB, owner: 1 });
  const task = addProcess(k, { domain: 1 });
  openFile(k, task, devDaxInode(k, dev));
  const vma = mapFile(k, task, devDaxInode(k, dev), { pages: 512 });
  touchAll(k, task, vma, 'write');
  return { k, dev, task, vma, vpn: vmaStart(k, vma) };
}
const crossings = (k: Kernel): number => [VIA.cpu, VIA.dma, VIA.guest].reduce<number>((n, via) => n + k.heap.load(domainsOf(k).crossReads + via) + k.heap.load(domainsOf(k).crossWrites + via), 0);

test('4a: between the physical event and the invalidation CPU, guest and DMA reach nothing, silently', () => {
  const d = devdax('7.2');
  const vm = kvmCreate(d.k, d.task, d.vpn, 2);
  must(d.k, guestAccess(d.k, vm, 0, 1, 5), 'guest');
  const fd = must(d.k, pinPages(d.k, d.task, kind('rdma'), d.vpn, 2), 'pin');
  physGone(d.k, START, START + 128 * MiB, ANSWER.ones);
  assert.deepEqual([run(d.k, userRead(d.k, d.task, d.vpn)).rc, run(d.k, guestAccess(d.k, vm, 0, 0, 0)).rc], [-1, -1]);
  must(d.k, dmaTransfer(d.k, d.k.heap.load(fd + FD.holder), 1, 9), 'DMA');
  run(d.k, userWrite(d.k, d.task, d.vpn, 6));
  const { absentReads, absentWrites } = domainsOf(d.k);
  assert.deepEqual([VIA.cpu, VIA.dma, VIA.guest].map((via) => d.k.heap.load(absentReads + via)), [1, 0, 1]);
  assert.deepEqual([VIA.cpu, VIA.dma].map((via) => d.k.heap.load(absentWrites + via)), [1, 2]);
});

test('4a: notification before the physical event leaves no such access; after it, it does', () => {
  for (const before of [true, false]) {
    const d = devdax('7.2');
    if (before) unbindDevDax(d.k, d.dev);
    physGone(d.k, START, START + 128 * MiB, ANSWER.zeroes);
    run(d.k, userRead(d.k, d.task, d.vpn));
    if (!before) unbindDevDax(d.k, d.dev);
    assert.equal(d.k.heap.load(domainsOf(d.k).absentReads + VIA.cpu), before ? 0 : 1);
  }
});

test('4a: accesses in the window of a software unbind still reach the medium until the unmap', () => {
  const s = new FsdaxScene(profile('inode-walk'), ext4);
  const h = s.hold();
  const unbind = new Stepped(s.k, unbindStore(s.k, ndPmemDriver(s.k), s.dev));
  unbind.until('drop_pagecache_sb: next inode');
  assert.equal(run(s.k, userWrite(s.k, h.task, vmaStart(s.k, h.vma), 9999)).rc, 0);
  unbind.finish();
  assert.equal(s.mediumPagesWith(9999), 1);
  assert.equal(touchTest(s.k, h.task, h.vma, 'read').sigbus, 1024);
});

test('4b: an old pte in a new file system: reads and writes of another domain, each recorded', () => {
  for (const name of ['5.10', '6.12', '7.2']) {
    const s = new FsdaxScene(profile(name), ext4);
    const h = s.hold();
    s.shutdownIoctl();
    s.unbind();
    s.bind();
    handOver(s.k, s.dev, 2);
    touchTest(s.k, h.task, h.vma, 'read');
    touchTest(s.k, h.task, h.vma, 'write', 66);
    assert.equal(s.k.heap.load(domainsOf(s.k).crossReads), 1024, name);
    assert.equal(s.k.heap.load(domainsOf(s.k).crossWrites), 1024, name);
    assert.deepEqual([1, 2].map((word) => s.k.heap.load(domainsOf(s.k).last + word)), [1, 2]);
  }
});

test('4b: an old VMA and an old pin in a new security domain', () => {
  const d = devdax('7.2');
  const fd = must(d.k, pinPages(d.k, d.task, kind('rdma'), d.vpn, 2), 'pin');
  unbindDevDax(d.k, d.dev);
  bindDevDax(d.k, d.dev);
  handOverDevDax(d.k, d.dev, 2);
  run(d.k, userRead(d.k, d.task, d.vpn));
  must(d.k, dmaTransfer(d.k, d.k.heap.load(fd + FD.holder), 1, 9), 'DMA');
  assert.deepEqual([d.k.heap.load(domainsOf(d.k).crossReads), d.k.heap.load(domainsOf(d.k).crossWrites + VIA.dma)], [1, 2]);
});

test('4b: every byte has an owner: files, device, next owner; a detached holder crosses nothing', () => {
  const s = new FsdaxScene(profile('7.2'), ext4);
  const mine = createFile(s.k, s.sb, { pages: 4, domain: 5, name: 'mine' });
  const h = s.hold();
  must(s.k, munmap(s.k, h.task, vmaStart(s.k, h.vma), vmaEnd(s.k, h.vma)), 'munmap');
  s.unbind();
  s.bind();
  handOver(s.k, s.dev, 2);
  assert.equal(findEntry(s.k, mine, 0), 0);
  assert.equal(ownerOf(s.k, s.range[0] + 600), 2);
  assert.equal(crossings(s.k), 0);
});

test('4c: what locks re-faults out: the death of the device, a stop; not umount -l, not a shutdown of ext4', () => {
  const cases: readonly (readonly [string, (s: FsdaxScene) => void, number])[] = [
    ['umount -l', (s) => { s.umount(true); }, 1024],
    ['shutdown ioctl', (s) => { s.shutdownIoctl(); }, 1024],
    ['death of the device', (s) => { s.unbind(); }, 0],
  ];
  for (const [what, act, ok] of cases) {
    const s = new FsdaxScene(profile('6.12'), ext4);
    const h = s.hold();
    s.forced();
    act(s);
    s.continueAll();
    assert.equal(touchTest(s.k, h.task, h.vma, 'read').ok, ok, what);
  }
});

test('4d: the wrong device pulled and put back: the data is there again, and so is every stale mapping', () => {
  const s = new FsdaxScene(profile('6.12'), ext4);
  const h = s.hold();
  const [from, to] = [s.range[0] * 4096, s.range[1] * 4096];
  physGone(s.k, from, to, ANSWER.ones);
  assert.equal(run(s.k, userRead(s.k, h.task, vmaStart(s.k, h.vma))).rc, -1);
  s.unbind();
  physBack(s.k, from, to);
  s.bind();
  assert.equal(run(s.k, userRead(s.k, h.task, vmaStart(s.k, h.vma))).rc, 1, 'the old mapping reads the old data');
  s.exitAll();
  s.umount();
  const again = mountFs(s.k, s.dev, { type: 'ext4' });
  assert.notEqual(s.k.heap.load(again + 4), 0, 'the file system is there');
});

for (const release of RELEASES) {
  test(`5a: one inode to unmap: every process and every size goes at once (${release.name})`, () => {
    const k = makeMachine({ profile: release });
    const dev = addDevDax(k, { start: START, size: 128 * MiB });
    const holders = [0, 1, 2].map(() => {
      const task = addProcess(k);
      const vma = mapFile(k, task, devDaxInode(k, dev), { pages: 1024 });
      touchAll(k, task, vma, 'write');
      return task;
    });
    assert.equal(unbindDevDax(k, dev).rc, 0);
    assert.deepEqual(holders.map((task) => presentPages(k, task, START / 4096, START / 4096 + 32768)), [0, 0, 0]);
  });

  test(`5b: pins: waited for to 5.17, not since (${release.name})`, () => {
    const waits = ['5.2', '5.10'].includes(release.name);
    const d = devdax(release.name);
    must(d.k, pinPages(d.k, d.task, kind('af_xdp'), d.vpn, 4), 'pin');
    assert.equal(unbindDevDax(d.k, d.dev).hangs !== null, waits);
  });
}

test('5b: variants: unmap only; memory_failure that wakes the holder; pins revoked; waiting again', () => {
  const after = (name: string): { hangs: boolean; sigbus: boolean; close: string | null } => {
    const d = devdax(name);
    const fd = must(d.k, pinPages(d.k, d.task, kind('rdma'), d.vpn, 4), 'pin');
    const threads = new Threads(d.k);
    const unbind = threads.spawn('unbind', () => unbindStore(d.k, deviceDaxDriver(d.k), d.dev));
    const hangs = unbind.state === 'waiting';
    const sigbus = (d.k.heap.load(d.task + 6) & 1) !== 0;
    return { hangs, sigbus, close: run(d.k, fdClose(d.k, d.task, fd)).oops };
  };
  assert.deepEqual(after('7.2'), { hangs: false, sigbus: false, close: 'ib_umem_release' });
  assert.deepEqual(after('devdax-unmap-only-5.10'), { hangs: false, sigbus: false, close: 'ib_umem_release' });
  assert.deepEqual(after('devdax-revoke-pins'), { hangs: false, sigbus: false, close: null });
  assert.deepEqual(after('devdax-waits-for-pins'), { hangs: true, sigbus: false, close: null });
});

test('5b: revoked pins do no DMA and no fixed-buffer I/O any more', () => {
  const d = devdax('devdax-revoke-pins');
  const fd = must(d.k, pinPages(d.k, d.task, kind('io_uring'), d.vpn, 4), 'pin');
  unbindDevDax(d.k, d.dev);
  bindDevDax(d.k, d.dev);
  handOverDevDax(d.k, d.dev, 2);
  assert.equal(errnoName(run(d.k, ioUringFixed(d.k, d.k.heap.load(fd + FD.holder), 1, 5)).rc), 'EFAULT');
  assert.equal(peekMedium(d.k, DATA), 1);
  assert.equal(crossings(d.k), 0);
});

test('5b: memory_failure() wakes who holds a pin, where it runs before the unmap takes the mapping from it', () => {
  const d = devdax('devdax-memory-failure');
  must(d.k, pinPages(d.k, d.task, kind('rdma'), d.vpn, 4), 'pin');
  assert.equal(unbindDevDax(d.k, d.dev).rc, 0);
  assert.equal(d.k.heap.load(d.task + 6) & 1, 1);
});

test('5c: a VMA comes back to life at the next bind, unless faults ask under which bind it was made', () => {
  for (const [name, ok] of [['5.10', 512], ['7.2', 512], ['devdax-vma-knows-bind', 0]] as const) {
    const d = devdax(name);
    unbindDevDax(d.k, d.dev);
    bindDevDax(d.k, d.dev);
    assert.equal(touchTest(d.k, d.task, d.vma, 'read').ok, ok, name);
  }
});

test('5d: the character device under an open file across unbind and bind', () => {
  for (const [name, bug] of [['5.10', 'cd_forget'], ['7.2', 'cd_forget'], ['devdax-cdev-once', null]] as const) {
    const d = devdax(name);
    unbindDevDax(d.k, d.dev);
    bindDevDax(d.k, d.dev);
    run(d.k, exitTask(d.k, d.task), d.task);
    unbindDevDax(d.k, d.dev);
    assert.equal(destroyNamespaceOf(d.k, d.dev).oops, bug, name);
  }
});

test('5d: destroying the namespace unlinks the node; the list is met when its inode goes, with the last holder', () => {
  const damaged = (name: string): DevDax => {
    const d = devdax(name);
    unbindDevDax(d.k, d.dev);
    bindDevDax(d.k, d.dev);
    unbindDevDax(d.k, d.dev);
    return d;
  };
  for (const [name, bug] of [['5.10', 'cd_forget'], ['7.2', 'cd_forget'], ['devdax-cdev-once', null]] as const) {
    const gone = damaged(name);
    assert.equal(run(gone.k, exitTask(gone.k, gone.task), gone.task).oops, null, name);
    assert.equal(destroyNamespaceOf(gone.k, gone.dev).oops, bug, `${name}: the holder had gone before`);
    const held = damaged(name);
    assert.equal(destroyNamespaceOf(held.k, held.dev).oops, null, `${name}: a mapping and a descriptor hold the inode`);
    assert.equal(run(held.k, munmap(held.k, held.task, vmaStart(held.k, held.vma), vmaEnd(held.k, held.vma)), held.task).oops, null, `${name}: the descriptor still holds it`);
    assert.equal(run(held.k, exitTask(held.k, held.task), held.task).oops, bug, `${name}: the holder was the last`);
  }
});

test('5d: with nothing open across unbind and bind the namespace can be destroyed', () => {
  const d = devdax('7.2');
  run(d.k, exitTask(d.k, d.task), d.task);
  unbindDevDax(d.k, d.dev);
  bindDevDax(d.k, d.dev);
  unbindDevDax(d.k, d.dev);
  assert.equal(destroyNamespaceOf(d.k, d.dev).oops, null);
});

test('5c: a removal that waits for its users ends when the last one has gone', () => {
  const d = devdax('devdax-remove-waits');
  const threads = new Threads(d.k);
  const unbind = threads.spawn('unbind', () => unbindStore(d.k, deviceDaxDriver(d.k), d.dev));
  assert.equal(unbind.state, 'waiting');
  run(d.k, exitTask(d.k, d.task), d.task);
  threads.run();
  assert.deepEqual([unbind.state, unbind.result], ['done', 0]);
});
