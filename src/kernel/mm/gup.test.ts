/** System 2: may this page be referenced? What needs no other CPU; orders are in test/fsdax-orders.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MiB } from '../../range/units.ts';
import { addMedium, domainsOf, VIA } from '../domains.ts';
import { p2pdmaRemove, p2pmemMmap, pciAllocP2pmem, pciFreeP2pmem } from '../drivers/pci/p2pdma.ts';
import { errnoName } from '../errno.ts';
import { FD, fdClose } from '../fs/file.ts';
import type { Kernel } from '../kernel.ts';
import { addDevDax, devDaxInode, unbindDevDax } from '../setup/devdax.ts';
import { addProcess, mapAnonymous, mapFile, touchAll } from '../setup/process.ts';
import { makeMachine } from '../setup/boot-machine.ts';
import { must, run } from '../setup/run.ts';
import { profile, RELEASES } from '../truth/clauses.ts';
import { FsdaxScene } from '../truth/fsdax-scene.ts';
import { guestAccess, guestEntries, KVM, kvmCreate } from '../virt/kvm.ts';
import { userRead, userWrite } from './access.ts';
import { getUserPage, gupFast, gupSlow } from './gup.ts';
import { FOLL_GET, FOLL_LONGTERM, FOLL_PIN, FOLL_WRITE } from './gup-flags.ts';
import { coordinatedRemoval, devicePageAlloc, migrateToDevice, migrateToRam } from './migrate_device.ts';
import { getDevPagemap, MEMORY_DEVICE, memremapPages, memunmapPages, PGMAP_OPS, putDevPagemap } from './memremap.ts';
import { getPage, putPage } from './page_ref.ts';
import { regionPage, VMA, vmaStart, VM_PFNMAP } from './mm_struct.ts';
import { madviseDontneed } from './mmap.ts';
import { PG, testFlag } from './page.ts';
import { PTE_ANON, PTE_COHERENT, PTE_DEVICE_PRIVATE, PTE_PRESENT, PTE_SPECIAL, setEntry, walk } from './pgtable.ts';
import { ioCompletes, PIN_KINDS, pinPages, type PinKind } from './pin-holders.ts';
import { ANSWER, physGone } from './physmem.ts';

const ext4 = { fs: { type: 'ext4' } } as const;
const DEVICE = 0x140000;
const kind = (name: PinKind): number => PIN_KINDS.indexOf(name);

/** A driver's pagemap of 512 pages at 5 GiB. */
function devicePages(k: Kernel, type: number, ops = 0): number {
  addMedium(k, 'device', DEVICE, DEVICE + 512);
  return memremapPages(k, { startPfn: DEVICE, endPfn: DEVICE + 512, dataPfn: DEVICE, type, ops });
}

/** A process with one page of anonymous memory that holds 7. */
function anonymous(k: Kernel): { task: number; vma: number; vpn: number } {
  const task = addProcess(k);
  const vma = mapAnonymous(k, task, 1);
  const vpn = vmaStart(k, vma);
  must(k, userWrite(k, task, vpn, 7), 'touch');
  return { task, vma, vpn };
}
const flagsAt = (k: Kernel, vma: number, vpn: number): number => walk(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn)).flags;

