/** System 5 (device-dax), straight: one inode to unmap, pins, the VMA and the character device that come back. Orders: litmus/devdax-*. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MiB } from '../../../range/units.ts';
import { domainsOf, peekMedium, VIA } from '../../domains.ts';
import { unbindStore } from '../base/dd.ts';
import { errnoName } from '../../errno.ts';
import { FD, fdClose } from '../../fs/file.ts';
import type { Kernel } from '../../kernel.ts';
import { exitTask } from '../../mm/exit.ts';
import { vmaEnd, vmaStart } from '../../mm/mm_struct.ts';
import { munmap } from '../../mm/mmap.ts';
import { ioUringFixed, PIN_KINDS, pinPages, type PinKind } from '../../mm/pin-holders.ts';
import { addDevDax, bindDevDax, destroyNamespaceOf, devDaxInode, handOverDevDax, unbindDevDax } from '../../setup/devdax.ts';
import { presentPages, touchTest } from '../../setup/look.ts';
import { addProcess, mapFile, touchAll } from '../../setup/process.ts';
import { makeMachine } from '../../setup/boot-machine.ts';
import { must, run } from '../../setup/run.ts';
import { RELEASES } from '../../truth/clauses.ts';
import { Threads } from '../../threads.ts';
import { deviceDaxDriver } from './bus.ts';
import { devdax, type DevDax } from '../../truth/devdax-scene.ts';

const START = 0x100000000;
const DATA = START / 4096 + 512;
const kind = (name: PinKind): number => PIN_KINDS.indexOf(name);
const crossings = (k: Kernel): number => [VIA.cpu, VIA.dma, VIA.guest].reduce<number>((n, via) => n + k.heap.load(domainsOf(k).crossReads + via) + k.heap.load(domainsOf(k).crossWrites + via), 0);

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
