/**
 * DAX faults at 4 KiB and 2 MiB (fs/dax.c: dax_iomap_pte_fault, dax_iomap_pmd_fault, dax_insert_entry; 5.10, 6.1, 6.12,
 * 7.2). The order is the kernel's: entry lock, mapping from the file system, pfn from the device under dax_read_lock,
 * page-table entry, entry unlocked. Nothing between the pfn and the entry asks whether the device still lives.
 */
import type { Kernel } from '../kernel.ts';
import { peekMedium } from '../domains.ts';
import { daxDirectAccess, daxReadLock, daxReadUnlock } from '../drivers/dax/super.ts';
import { TASK, tasksOf } from '../task.ts';
import { VM_FAULT_FALLBACK, VM_FAULT_NOPAGE, VM_FAULT_OOM, VM_FAULT_SIGBUS } from '../mm/fault-codes.ts';
import { insertDevice, ptlLock, ptlUnlock, splitHugePmd, unmapMappingRange } from '../mm/memory.ts';
import { linearPageIndex, regionPage, VMA, vmaEnd, vmaStart, VM_NOHUGEPAGE, VM_SHARED, VM_SYNC } from '../mm/mm_struct.ts';
import { hasPteTable, PTE_ANON, PTE_DIRTY, PTE_PRESENT, PTE_SPECIAL, PTE_WRITE, PTE_YOUNG, setEntry, tableInUse, walk } from '../mm/pgtable.ts';
import { newAnonPage } from '../mm/anon.ts';
import { zapRmap } from '../mm/rmap.ts';
import { AT, type Path } from '../state/path.ts';
import { daxAssociateEntry, daxDisassociateEntry } from './dax-associate.ts';
import { DAX_CONFLICT, DAX_DIRTY, DAX_EMPTY, DAX_LOCKED, DAX_PMD, DAX_PRESENT, DAX_ZERO_PAGE, entryFlags, entryHasPages, entryIsPmd, entryPfn, findEntry, grabMappingEntry, unlockEntry } from './dax-entry.ts';
import { INODE, type Extent } from './inode.ts';
import { daxDevOfExtent, iomapAllocate, iomapBegin, iomapConvert, iomapExtent } from './iomap.ts';
import { syncInode } from './sync.ts';

const PMD_PAGES = 512;

/** dax_iomap_fault: `order` 9 tries a PMD and may say VM_FAULT_FALLBACK. `write` 2: a private write (the page is copied). */
export function* daxIomapFault(k: Kernel, vma: number, vpn: number, write: number, order: number): Path {
  return order === 9 ? yield* daxIomapPmdFault(k, vma, vpn, write) : yield* daxIomapPteFault(k, vma, vpn, write);
}

/** dax_direct_access for one page, under dax_read_lock, as dax_iomap_pfn does. */
function* daxIomapPfn(k: Kernel, dax: number, page: number): Path {
  daxReadLock(k, dax);
  if (k.concurrent) yield AT('dax_iomap_pfn: dax_direct_access');
  const pfn = daxDirectAccess(k, dax, page);
  if (k.mechanism('fsdax.dax-lock-covers-insert') !== true) daxReadUnlock(k, dax);
  return pfn;
}

