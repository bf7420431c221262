/**
 * `struct page`. With SPARSEMEM_VMEMMAP a page's address follows from its frame number and nothing else, so a page *is*
 * its pfn here (`pfn_to_page` is the identity): after a removal the same pointer leads into unmapped memory, after a new
 * add it leads to the new owner's page. Every access goes through the section table; where there is no memmap the path
 * ends in an oops that names the kernel function.
 *
 * Storage is lazy: see section-table.ts. A sub-section gets words of its own when somebody writes to one of its pages.
 */
import type { Kernel } from '../kernel.ts';
import { oopsPage } from '../oops.ts';
import { links, linksMigrate, linksNode, linksOrder, linksType, linksZone, PAGE, PG, TYPE, ZONE } from './page-template.ts';
import { SECTION, STORE } from './section-table.ts';

export { PAGE, PG, TYPE, MIGRATE, ZONE, ZONE_NAMES, links } from './page-template.ts';

/** The entry (value << 2 | kind) that holds `pfn`, or 0: no memmap there. */
function entryOf(k: Kernel, pfn: number): number {
  const { sparse } = k;
  const section = sparse.section(sparse.sectionNr(pfn));
  if (section === 0) return 0;
  const extra = sparse.extra(section);
  if (extra !== 0) return k.heap.load(extra + sparse.subIndex(pfn));
  const template = sparse.ref(section);
  return template === 0 ? 0 : (template << 2) | STORE.template;
}

/** Whether the `struct page` of `pfn` is backed by memory, initialised or not. */
export const memmapPresent = (k: Kernel, pfn: number): boolean => entryOf(k, pfn) !== 0;

/** Reads one word of `struct page` number `pfn`. `where` is the kernel function that reads, for the oops. */
export function pageLoad(k: Kernel, pfn: number, word: number, where: string): number {
  const entry = entryOf(k, pfn);
  const value = entry >>> 2;
  switch (entry & 3) {
    case STORE.template:
      return k.heap.words[k.sparse.templates.address(value) + word] as number;
    case STORE.record:
      return recordWord(k, value, pfn % k.sparse.ppss, word);
    case STORE.table:
      return k.heap.load(value + 1 + (pfn % k.sparse.ppss) * PAGE.words + word);
    default:
      return oopsPage(k, pfn, where);
  }
}

/** One word of page `at` of a sub-section that is stored as one record: a compound page, or pages with a running index. */
function recordWord(k: Kernel, record: number, at: number, word: number): number {
  const value = k.heap.load(record + word);
  if (at === 0) return value;
  const head = (k.heap.load(record) & PG.head) !== 0;
  if (word === PAGE.index) return value + at;
  if (!head) return value;
  if (word === PAGE.flags) return (value & ~(PG.head | PG.locked)) | PG.tail;
  return word === PAGE.refcount || word === PAGE.mapcount || word === PAGE.private ? 0 : value;
}

/** Writes one word of `struct page` number `pfn`. */
export function pageStore(k: Kernel, pfn: number, word: number, value: number, where: string): void {
  const entry = entryOf(k, pfn);
  if ((entry & 3) === STORE.record && pfn % k.sparse.ppss === 0 && recordKeeps(k, entry >>> 2, word, value)) {
    k.heap.store((entry >>> 2) + word, value);
    return;
  }
  if (entry === 0) oopsPage(k, pfn, where);
  const table = (entry & 3) === STORE.table ? entry >>> 2 : makeTable(k, pfn);
  k.heap.store(table + 1 + (pfn % k.sparse.ppss) * PAGE.words + word, value);
}

/** A store to the head of a record may stay there when the other pages do not read it. */
function recordKeeps(k: Kernel, record: number, word: number, value: number): boolean {
  const flags = k.heap.load(record);
  if ((flags & PG.head) === 0) return false;
  return word !== PAGE.flags || (value & PG.head) !== 0;
}

export function pageAdd(k: Kernel, pfn: number, word: number, delta: number, where: string): number {
  const value = (pageLoad(k, pfn, word, where) + delta) | 0;
  pageStore(k, pfn, word, value, where);
  return value;
}

