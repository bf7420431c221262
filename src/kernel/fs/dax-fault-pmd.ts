/**
 * DAX faults at 2 MiB (fs/dax.c: dax_iomap_pmd_fault, dax_pmd_load_hole; 5.10, 6.1, 6.12, 7.2). What does not fit falls back
 * to single pages (dax-fault.ts).
 */
import type { Kernel } from '../kernel.ts';
import { VM_FAULT_FALLBACK, VM_FAULT_NOPAGE, VM_FAULT_SIGBUS } from '../mm/fault-codes.ts';
import { insertDevice, ptlLock, ptlUnlock, splitHugePmd } from '../mm/memory.ts';
import { linearPageIndex, regionPage, VMA, vmaEnd, vmaStart, VM_NOHUGEPAGE, VM_SHARED, VM_SYNC } from '../mm/mm_struct.ts';
import { hasPteTable, PTE_DIRTY, PTE_PRESENT, PTE_SPECIAL, PTE_WRITE, PTE_YOUNG, setEntry, tableInUse, walk } from '../mm/pgtable.ts';
import { AT, type Path } from '../state/path.ts';
import { DAX_CONFLICT, DAX_EMPTY, DAX_ZERO_PAGE, entryFlags, entryHasPages, entryIsPmd, grabMappingEntry, unlockEntry } from './dax-entry.ts';
import { daxFaultDone, daxInsertEntry, daxIomapPfn, PMD_PAGES, unmapZeroPmd } from './dax-insert.ts';
import { INODE } from './inode.ts';
import { daxDevOfExtent, iomapBegin, iomapConvert, iomapExtent } from './iomap.ts';
import { syncInode } from './sync.ts';

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

export function* daxIomapPmdFault(k: Kernel, vma: number, vpn: number, write: number): Path {
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

/** dax_pmd_load_hole: the huge zero page, where nothing else is mapped. */
function loadHolePmd(k: Kernel, vma: number, first: number, entry: number): number {
  const region = k.heap.load(vma + VMA.region);
  const page = regionPage(k, vma, first);
  if (walk(k.heap, region, page).level !== 0) return VM_FAULT_FALLBACK;
  k.heap.store(entry + 1, (entryFlags(k, entry) & ~DAX_EMPTY) | DAX_ZERO_PAGE);
  setEntry(k.heap, region, page, 2, 0, PTE_PRESENT | PTE_SPECIAL | PTE_YOUNG);
  return VM_FAULT_NOPAGE;
}
