/**
 * DAX faults (fs/dax.c: dax_iomap_fault, dax_iomap_pte_fault; 5.10, 6.1, 6.12, 7.2); those at 2 MiB are in dax-fault-pmd.ts.
 * The order is the kernel's: entry lock, mapping from the file system, pfn from the device under dax_read_lock,
 * page-table entry, entry unlocked. Nothing between the pfn and the entry asks whether the device still lives.
 */
import type { Kernel } from '../kernel.ts';
import { peekMedium } from '../domains.ts';
import { domainOfMm } from '../task.ts';
import { VM_FAULT_NOPAGE, VM_FAULT_OOM, VM_FAULT_SIGBUS } from '../mm/fault-codes.ts';
import { insertDevice, ptlLock, ptlUnlock, unmapMappingRange } from '../mm/memory.ts';
import { linearPageIndex, regionPage, VMA, VM_SYNC } from '../mm/mm_struct.ts';
import { PTE_ANON, PTE_DIRTY, PTE_PRESENT, PTE_SPECIAL, PTE_WRITE, PTE_YOUNG, setEntry, walk } from '../mm/pgtable.ts';
import { newAnonPage } from '../mm/anon.ts';
import { zapRmap } from '../mm/rmap.ts';
import { AT, type Path } from '../state/path.ts';
import { DAX_EMPTY, DAX_ZERO_PAGE, entryFlags, grabMappingEntry, unlockEntry } from './dax-entry.ts';
import { daxIomapPmdFault } from './dax-fault-pmd.ts';
import { daxFaultDone, daxInsertEntry, daxIomapPfn, unmapZeroPmd } from './dax-insert.ts';
import { INODE, type Extent } from './inode.ts';
import { daxDevOfExtent, iomapAllocate, iomapBegin, iomapConvert, iomapExtent } from './iomap.ts';
import { syncInode } from './sync.ts';

/** dax_iomap_fault: `order` 9 tries a PMD and may say VM_FAULT_FALLBACK. `write` 2: a private write (the page is copied). */
export function* daxIomapFault(k: Kernel, vma: number, vpn: number, write: number, order: number): Path {
  return order === 9 ? yield* daxIomapPmdFault(k, vma, vpn, write) : yield* daxIomapPteFault(k, vma, vpn, write);
}

function* daxIomapPteFault(k: Kernel, vma: number, vpn: number, write: number): Path {
  const inode = k.heap.load(vma + VMA.inode);
  const index = linearPageIndex(k, vma, vpn);
  if (index >= k.heap.load(inode + INODE.pages)) return VM_FAULT_SIGBUS;
  if (k.concurrent) yield AT('grab_mapping_entry');
  yield* unmapZeroPmd(k, inode, index);
  const entry = yield* k.call(grabMappingEntry, inode, index, 0);
  const region = k.heap.load(vma + VMA.region);
  if (walk(k.heap, region, regionPage(k, vma, vpn)).level >= 2) {
    unlockEntry(k, entry);
    return VM_FAULT_NOPAGE;
  }
  const ret = yield* pteFaultLocked(k, vma, vpn, write, inode, index, entry);
  unlockEntry(k, entry);
  return ret;
}

