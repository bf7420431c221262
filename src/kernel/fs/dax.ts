/**
 * DAX besides faults: locks that memory_failure takes, invalidation, layout breaks (fs/dax.c; 5.10, 6.1, 6.12, 7.2).
 */
import type { Kernel } from '../kernel.ts';
import { unmapMappingRange } from '../mm/memory.ts';
import { pageIsBusy } from '../mm/page_ref.ts';
import { compoundHead, isRecord, PAGE, pageLoad, pageOrder, templateOf } from '../mm/page.ts';
import { AT, BLOCKED, type Path } from '../state/path.ts';
import { daxDisassociateEntry, pageFileIndex } from './dax-associate.ts';
import { DAX_LOCKED, entriesAlike, entriesIn, entryFlags, entryHasPages, entryPages, entryPfn, eraseEntry, findEntry, unlockedEntry } from './dax-entry.ts';
import { INODE, INODE_CHR, SLOT_PAGES } from './inode.ts';

/** Answer of the lock functions where there is nothing to lock and the caller may go on ((dax_entry_t)~0UL). */
export const DAX_NO_ENTRY = -1;

/**
 * dax_lock_page / dax_lock_folio: finds the file page that `pfn` holds and locks its entry. 0: the page belongs to no
 * file now; DAX_NO_ENTRY: a device-dax page, which needs no lock.
 */
export function* daxLockPage(k: Kernel, pfn: number): Path {
  if (k.concurrent) yield AT('dax_lock_page: read page->mapping');
  for (;;) {
    const head = compoundHead(k, pfn, 'dax_lock_page');
    const inode = pageLoad(k, head, PAGE.mapping, 'dax_lock_page');
    if (inode === 0) return 0;
    if (k.heap.load(inode + INODE.kind) === INODE_CHR) return DAX_NO_ENTRY;
    const entry = findEntry(k, inode, pageFileIndex(k, pfn, 'dax_lock_page'));
    if (entry === 0) return 0;
    if ((entryFlags(k, entry) & DAX_LOCKED) === 0) {
      k.heap.store(entry + 1, entryFlags(k, entry) | DAX_LOCKED);
      return entry;
    }
    yield BLOCKED('D dax_lock_page: the DAX entry is locked');
  }
}

/** dax_lock_mapping_entry: the entry at `index`, locked; DAX_NO_ENTRY where it is absent, empty or the zero page. */
export function* daxLockMappingEntry(k: Kernel, inode: number, index: number): Path {
  if (k.concurrent) yield AT('dax_lock_mapping_entry');
  const entry = yield* k.call(unlockedEntry, inode, index);
  if (entry === 0 || !entryHasPages(k, entry)) return DAX_NO_ENTRY;
  k.heap.store(entry + 1, entryFlags(k, entry) | DAX_LOCKED);
  return entry;
}

/** dax_delete_mapping_entry for every entry of [from, to): they give their pages back and go. */
export function* daxDeleteMappingRange(k: Kernel, inode: number, from: number, to: number): Path {
  let deleted = 0;
  for (const [index] of k.concurrent ? [...entriesIn(k, inode, from, to)] : entriesIn(k, inode, from, to)) {
    const whole = k.concurrent || index + SLOT_PAGES > to ? 0 : eraseWhole(k, inode, index);
    deleted += whole;
    if (whole > 0) continue;
    if (k.concurrent) yield AT('dax_delete_mapping_entry');
    const entry = yield* k.call(unlockedEntry, inode, index);
    if (entry === 0) continue;
    if (entryHasPages(k, entry)) daxDisassociateEntry(k, entryPfn(k, entry), entryPages(k, entry), inode);
    eraseEntry(k, entry);
    deleted += 1;
  }
  return deleted;
}

/** 512 single entries at once, where they hold the pages of one 2 MiB that is stored as one. Returns the entries erased. */
function eraseWhole(k: Kernel, inode: number, index: number): number {
  if (index % SLOT_PAGES !== 0) return 0;
  const first = findEntry(k, inode, index);
  const pfn = entryPfn(k, first);
  if (entryPages(k, first) !== 1 || pfn % SLOT_PAGES !== 0 || !isRecord(k, pfn) || entriesAlike(k, inode, index, index + SLOT_PAGES) !== SLOT_PAGES) return 0;
  for (let i = 1; i < SLOT_PAGES; i += 1) if (entryPfn(k, findEntry(k, inode, index + i)) !== pfn + i) return 0;
  daxDisassociateEntry(k, pfn, SLOT_PAGES, inode);
  for (let i = 0; i < SLOT_PAGES; i += 1) eraseEntry(k, findEntry(k, inode, index + i));
  return SLOT_PAGES;
}

/**
 * dax_layout_busy_page_range: unmaps [from, to) from all processes, then looks for a page that somebody still has.
 * Returns its pfn, or 0.
 */
export function* daxLayoutBusyPage(k: Kernel, inode: number, from: number, to: number): Path {
  yield* k.call(unmapMappingRange, inode, from, to >= k.heap.load(inode + INODE.pages) ? 0 : to - from, 0);
  for (const [index] of [...entriesIn(k, inode, from, to)]) {
    if (k.concurrent) yield AT('dax_layout_busy_page: look at the entry');
    const entry = yield* k.call(unlockedEntry, inode, index);
    if (entry === 0 || !entryHasPages(k, entry)) continue;
    for (let i = 0; i < entryPages(k, entry); i += 1) {
      const pfn = entryPfn(k, entry) + i;
      if (pageIsBusy(k, pfn, 'dax_layout_busy_page_range')) return pfn;
      // One look stands for all pages of a folio, and of an entry whose pages nobody gave words of their own.
      if (isRecord(k, pfn) || templateOf(k, pfn) !== 0 || pageOrder(k, pfn, 'dax_layout_busy_page_range') > 0) break;
    }
  }
  return 0;
}

/** dax_break_layout, ext4_break_layouts, xfs_break_dax_layouts: waits until nobody holds a page of [from, to). */
export function* daxBreakLayout(k: Kernel, inode: number, from: number, to: number): Path {
  for (;;) {
    const pfn = yield* k.call(daxLayoutBusyPage, inode, from, to);
    if (pfn === 0) return 0;
    while (pageIsBusy(k, pfn, 'wait_page_idle')) yield BLOCKED('D dax_break_layout: wait for a page to become idle');
  }
}

/** dax_break_layout_final (7.0 on): before an inode is evicted; uninterruptible. */
export function* daxBreakLayoutFinal(k: Kernel, inode: number): Path {
  const pages = k.heap.load(inode + INODE.pages);
  for (;;) {
    const pfn = yield* k.call(daxLayoutBusyPage, inode, 0, pages);
    if (pfn === 0) break;
    while (pageIsBusy(k, pfn, 'dax_break_layout_final')) yield BLOCKED('D dax_break_layout_final: wait_page_idle_uninterruptible');
  }
  return yield* k.call(daxDeleteMappingRange, inode, 0, pages);
}