/** Gives the sub-section of `pfn` words for each of its pages, with what they read now. Returns the table. */
export function makeTable(k: Kernel, pfn: number): number {
  const { sparse, heap } = k;
  const section = sparse.section(sparse.sectionNr(pfn));
  const slot = sparse.makeExtra(section) + sparse.subIndex(pfn);
  const entry = heap.load(slot);
  if ((entry & 3) === STORE.table) return entry >>> 2;
  const table = sparse.tables.alloc();
  const first = pfn - (pfn % sparse.ppss);
  for (let at = 0; at < sparse.ppss; at += 1) {
    for (let word = 0; word < PAGE.words; word += 1) {
      const value = pageLoad(k, first + at, word, 'makeTable');
      if (value !== 0) heap.store(table + 1 + at * PAGE.words + word, value);
    }
  }
  heap.store(table, pageType(k, pfn, 'makeTable') === TYPE.buddy ? sparse.ppss : 0);
  if ((entry & 3) === STORE.record) sparse.records.free(entry >>> 2);
  heap.store(slot, (table << 2) | STORE.table);
  return table;
}

/** Table of the sub-section of `pfn`, 0 where its pages are stored otherwise. */
export function tableOf(k: Kernel, pfn: number): number {
  const entry = entryOf(k, pfn);
  return (entry & 3) === STORE.table ? entry >>> 2 : 0;
}

/** Template number of the sub-section of `pfn`, 0 where its pages have words of their own or there is no memmap. */
export function templateOf(k: Kernel, pfn: number): number {
  const entry = entryOf(k, pfn);
  return (entry & 3) === STORE.template ? entry >>> 2 : 0;
}

/** Record of the sub-section of `pfn`, 0 where its pages are stored otherwise. */
export function recordOf(k: Kernel, pfn: number): number {
  const entry = entryOf(k, pfn);
  return (entry & 3) === STORE.record ? entry >>> 2 : 0;
}

/** True when the sub-section of `pfn` is stored as one record: a folio that fills it, or pages with a running index. */
export const isRecord = (k: Kernel, pfn: number): boolean => recordOf(k, pfn) !== 0;

export const pageFlags = (k: Kernel, pfn: number, where: string): number => pageLoad(k, pfn, PAGE.flags, where);
export const testFlag = (k: Kernel, pfn: number, flag: number, where: string): boolean => (pageFlags(k, pfn, where) & flag) !== 0;
export const setFlag = (k: Kernel, pfn: number, flag: number, where: string): void => pageStore(k, pfn, PAGE.flags, pageFlags(k, pfn, where) | flag, where);
export const clearFlag = (k: Kernel, pfn: number, flag: number, where: string): void => pageStore(k, pfn, PAGE.flags, pageFlags(k, pfn, where) & ~flag, where);
export const pageZone = (k: Kernel, pfn: number, where: string): number => linksZone(pageLoad(k, pfn, PAGE.links, where));
export const pageNode = (k: Kernel, pfn: number, where: string): number => linksNode(pageLoad(k, pfn, PAGE.links, where));
export const pageType = (k: Kernel, pfn: number, where: string): number => linksType(pageLoad(k, pfn, PAGE.links, where));
export const pageOrder = (k: Kernel, pfn: number, where: string): number => linksOrder(pageLoad(k, pfn, PAGE.links, where));
/** is_zone_device_page. */
export const isZoneDevicePage = (k: Kernel, pfn: number, where: string): boolean => pageZone(k, pfn, where) === ZONE.device;

/** compound_head: pfn of the folio's first page; `pfn` itself for a page that is no tail. */
export function compoundHead(k: Kernel, pfn: number, where: string): number {
  if (!testFlag(k, pfn, PG.tail, where)) return pfn;
  const pages = 2 ** pageOrder(k, pfn, where);
  return pfn - (pfn % pages);
}

export function setLinks(k: Kernel, pfn: number, zone: number, nid: number, order: number, type: number, where: string): void {
  pageStore(k, pfn, PAGE.links, links(zone, nid, order, type), where);
}

/** Migrate type of the pageblock of `pfn` (get_pageblock_migratetype): lives in `mem_section_usage`, not in the page. */
export function pageblockMigratetype(k: Kernel, pfn: number): number {
  const { sparse, heap } = k;
  const section = sparse.section(sparse.sectionNr(pfn));
  if (section === 0) return 0;
  const extra = sparse.extra(section);
  if (extra === 0) {
    const template = sparse.ref(section);
    return template === 0 ? 0 : linksMigrate(heap.words[sparse.templates.address(template) + PAGE.links] as number);
  }
  const sub = sparse.subIndex(pfn);
  return (heap.load(extra + sparse.extraMigrate + (sub >> 3)) >>> ((sub & 7) * 4)) & 7;
}

/** Section flags of the section of `pfn`; 0 where it does not exist. */
export const sectionFlagsOf = (k: Kernel, pfn: number): number => k.sparse.flags(k.sparse.sectionNr(pfn));
export const onlineSection = (k: Kernel, pfn: number): boolean => (sectionFlagsOf(k, pfn) & SECTION.online) !== 0;