for (const release of RELEASES) {
  test(`2b: long-term pins are refused on fsdax and allowed on device-dax, by every kind of holder (${release.name})`, () => {
    const s = new FsdaxScene(release, ext4);
    const h = s.hold();
    for (const name of ['af_xdp', 'rdma', 'vfio'] as const) assert.equal(errnoName(run(s.k, pinPages(s.k, h.task, kind(name), vmaStart(s.k, h.vma), 4)).rc), 'EOPNOTSUPP', name);
    for (const name of ['o_direct', 'vmsplice'] as const) assert.ok(run(s.k, pinPages(s.k, h.task, kind(name), vmaStart(s.k, h.vma), 4)).rc > 0, name);
    const k = makeMachine({ profile: release });
    const dev = addDevDax(k, { start: 0x100000000, size: 128 * MiB });
    const task = addProcess(k);
    const vma = mapFile(k, task, devDaxInode(k, dev), { pages: 512 });
    touchAll(k, task, vma, 'write');
    for (const name of ['af_xdp', 'rdma', 'vfio', 'o_direct', 'vmsplice'] as const) assert.ok(run(k, pinPages(k, task, kind(name), vmaStart(k, vma), 4)).rc > 0, name);
  });

  test(`2c: a page in use keeps its memmap, by type of pagemap (${release.name})`, () => {
    const perPage = ['5.2', '5.10'].includes(release.name);
    const waits: Readonly<Record<keyof typeof MEMORY_DEVICE, boolean>> = { private: true, coherent: true, p2pdma: true, fsdax: perPage, generic: perPage, public: perPage };
    for (const [type, expected] of Object.entries(waits)) {
      const k = makeMachine({ profile: release });
      const pgmap = devicePages(k, MEMORY_DEVICE[type as keyof typeof MEMORY_DEVICE]);
      if (['private', 'coherent', 'p2pdma'].includes(type)) assert.equal(devicePageAlloc(k, pgmap), DEVICE);
      else getPage(k, DEVICE, 1, 'test');
      assert.equal(run(k, memunmapPages(k, pgmap)).hangs !== null, expected, type);
    }
  });
}

test('2b: transient pins make the removal of 5.10 wait and end with the I/O', () => {
  const k = makeMachine({ profile: profile('5.10') });
  const dev = addDevDax(k, { start: 0x100000000, size: 128 * MiB });
  const task = addProcess(k);
  const vma = mapFile(k, task, devDaxInode(k, dev), { pages: 512 });
  touchAll(k, task, vma, 'write');
  const fd = must(k, pinPages(k, task, kind('o_direct'), vmaStart(k, vma), 4), 'pin');
  must(k, ioCompletes(k, k.heap.load(fd + FD.holder), 3), 'I/O');
  assert.equal(unbindDevDax(k, dev).hangs, null);
  run(k, fdClose(k, task, fd));
});

test('2a: GUP-fast gives a page only where the entry allows it, and slow GUP faults it in', () => {
  const s = new FsdaxScene(profile('7.2'), ext4);
  const task = addProcess(s.k);
  const vma = mapFile(s.k, task, s.file);
  const vpn = vmaStart(s.k, vma);
  assert.equal(run(s.k, gupFast(s.k, task, vpn, FOLL_GET)).rc, -11);
  assert.ok(run(s.k, getUserPage(s.k, task, vpn, FOLL_GET | FOLL_WRITE)).rc > 0);
  assert.equal(run(s.k, gupSlow(s.k, task, vpn, FOLL_PIN | FOLL_LONGTERM)).rc, -95);
});

test('2a: a dying pagemap refuses GUP-fast where GUP-fast asks for it', () => {
  for (const [name, refused] of [['6.12', true], ['7.2', false]] as const) {
    const s = new FsdaxScene(profile(name), ext4);
    const h = s.hold();
    const pgmap = getDevPagemap(s.k, s.range[0] + 600);
    putDevPagemap(s.k, pgmap);
    s.k.heap.store(pgmap + 7, 1);
    assert.equal(run(s.k, gupFast(s.k, h.task, vmaStart(s.k, h.vma), FOLL_GET)).rc < 0, refused, name);
  }
});

test('2c: MEMORY_DEVICE_PUBLIC, as it was: always evictable, never pinned', () => {
  const k = makeMachine({ profile: profile('5.2') });
  const pgmap = devicePages(k, MEMORY_DEVICE.public);
  const a = anonymous(k);
  must(k, migrateToDevice(k, a.task, a.vpn, pgmap), 'migrate');
  assert.notEqual(flagsAt(k, a.vma, a.vpn) & PTE_PRESENT, 0, 'the CPU sees it');
  assert.ok(run(k, getUserPage(k, a.task, a.vpn, FOLL_GET)).rc < 0);
  assert.equal(run(k, migrateToRam(k, a.vma, a.vpn)).rc, 0);
});

