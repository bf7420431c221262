/**
 * KVM on device memory (virt/kvm/kvm_main.c: hva_to_pfn, kvm_release_pfn_clean, kvm_is_reserved_pfn; arch/x86/kvm/mmu:
 * page_fault, unmap by MMU notifier; 5.2, 5.10, 6.1, 6.12, 7.2). A guest frame is mapped by a second-level entry to what the
 * host process maps; the reference that get_user_pages() gave is put back at once, if KVM believes that there is one.
 *
 * That belief is the question of 2d. A device page taken for reserved memory keeps its reference for ever; a page taken
 * for ordinary memory has its dirty and accessed bits set in the struct page.
 */
import { EAGAIN, EFAULT } from '../errno.ts';
import { readMemory, VIA, writeMemory } from '../domains.ts';
import type { Kernel } from '../kernel.ts';
import { AT, type Path } from '../state/path.ts';
import { Slab } from '../state/slab.ts';
import { TASK } from '../task.ts';
import { getUserPage } from '../mm/gup.ts';
import { FOLL_GET, FOLL_WRITE } from '../mm/gup-flags.ts';
import { getDevPagemap, PGMAP, PGMAP_OPS, putDevPagemap } from '../mm/memremap.ts';
import { putPage } from '../mm/page_ref.ts';
import { MM, mmOf } from '../mm/mm_struct.ts';
import { isZoneDevicePage, PG, setFlag, testFlag } from '../mm/page.ts';
import { pfnValid } from '../mm/pfn.ts';
import { kmalloc } from '../mm/slab.ts';

/** Words of a VM: host task, virtual page of guest frame 0, frames, table of second-level entries, notifier sequence. */
export const KVM = { task: 0, base: 1, frames: 3, table: 4, seq: 5, next: 6, domain: 7, lookups: 8, lostDirty: 9, words: 10 } as const;
/** Second-level entry: pfn, flags. */
const SPTE_PRESENT = 1;
const SPTE_WRITE = 2;
const SPTE_DIRTY = 4;
const SPTE_ACCESSED = 8;

class Vms {
  readonly slab: Slab;
  constructor(k: Kernel) {
    this.slab = new Slab(k.heap, 'kvm', KVM.words, 16);
  }
}
const makeVms = (k: Kernel): Vms => new Vms(k);

/** A VM whose guest frames [0, frames) are the host task's pages from `baseVpn`. */
export function kvmCreate(k: Kernel, task: number, baseVpn: number, frames: number): number {
  const vm = k.part(makeVms).slab.alloc();
  k.heap.store(vm + KVM.task, task);
  k.heap.store(vm + KVM.base, baseVpn % 0x100000000);
  k.heap.store(vm + KVM.base + 1, Math.floor(baseVpn / 0x100000000));
  k.heap.store(vm + KVM.frames, frames);
  k.heap.store(vm + KVM.table, kmalloc(k.heap, frames * 2));
  k.heap.store(vm + KVM.domain, k.heap.load(task + TASK.domain));
  k.heap.store(vm + KVM.next, k.heap.load(mmOf(k, task) + MM.kvm));
  k.heap.store(mmOf(k, task) + MM.kvm, vm);
  return vm;
}

const baseVpn = (k: Kernel, vm: number): number => (k.heap.load(vm + KVM.base) >>> 0) + k.heap.load(vm + KVM.base + 1) * 0x100000000;
const spte = (k: Kernel, vm: number, gfn: number): number => k.heap.load(vm + KVM.table) + 2 * gfn;

/** Whether KVM takes `pfn` for memory with references of its own (the negation of kvm_is_reserved_pfn). */
export function kvmIsRefcounted(k: Kernel, vm: number, pfn: number): boolean {
  const test = k.mechanism('kvm.reference-test');
  if (test === 'refcounted-page') return true;
  if (!pfnValid(k, pfn)) return false;
  const reserved = testFlag(k, pfn, PG.reserved, 'kvm_is_reserved_pfn');
  if (!reserved || test === 'valid-and-not-reserved') return !reserved;
  if (test === 'reserved-and-not-zone-device') return isZoneDevicePage(k, pfn, 'kvm_is_zone_device_pfn');
  k.heap.add(vm + KVM.lookups, 1);
  const pgmap = getDevPagemap(k, pfn);
  if (pgmap === 0) return false;
  const pinnable = (k.heap.load(pgmap + PGMAP.ops) & PGMAP_OPS.pinnable) !== 0;
  putDevPagemap(k, pgmap);
  return pinnable;
}

