/** System 4 (from unplug to invalidation, and the next owner), straight. Orders: test/fsdax-orders.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MiB } from '../../../range/units.ts';
import { domainsOf, ownerOf, VIA } from '../../domains.ts';
import { unbindStore } from '../base/dd.ts';
import { ndPmemDriver } from '../nvdimm/pmem.ts';
import { FD } from '../../fs/file.ts';
import { findEntry } from '../../fs/dax-entry.ts';
import type { Kernel } from '../../kernel.ts';
import { userRead, userWrite } from '../../mm/access.ts';
import { vmaEnd, vmaStart } from '../../mm/mm_struct.ts';
import { munmap } from '../../mm/mmap.ts';
import { ANSWER, physBack, physGone } from '../../mm/physmem.ts';
import { dmaTransfer, PIN_KINDS, pinPages, type PinKind } from '../../mm/pin-holders.ts';
import { bindDevDax, handOverDevDax, unbindDevDax } from '../../setup/devdax.ts';
import { createFile, handOver, mountFs } from '../../setup/fsdax.ts';
import { touchTest } from '../../setup/look.ts';
import { must, run, Stepped } from '../../setup/run.ts';
import { FsdaxScene } from '../../truth/fsdax-scene.ts';
import { profile } from '../../truth/clauses.ts';
import { guestAccess, kvmCreate } from '../../virt/kvm.ts';
import { devdax } from '../../truth/devdax-scene.ts';

const START = 0x100000000;
const ext4 = { fs: { type: 'ext4' } } as const;
const kind = (name: PinKind): number => PIN_KINDS.indexOf(name);

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