/** A VM over device-dax: the page that the guest wrote, and what removal then comes to. */
function vmOnDevDax(name: string): { k: Kernel; dev: number; vm: number; task: number; vpn: number } {
  const k = makeMachine({ profile: profile(name) });
  const dev = addDevDax(k, { start: 0x100000000, size: 128 * MiB });
  const task = addProcess(k);
  const vma = mapFile(k, task, devDaxInode(k, dev), { pages: 512 });
  touchAll(k, task, vma, 'write');
  const vm = kvmCreate(k, task, vmaStart(k, vma), 8);
  for (let gfn = 0; gfn < 8; gfn += 1) must(k, guestAccess(k, vm, gfn, 1, 30 + gfn), 'guest');
  return { k, dev, vm, task, vpn: vmaStart(k, vma) };
}

const KVM_VARIANTS: readonly (readonly [string, boolean, number])[] = [
  // profile, whether the removal waits for ever (a reference that KVM took and never put), pagemap look-ups for 8 faults
  ['kvm-not-reserved', true, 0], ['kvm-pagemap-flag', true, 8], ['5.10', false, 0], ['no-reserved', false, 0], ['7.2', false, 0],
];
for (const [name, hangs, lookups] of KVM_VARIANTS) {
  test(`2d: KVM's question: ${name}`, () => {
    const { k, dev, vm } = vmOnDevDax(name);
    assert.equal(k.heap.load(vm + KVM.lookups), lookups);
    const ran = unbindDevDax(k, dev);
    assert.equal(ran.hangs !== null, hangs);
    assert.equal(guestEntries(k, vm), 0, 'the notifier has taken the guest entries');
    assert.equal(k.heap.load(vm + KVM.lostDirty), 0);
  });
}

test('2d: with the flag on the pagemap KVM puts what it takes', () => {
  const k = makeMachine({ profile: profile('kvm-pagemap-flag') });
  const pgmap = devicePages(k, MEMORY_DEVICE.generic, PGMAP_OPS.pinnable);
  getPage(k, DEVICE, 1, 'test');
  putPage(k, DEVICE, 1, 'test');
  assert.equal(run(k, memunmapPages(k, pgmap)).hangs, null);
});

test('2d: a guest that reads or writes after the removal gets an error, and faults back in before it', () => {
  const { k, dev, vm, task, vpn } = vmOnDevDax('7.2');
  must(k, madviseDontneed(k, task, vpn, vpn + 8), 'madvise');
  assert.equal(run(k, guestAccess(k, vm, 3, 0, 0)).rc, 33);
  unbindDevDax(k, dev);
  assert.equal(run(k, guestAccess(k, vm, 3, 0, 0)).rc, -14);
});

test('2f: MMIO without struct pages is mapped and cannot be pinned; PageReserved is the fallback of the old test', () => {
  const k = makeMachine({ profile: profile('6.12') });
  const a = anonymous(k);
  k.heap.store(a.vma + VMA.flags, k.heap.load(a.vma + VMA.flags) | VM_PFNMAP);
  setEntry(k.heap, k.heap.load(a.vma + VMA.region), regionPage(k, a.vma, a.vpn), 1, 0xfed00, PTE_PRESENT | PTE_SPECIAL);
  assert.equal(run(k, getUserPage(k, a.task, a.vpn, FOLL_GET)).rc, -14);
  const pgmap = devicePages(k, MEMORY_DEVICE.p2pdma);
  assert.ok(pgmap > 0);
  assert.equal(testFlag(k, DEVICE, PG.reserved, 'test'), true);
  assert.equal(testFlag(makeReservedFree(), DEVICE, PG.reserved, 'test'), false);
});

function makeReservedFree(): Kernel {
  const k = makeMachine({ profile: profile('no-reserved') });
  devicePages(k, MEMORY_DEVICE.generic);
  return k;
}

test('2g: HMM: private and coherent pages come and go; a touch by the CPU brings a private one home', () => {
  for (const [type, seen] of [[MEMORY_DEVICE.private, PTE_DEVICE_PRIVATE], [MEMORY_DEVICE.coherent, PTE_COHERENT]] as const) {
    const k = makeMachine({ profile: profile('6.12') });
    const pgmap = devicePages(k, type);
    const a = anonymous(k);
    must(k, migrateToDevice(k, a.task, a.vpn, pgmap), 'migrate');
    assert.notEqual(flagsAt(k, a.vma, a.vpn) & seen, 0);
    assert.equal(run(k, userRead(k, a.task, a.vpn)).rc, 7);
    assert.equal((flagsAt(k, a.vma, a.vpn) & PTE_ANON) !== 0, type === MEMORY_DEVICE.private);
  }
});

