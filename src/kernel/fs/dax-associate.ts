/**
 * Which file a device page belongs to: page->mapping and page->index, written when an entry is made and cleared when it
 * goes (fs/dax.c: dax_associate_entry, dax_disassociate_entry). To 6.14 every page of a PMD entry has them; from 6.15 on
 * the entry's pages are one folio.
 */
import type { Kernel } from '../kernel.ts';
import { warn } from '../oops.ts';
import { idlePageWords } from '../mm/memremap.ts';
import { fillPages, fillRecord } from '../mm/memmap-fill.ts';
import { compoundHead, isRecord, makeTable, PAGE, pageLoad, pageOrder, pageStore, PG, tableOf, templateOf } from '../mm/page.ts';
import { links, linksNode, linksZone } from '../mm/page-template.ts';
import { mappingsCount } from '../mm/rmap.ts';

const ORDER_PMD = 9;

/** Words of a page of an entry. */
function pageWords(k: Kernel, pfn: number, inode: number, index: number, where: string): number[] {
  const words = Array.from({ length: PAGE.words }, (_, word) => pageLoad(k, pfn, word, where));
  words[PAGE.mapping] = inode;
  words[PAGE.index] = index;
  return words;
}

/** dax_associate_entry: `pages` pages from `pfn` hold file pages from `index`. A page of several files has no mapping. */
export function daxAssociateEntry(k: Kernel, pfn: number, pages: number, inode: number, index: number, shared: boolean): void {
  const where = 'dax_associate_entry';
  if (shared && pageLoad(k, pfn, PAGE.mapping, where) !== 0) {
    pageStore(k, pfn, PAGE.mapping, 0, where);
    pageStore(k, pfn, PAGE.private, 2, where);
    return;
  }
  if (shared && pageLoad(k, pfn, PAGE.private, where) !== 0) {
    pageStore(k, pfn, PAGE.private, pageLoad(k, pfn, PAGE.private, where) + 1, where);
    return;
  }
  if (pageLoad(k, pfn, PAGE.mapping, where) !== 0) warn(k, where, 'fs/dax.c');
  if (pages > 1 && mappingsCount(k)) makeFolio(k, pfn, pages, inode, index);
  else if (pages === 512 && pfn % 512 === 0 && k.heap.tap === null && tableOf(k, pfn) === 0) fillRecord(k, pfn, pageWords(k, pfn, inode, index, where));
  else {
    for (let i = 0; i < pages; i += 1) {
      pageStore(k, pfn + i, PAGE.mapping, inode, where);
      pageStore(k, pfn + i, PAGE.index, index + i, where);
    }
  }
}

/** prep_compound_page (dax_folio_init). */
function makeFolio(k: Kernel, pfn: number, pages: number, inode: number, index: number): void {
  const where = 'dax_folio_init';
  const words = pageWords(k, pfn, inode, index, where);
  const old = words[PAGE.links] as number;
  words[PAGE.links] = links(linksZone(old), linksNode(old), ORDER_PMD);
  words[PAGE.flags] = (words[PAGE.flags] as number) | PG.head;
  if (k.heap.tap === null && tableOf(k, pfn) === 0) return fillRecord(k, pfn, words);
  makeTable(k, pfn);
  for (let i = 1; i < pages; i += 1) {
    pageStore(k, pfn + i, PAGE.flags, pageLoad(k, pfn + i, PAGE.flags, where) | PG.tail, where);
    pageStore(k, pfn + i, PAGE.links, words[PAGE.links] as number, where);
  }
  words.forEach((value, word) => pageStore(k, pfn, word, value, where));
}

/** dax_disassociate_entry: the pages belong to the file no more. Oopses where the memmap is gone. */
export function daxDisassociateEntry(k: Kernel, pfn: number, pages: number, inode: number): void {
  const where = 'dax_disassociate_entry';
  const shares = pageLoad(k, pfn, PAGE.private, where);
  if (shares > 1) {
    pageStore(k, pfn, PAGE.private, shares - 1, where);
    return;
  }
  const mapping = pageLoad(k, pfn, PAGE.mapping, where);
  if (mapping !== 0 && mapping !== inode) warn(k, where, 'fs/dax.c');
  if (resetWhole(k, pfn, pages)) return;
  for (let i = 0; i < pages; i += 1) {
    const flags = pageLoad(k, pfn + i, PAGE.flags, where);
    const old = pageLoad(k, pfn + i, PAGE.links, where);
    if ((flags & (PG.head | PG.tail)) !== 0) {
      pageStore(k, pfn + i, PAGE.flags, flags & ~(PG.head | PG.tail), where);
      pageStore(k, pfn + i, PAGE.links, links(linksZone(old), linksNode(old)), where);
    }
    pageStore(k, pfn + i, PAGE.mapping, 0, where);
    pageStore(k, pfn + i, PAGE.index, 0, where);
    pageStore(k, pfn + i, PAGE.private, 0, where);
  }
}

/** A whole 2 MiB whose pages are idle and unmarked goes back to the template of idle pages in one step. */
function resetWhole(k: Kernel, pfn: number, pages: number): boolean {
  if (pages !== 512 || k.heap.tap !== null || !isRecord(k, pfn)) return false;
  const pgmap = pageLoad(k, pfn, PAGE.pgmap, 'dax_disassociate_entry');
  const idle = idlePageWords(k, pgmap);
  if (pageLoad(k, pfn, PAGE.refcount, 'dax_disassociate_entry') !== idle[PAGE.refcount]) return false;
  if ((pageLoad(k, pfn, PAGE.flags, 'dax_disassociate_entry') & ~PG.head) !== idle[PAGE.flags]) return false;
  fillPages(k, pfn, pages, k.sparse.templates.of(idle));
  return true;
}

/** Pages from `pfn` on, in whole 2 MiB before `end`, that belong to no file and that nobody ever touched. */
export function idlePagesFrom(k: Kernel, pfn: number, end: number): number {
  let at = pfn;
  while (at % 512 === 0 && at + 512 <= end && templateOf(k, at) !== 0 && pageLoad(k, at, PAGE.mapping, 'idlePagesFrom') === 0) at += 512;
  return at - pfn;
}

/** Pages from `pfn` on, in whole 2 MiB before `end` that are stored as one each, that hold consecutive pages of one file in folios of one size. */
export function filePagesFrom(k: Kernel, pfn: number, end: number): number {
  const where = 'filePagesFrom';
  let at = pfn;
  while (at % 512 === 0 && at + 512 <= end && isRecord(k, at) && pageLoad(k, at, PAGE.mapping, where) !== 0) {
    if (pageLoad(k, at, PAGE.mapping, where) !== pageLoad(k, pfn, PAGE.mapping, where)) break;
    if (pageLoad(k, at, PAGE.index, where) - pageLoad(k, pfn, PAGE.index, where) !== at - pfn) break;
    if (pageOrder(k, at, where) !== pageOrder(k, pfn, where)) break;
    at += 512;
  }
  return at - pfn;
}

/** The file page that `pfn` holds: index of its folio or page. */
export function pageFileIndex(k: Kernel, pfn: number, where: string): number {
  const head = compoundHead(k, pfn, where);
  return pageLoad(k, head, PAGE.index, where) + (pfn - head);
}