function* pteFaultLocked(k: Kernel, vma: number, vpn: number, write: number, inode: number, index: number, entry: number): Path {
  if (iomapBegin(k, inode) < 0) return VM_FAULT_SIGBUS;
  let extent = iomapExtent(k, inode, index);
  if (extent?.unwritten === true) {
    if (write === 1) {
      iomapConvert(k, inode, index, 1);
      extent = iomapExtent(k, inode, index);
    } else extent = null;
  }
  if (write === 2) return yield* cowFault(k, vma, vpn, inode, index, extent);
  if (extent === null && write === 0) return loadHole(k, vma, vpn, entry);
  const shared = write === 1 && extent !== null && extent.shared;
  if (extent === null || shared) {
    if (shared && extent !== null) {
      const from = yield* daxIomapPfn(k, daxDevOfExtent(k, inode, extent), extent.device + index - extent.file);
      daxFaultDone(k, daxDevOfExtent(k, inode, extent));
      if (from < 0) return VM_FAULT_SIGBUS;
    }
    if (iomapAllocate(k, inode, index) < 0) return VM_FAULT_SIGBUS;
    extent = iomapExtent(k, inode, index) as Extent;
    if (shared) yield* k.call(unmapMappingRange, inode, index, 1, 0);
  }
  const dax = daxDevOfExtent(k, inode, extent);
  const pfn = yield* daxIomapPfn(k, dax, extent.device + index - extent.file);
  if (pfn < 0) {
    daxFaultDone(k, dax);
    return VM_FAULT_SIGBUS;
  }
  if (walk(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn)).level !== 0 && entryFlags(k, entry) & DAX_ZERO_PAGE) yield* k.call(unmapMappingRange, inode, index, 1, 0);
  if (k.concurrent) yield AT('dax_insert_entry');
  daxInsertEntry(k, inode, index, entry, pfn, 1, extent.shared, write === 1);
  const ret = yield* insertPte(k, vma, vpn, pfn, write === 1, inode);
  daxFaultDone(k, dax);
  return ret;
}

/** dax_fault_cow_page: a private write gets a copy in RAM; the device page stays unmapped here. */
function* cowFault(k: Kernel, vma: number, vpn: number, inode: number, index: number, extent: Extent | null): Path {
  let value = 0;
  if (extent !== null) {
    const pfn = yield* daxIomapPfn(k, daxDevOfExtent(k, inode, extent), extent.device + index - extent.file);
    daxFaultDone(k, daxDevOfExtent(k, inode, extent));
    if (pfn < 0) return VM_FAULT_SIGBUS;
    value = peekMedium(k, pfn);
  }
  const mm = k.heap.load(vma + VMA.mm);
  yield* ptlLock(k, mm);
  const copy = newAnonPage(k, value, domainOfMm(k, mm));
  if (copy === 0) {
    ptlUnlock(k, mm);
    return VM_FAULT_OOM;
  }
  setEntry(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn), 1, copy, PTE_PRESENT | PTE_ANON | PTE_WRITE | PTE_DIRTY | PTE_YOUNG);
  ptlUnlock(k, mm);
  return 0;
}

/** dax_load_hole: reads of a hole see the zero page, which no device has. */
function loadHole(k: Kernel, vma: number, vpn: number, entry: number): number {
  k.heap.store(entry + 1, (entryFlags(k, entry) & ~DAX_EMPTY) | DAX_ZERO_PAGE);
  setEntry(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn), 1, 0, PTE_PRESENT | PTE_SPECIAL | PTE_YOUNG);
  return 0;
}

function* insertPte(k: Kernel, vma: number, vpn: number, pfn: number, write: boolean, inode: number): Path {
  const mm = k.heap.load(vma + VMA.mm);
  const sync = write && (k.heap.load(vma + VMA.flags) & VM_SYNC) !== 0;
  if (sync) {
    const rc = yield* k.call(syncInode, inode, 1);
    if (rc < 0) return VM_FAULT_SIGBUS;
  }
  if (k.concurrent) yield AT('dax_fault_iter: insert the pte');
  yield* ptlLock(k, mm);
  const region = k.heap.load(vma + VMA.region);
  const page = regionPage(k, vma, vpn);
  const old = walk(k.heap, region, page);
  if (old.level === 1 && old.pfn === pfn && (old.flags & PTE_ANON) === 0) {
    if (write) setEntry(k.heap, region, page, 1, pfn, old.flags | PTE_WRITE | PTE_DIRTY);
  } else if (old.level === 0) {
    insertDevice(k, vma, vpn, 1, pfn, write, 'insert_page');
  } else if (old.level === 1) {
    zapRmap(k, 1, old.pfn, old.flags, 'insert_page');
    insertDevice(k, vma, vpn, 1, pfn, write, 'insert_page');
  }
  ptlUnlock(k, mm);
  return 0;
}