test('2g: a pinned page cannot move', () => {
  const k = makeMachine({ profile: profile('6.12') });
  const pgmap = devicePages(k, MEMORY_DEVICE.coherent);
  const a = anonymous(k);
  must(k, migrateToDevice(k, a.task, a.vpn, pgmap), 'migrate');
  const pfn = must(k, getUserPage(k, a.task, a.vpn, FOLL_GET), 'gup');
  assert.equal(run(k, migrateToRam(k, a.vma, a.vpn)).rc, -16);
  putPage(k, pfn, 1, 'test');
  assert.equal(run(k, migrateToRam(k, a.vma, a.vpn)).rc, 0);
});

test('2g: a device that falls off the bus: all ones reach CPU and guest; with a driver that fails transactions nothing does', () => {
  const k = makeMachine({ profile: profile('7.2') });
  const dev = addDevDax(k, { start: 0x100000000, size: 128 * MiB });
  const task = addProcess(k);
  const vma = mapFile(k, task, devDaxInode(k, dev), { pages: 512 });
  touchAll(k, task, vma, 'write');
  const vm = kvmCreate(k, task, vmaStart(k, vma), 1);
  must(k, guestAccess(k, vm, 0, 1, 5), 'guest');
  physGone(k, 0x100000000, 0x108000000, ANSWER.ones);
  assert.equal(run(k, userRead(k, task, vmaStart(k, vma))).rc, -1);
  assert.equal(run(k, guestAccess(k, vm, 0, 0, 0)).rc, -1);
  const absent = domainsOf(k).absentReads;
  assert.deepEqual([k.heap.load(absent + VIA.cpu), k.heap.load(absent + VIA.guest)], [1, 1]);
  unbindDevDax(k, dev);
  assert.equal(run(k, userRead(k, task, vmaStart(k, vma))).rc, -1000, 'SIGBUS once the driver has unmapped');
});

test('2h: coordinated removal: HMM brings everything home and waits for a pin', () => {
  const k = makeMachine({ profile: profile('7.2') });
  const pgmap = devicePages(k, MEMORY_DEVICE.coherent);
  const a = anonymous(k);
  must(k, migrateToDevice(k, a.task, a.vpn, pgmap), 'migrate');
  const pfn = must(k, getUserPage(k, a.task, a.vpn, FOLL_GET), 'gup');
  assert.match(String(run(k, coordinatedRemoval(k, pgmap)).hangs), /pinned/);
  putPage(k, pfn, 1, 'test');
  assert.equal(run(k, coordinatedRemoval(k, pgmap)).rc, 0);
  assert.equal(run(k, userRead(k, a.task, a.vpn)).rc, 7, 'the data came home');
});

test('2h: coordinated removal: p2pdma unmaps processes and waits for the peers', () => {
  const k = makeMachine({ profile: profile('7.2') });
  const pgmap = devicePages(k, MEMORY_DEVICE.p2pdma);
  const peer = pciAllocP2pmem(k, pgmap);
  assert.notEqual(run(k, p2pdmaRemove(k, pgmap, 0)).hangs, null);
  pciFreeP2pmem(k, peer);
  assert.equal(run(k, p2pdmaRemove(k, pgmap, 0)).rc, 0);
});

test('2h: p2pdma memory is mapped into processes from 6.2 on', () => {
  for (const [name, rc] of [['6.1', -95], ['7.2', 0]] as const) {
    const k = makeMachine({ profile: profile(name) });
    const pgmap = devicePages(k, MEMORY_DEVICE.p2pdma);
    const task = addProcess(k);
    const vma = mapAnonymous(k, task, 1);
    assert.equal(run(k, p2pmemMmap(k, vma, vmaStart(k, vma), pgmap)).rc, rc, name);
  }
});