/** Lets dax_read_lock go where the fault has held it until now. */
function daxFaultDone(k: Kernel, dax: number): void {
  if (k.mechanism('fsdax.dax-lock-covers-insert') === true) daxReadUnlock(k, dax);
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

/** What grab_mapping_entry() does before it downgrades the huge zero page to single entries, and a write before it takes its place. */
function* unmapZeroPmd(k: Kernel, inode: number, index: number): Path<void> {
  const entry = findEntry(k, inode, index);
  if (entry !== 0 && entryIsPmd(k, entry) && (entryFlags(k, entry) & DAX_ZERO_PAGE) !== 0) yield* k.call(unmapMappingRange, inode, index - (index % PMD_PAGES), PMD_PAGES, 0);
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

/** Domain of the process that has this mm. */
export function domainOfMm(k: Kernel, mm: number): number {
  for (let task = k.heap.load(tasksOf(k).head); task !== 0; task = k.heap.load(task + TASK.next)) {
    if (k.heap.load(task + TASK.mm) === mm) return k.heap.load(task + TASK.domain);
  }
  return 0;
}

/** dax_load_hole: reads of a hole see the zero page, which no device has. */
function loadHole(k: Kernel, vma: number, vpn: number, entry: number): number {
  k.heap.store(entry + 1, (entryFlags(k, entry) & ~DAX_EMPTY) | DAX_ZERO_PAGE);
  setEntry(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn), 1, 0, PTE_PRESENT | PTE_SPECIAL | PTE_YOUNG);
  return 0;
}

/** dax_pmd_load_hole: the huge zero page, where nothing else is mapped. */
function loadHolePmd(k: Kernel, vma: number, first: number, entry: number): number {
  const region = k.heap.load(vma + VMA.region);
  const page = regionPage(k, vma, first);
  if (walk(k.heap, region, page).level !== 0) return VM_FAULT_FALLBACK;
  k.heap.store(entry + 1, (entryFlags(k, entry) & ~DAX_EMPTY) | DAX_ZERO_PAGE);
  setEntry(k.heap, region, page, 2, 0, PTE_PRESENT | PTE_SPECIAL | PTE_YOUNG);
  return VM_FAULT_NOPAGE;
}

/** dax_insert_entry: the entry now names the page; it is dirty after a write unless the fault is synchronous. */
function daxInsertEntry(k: Kernel, inode: number, index: number, entry: number, pfn: number, pages: number, shared: boolean, dirty: boolean): void {
  const flags = entryFlags(k, entry);
  if (!entryHasPages(k, entry) || (entryPages1(flags) === 1 && entryPfn(k, entry) !== pfn)) {
    if (entryHasPages(k, entry)) daxDisassociateEntry(k, entryPfn(k, entry), 1, inode);
    daxAssociateEntry(k, pfn, pages, inode, index, shared);
    k.heap.store(entry, pfn);
    k.heap.store(entry + 1, DAX_PRESENT | DAX_LOCKED | (flags & (DAX_PMD | DAX_DIRTY)) | (dirty ? DAX_DIRTY : 0));
  } else if (dirty) {
    k.heap.store(entry + 1, flags | DAX_DIRTY);
  }
  if (dirty) k.heap.store(inode + INODE.dirty, 1);
}
const entryPages1 = (flags: number): number => ((flags & DAX_PMD) !== 0 ? PMD_PAGES : 1);

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

/** dax_fault_check_fallback and the checks before: a PMD must fit the VMA, the file, the extent and the device. */
function pmdPossible(k: Kernel, vma: number, vpn: number, write: number): boolean {
  const inode = k.heap.load(vma + VMA.inode);
  const flags = k.heap.load(vma + VMA.flags);
  if ((flags & VM_NOHUGEPAGE) !== 0) return false;
  if (write === 2 && (flags & VM_SHARED) === 0) return false;
  const first = vpn - (vpn % PMD_PAGES);
  if (first < vmaStart(k, vma) || first + PMD_PAGES > vmaEnd(k, vma)) return false;
  const index = linearPageIndex(k, vma, first);
  return index % PMD_PAGES === 0 && index + PMD_PAGES <= k.heap.load(inode + INODE.pages);
}

function* daxIomapPmdFault(k: Kernel, vma: number, vpn: number, write: number): Path {
  if (!pmdPossible(k, vma, vpn, write)) return yield* pmdFallback(k, vma, vpn);
  const inode = k.heap.load(vma + VMA.inode);
  const first = vpn - (vpn % PMD_PAGES);
  const index = linearPageIndex(k, vma, first);
  if (k.concurrent) yield AT('grab_mapping_entry (PMD)');
  const entry = yield* k.call(grabMappingEntry, inode, index, 9);
  if (entry === DAX_CONFLICT) return yield* pmdFallback(k, vma, vpn);
  const region = k.heap.load(vma + VMA.region);
  let ret: number = VM_FAULT_FALLBACK;
  if (hasPteTable(k.heap, region, regionPage(k, vma, first)) && tableInUse(k.heap, region, regionPage(k, vma, first))) ret = VM_FAULT_NOPAGE;
  else if (iomapBegin(k, inode) >= 0) ret = yield* pmdFaultLocked(k, vma, first, write, inode, index, entry);
  if (ret === VM_FAULT_FALLBACK && !entryHasPages(k, entry)) k.heap.store(entry + 1, 0);
  else unlockEntry(k, entry);
  return ret === VM_FAULT_FALLBACK ? yield* pmdFallback(k, vma, vpn) : ret;
}

function* pmdFaultLocked(k: Kernel, vma: number, first: number, write: number, inode: number, index: number, entry: number): Path {
  const extent = iomapExtent(k, inode, index);
  if (extent === null || extent.file + extent.pages < index + PMD_PAGES) return VM_FAULT_FALLBACK;
  if (extent.shared && write !== 0) return VM_FAULT_FALLBACK;
  if (extent.unwritten === true) {
    if (write === 0) return loadHolePmd(k, vma, first, entry);
    iomapConvert(k, inode, index, PMD_PAGES);
    yield* unmapZeroPmd(k, inode, index);
  }
  const dax = daxDevOfExtent(k, inode, extent);
  const pfn = yield* daxIomapPfn(k, dax, extent.device + index - extent.file);
  const ret = pfn < 0 || pfn % PMD_PAGES !== 0 || !entryIsPmd(k, entry) ? VM_FAULT_FALLBACK : yield* pmdInsert(k, vma, first, write, inode, index, entry, pfn, extent.shared);
  daxFaultDone(k, dax);
  return ret;
}

function* pmdInsert(k: Kernel, vma: number, first: number, write: number, inode: number, index: number, entry: number, pfn: number, shared: boolean): Path {
  if (k.concurrent) yield AT('dax_insert_entry (PMD)');
  daxInsertEntry(k, inode, index, entry, pfn, PMD_PAGES, shared, write === 1);
  const mm = k.heap.load(vma + VMA.mm);
  if (write === 1 && (k.heap.load(vma + VMA.flags) & VM_SYNC) !== 0 && (yield* k.call(syncInode, inode, 1)) < 0) return VM_FAULT_SIGBUS;
  if (k.concurrent) yield AT('dax_pmd_fault_iter: insert the pmd');
  yield* ptlLock(k, mm);
  const region = k.heap.load(vma + VMA.region);
  const page = regionPage(k, vma, first);
  const old = walk(k.heap, region, page);
  if (old.level === 2 && old.pfn === pfn) {
    if (write === 1) setEntry(k.heap, region, page, 2, pfn, old.flags | PTE_WRITE | PTE_DIRTY);
  } else if (old.level === 0) insertDevice(k, vma, first, 2, pfn, write === 1, 'insert_pmd');
  ptlUnlock(k, mm);
  return 0;
}

/** The `fallback` label: a PMD that is there is split, and the fault is tried again page by page. */
function* pmdFallback(k: Kernel, vma: number, vpn: number): Path {
  const mm = k.heap.load(vma + VMA.mm);
  if (walk(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn)).level === 2) {
    yield* ptlLock(k, mm);
    splitHugePmd(k, vma, vpn);
    ptlUnlock(k, mm);
  }
  return VM_FAULT_FALLBACK;
}