/** A guest access to `gfn` that finds no entry: 0 when it is there now, -EAGAIN to try again, -EFAULT. */
export function* kvmPageFault(k: Kernel, vm: number, gfn: number, write: number): Path {
  const task = k.heap.load(vm + KVM.task);
  const seq = k.heap.load(vm + KVM.seq);
  if (k.concurrent) yield AT('kvm_tdp_page_fault: hva_to_pfn');
  const pfn = yield* k.call(getUserPage, task, baseVpn(k, vm) + gfn, FOLL_GET | (write === 1 ? FOLL_WRITE : 0));
  if (pfn < 0) return -EFAULT;
  if (k.concurrent) yield AT('kvm_tdp_page_fault: mmu_lock');
  const stale = k.mechanism('kvm.mmu-notifier') === true && k.heap.load(vm + KVM.seq) !== seq;
  if (!stale) {
    k.heap.store(spte(k, vm, gfn), pfn);
    k.heap.store(spte(k, vm, gfn) + 1, SPTE_PRESENT | SPTE_ACCESSED | (write === 1 ? SPTE_WRITE : 0));
  }
  if (k.concurrent) yield AT('kvm_release_pfn_clean');
  if (kvmIsRefcounted(k, vm, pfn)) putPage(k, pfn, 1, 'kvm_release_pfn_clean');
  return stale ? -EAGAIN : 0;
}

/** A guest load (`write` 0) or store. What was read, 0, or -errno where the host mapping is gone. */
export function* guestAccess(k: Kernel, vm: number, gfn: number, write: number, value: number): Path {
  for (;;) {
    if (k.concurrent) yield AT(write === 1 ? 'guest store' : 'guest load');
    const entry = spte(k, vm, gfn);
    const flags = k.heap.load(entry + 1);
    if ((flags & SPTE_PRESENT) !== 0 && (write === 0 || (flags & SPTE_WRITE) !== 0)) {
      const pfn = k.heap.load(entry);
      const wanted = flags | SPTE_ACCESSED | (write === 1 ? SPTE_DIRTY : 0);
      if (wanted !== flags) k.heap.store(entry + 1, wanted);
      const domain = k.heap.load(vm + KVM.domain);
      if (write === 0) return readMemory(k, pfn, domain, VIA.guest);
      writeMemory(k, pfn, value, domain, VIA.guest);
      return 0;
    }
    const rc = yield* k.call(kvmPageFault, vm, gfn, write);
    if (rc < 0 && rc !== -EAGAIN) return rc;
  }
}

/**
 * kvm_mmu_notifier_invalidate_range: second-level entries for host pages [from, to) go; a dirty one tells the struct page,
 * where KVM believes that it may. A dirty entry of ordinary memory that tells nobody is a lost dirty bit.
 */
export function kvmInvalidateRange(k: Kernel, mm: number, from: number, to: number): void {
  if (k.mechanism('kvm.mmu-notifier') !== true) return;
  for (let vm = k.heap.load(mm + MM.kvm); vm !== 0; vm = k.heap.load(vm + KVM.next)) {
    k.heap.add(vm + KVM.seq, 1);
    const base = baseVpn(k, vm);
    const last = Math.min(k.heap.load(vm + KVM.frames), to - base);
    for (let gfn = Math.max(0, from - base); gfn < last; gfn += 1) dropSpte(k, vm, gfn);
  }
}

function dropSpte(k: Kernel, vm: number, gfn: number): void {
  const entry = spte(k, vm, gfn);
  const flags = k.heap.load(entry + 1);
  if ((flags & SPTE_PRESENT) === 0) return;
  const pfn = k.heap.load(entry);
  k.heap.store(entry, 0);
  k.heap.store(entry + 1, 0);
  if ((flags & SPTE_DIRTY) !== 0 && !propagateDirty(k, vm, pfn)) k.heap.add(vm + KVM.lostDirty, 1);
}

/** kvm_set_pfn_dirty: true where the bit reached the page, or where the page keeps none (zone-device: the file's entry does). */
function propagateDirty(k: Kernel, vm: number, pfn: number): boolean {
  const device = pfnValid(k, pfn) && isZoneDevicePage(k, pfn, 'kvm_set_pfn_dirty');
  if (device && k.mechanism('kvm.dirties-zone-device') !== true) return true;
  if (!kvmIsRefcounted(k, vm, pfn)) return device;
  setFlag(k, pfn, PG.dirty, 'kvm_set_pfn_dirty');
  return true;
}

/** Entries that the guest has now. */
export function guestEntries(k: Kernel, vm: number): number {
  let count = 0;
  for (let gfn = 0; gfn < k.heap.load(vm + KVM.frames); gfn += 1) if ((k.heap.load(spte(k, vm, gfn) + 1) & SPTE_PRESENT) !== 0) count += 1;
  return count;
}
