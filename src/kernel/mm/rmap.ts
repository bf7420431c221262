/**
 * What a user mapping counts in the struct pages behind it (mm/rmap.c, mm/memory.c). DAX mappings count nothing to 6.14
 * (pte_devmap entries have no normal page) and a folio reference with a map count from 6.15 on.
 */
import type { Kernel } from '../kernel.ts';
import { KERN_ALERT } from '../printk.ts';
import { putAnonPage } from './anon.ts';
import { MEMORY_DEVICE, PGMAP } from './memremap.ts';
import { getPage, putPage } from './page_ref.ts';
import { compoundHead, PAGE, pageAdd, pageOrder, PG, recordOf } from './page.ts';
import { levelPages, PMD_PAGES, PTE_ANON, PTE_COHERENT, PTE_DEVICE_PRIVATE, PTE_PRESENT, PTE_SPECIAL } from './pgtable.ts';

/** True when a mapping of device memory counts in the folio. */
export const mappingsCount = (k: Kernel): boolean => k.mechanism('fsdax.mapping-counts') === 'folio';

/** folio_get + folio_add_file_rmap_pte/pmd, by insert_page and its kin. */
export function addFileRmap(k: Kernel, pfn: number, count: number, where: string): void {
  if (!mappingsCount(k)) return;
  const head = compoundHead(k, pfn, where);
  getPage(k, head, count, where);
  pageAdd(k, head, PAGE.mapcount, count, where);
}

/**
 * What zap_present_pte / zap_huge_pmd does for one entry that it has cleared: nothing for an entry without a normal
 * page; else the map count and the reference go back. A map count below zero is a "Bad page map": the entry outlived
 * the page it was made for. `users`: so many equal entries of as many processes at once.
 */
export function zapRmap(k: Kernel, level: number, pfn: number, flags: number, where: string, users = 1): void {
  if ((flags & PTE_DEVICE_PRIVATE) !== 0) return putPage(k, pfn, 1, where);
  if ((flags & PTE_PRESENT) === 0) return;
  if ((flags & PTE_ANON) !== 0) {
    putAnonPage(k, pfn);
    return;
  }
  if ((flags & PTE_COHERENT) !== 0) return putPage(k, pfn, 1, where);
  if ((flags & PTE_SPECIAL) !== 0 || k.mechanism('fsdax.zap-reads-page') === 'no') return;
  const head = compoundHead(k, pfn, where);
  // A PMD of a page that is no folio of that size any more counts in a field that a single page does not have.
  if (level === 1 || pageOrder(k, head, where) > 0) {
    const mapcount = pageAdd(k, head, PAGE.mapcount, -users, where);
    if (mapcount < 0) k.log.write(KERN_ALERT, `BUG: Bad page map in process  pte:${pfn.toString(16)} page: refcount:0 mapcount:${mapcount}`);
  }
  putPage(k, head, users, where);
}

/**
 * The same for `count` entries of one level that map consecutive pages. 2 MiB of single pages that are stored as one
 * record count in it alone; that needs a pagemap whose pages do not hold it, and counts that stay above zero.
 */
export function zapRmapRun(k: Kernel, level: number, pfn: number, count: number, flags: number, where: string, users: number): void {
  const unit = levelPages(level);
  for (let i = 0; i < count;) {
    const record = level === 1 && (pfn + i) % PMD_PAGES === 0 && count - i >= PMD_PAGES ? countingRecord(k, pfn + i, flags, users) : 0;
    if (record === 0) {
      zapRmap(k, level, pfn + i * unit, flags, where, users);
      i += 1;
      continue;
    }
    k.heap.add(record + PAGE.mapcount, -users);
    k.heap.add(record + PAGE.refcount, -users);
    i += PMD_PAGES;
  }
}

function countingRecord(k: Kernel, pfn: number, flags: number, users: number): number {
  if (!mappingsCount(k) || (flags & PTE_PRESENT) === 0 || (flags & (PTE_ANON | PTE_COHERENT | PTE_DEVICE_PRIVATE | PTE_SPECIAL)) !== 0) return 0;
  if (k.mechanism('gup.memunmap-references') === 'per-page' || k.mechanism('fsdax.zap-reads-page') === 'no') return 0;
  const record = recordOf(k, pfn);
  if (record === 0 || (k.heap.load(record + PAGE.flags) & PG.head) !== 0) return 0;
  const pgmap = k.heap.load(record + PAGE.pgmap);
  if (pgmap === 0 || k.heap.load(pgmap + PGMAP.type) !== MEMORY_DEVICE.fsdax) return 0;
  return k.heap.load(record + PAGE.mapcount) >= users && k.heap.load(record + PAGE.refcount) >= users ? record : 0;
}
