/**
 * What the faults of both sizes do with the device and the entry (fs/dax.c: dax_iomap_pfn / dax_iomap_direct_access,
 * dax_insert_entry; 5.10, 6.1, 6.12, 7.2).
 */
import { daxDirectAccess, daxReadLock, daxReadUnlock } from '../drivers/dax/super.ts';
import type { Kernel } from '../kernel.ts';
import { unmapMappingRange } from '../mm/memory.ts';
import { AT, type Path } from '../state/path.ts';
import { daxAssociateEntry, daxDisassociateEntry } from './dax-associate.ts';
import { DAX_DIRTY, DAX_LOCKED, DAX_PMD, DAX_PRESENT, DAX_ZERO_PAGE, entryFlags, entryHasPages, entryIsPmd, entryPfn, findEntry } from './dax-entry.ts';
import { INODE } from './inode.ts';

/** Pages of a PMD entry. */
export const PMD_PAGES = 512;

/** dax_direct_access for one page, under dax_read_lock, as dax_iomap_pfn does. */
export function* daxIomapPfn(k: Kernel, dax: number, page: number): Path {
  daxReadLock(k, dax);
  if (k.concurrent) yield AT('dax_iomap_pfn: dax_direct_access');
  const pfn = daxDirectAccess(k, dax, page);
  if (k.mechanism('fsdax.dax-lock-covers-insert') !== true) daxReadUnlock(k, dax);
  return pfn;
}

/** Lets dax_read_lock go where the fault has held it until now. */
export function daxFaultDone(k: Kernel, dax: number): void {
  if (k.mechanism('fsdax.dax-lock-covers-insert') === true) daxReadUnlock(k, dax);
}

/** What grab_mapping_entry() does before it downgrades the huge zero page to single entries, and a write before it takes its place. */
export function* unmapZeroPmd(k: Kernel, inode: number, index: number): Path<void> {
  const entry = findEntry(k, inode, index);
  if (entry !== 0 && entryIsPmd(k, entry) && (entryFlags(k, entry) & DAX_ZERO_PAGE) !== 0) yield* k.call(unmapMappingRange, inode, index - (index % PMD_PAGES), PMD_PAGES, 0);
}

/** dax_insert_entry: the entry now names the page; it is dirty after a write unless the fault is synchronous. */
export function daxInsertEntry(k: Kernel, inode: number, index: number, entry: number, pfn: number, pages: number, shared: boolean, dirty: boolean): void {
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
