/**
 * Isolation of pageblocks before memory goes offline (mm/page_isolation.c; 5.10 to 7.2, 5.2 where said): nothing is
 * allocated from them any more, and a page that cannot move makes the whole attempt fail at once.
 */
import { EBUSY } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { pageAddress } from '../oops.ts';
import { KERN_WARNING } from '../printk.ts';
import { setMigratetype } from './memmap-fill.ts';
import { linksNode, linksType, linksZone, MIGRATE, PAGE, PG, POISON, TYPE, ZONE } from './page-template.ts';
import { pageblockMigratetype, pageFlags, pageLoad, pageOrder, pageType, pageZone, tableOf, templateOf } from './page.ts';

/** How many frames from `pfn` on surely read like it: the rest of its section or sub-section, or 1. */
export function alikeFrom(k: Kernel, pfn: number): number {
  const { sparse } = k;
  const section = sparse.section(sparse.sectionNr(pfn));
  if (section !== 0 && sparse.extra(section) === 0) return sparse.pps - (pfn % sparse.pps);
  if (templateOf(k, pfn) !== 0) return sparse.ppss - (pfn % sparse.ppss);
  return 1;
}

/** First frame of [start, end) that cannot be moved, or -1 (has_unmovable_pages with MEMORY_OFFLINE). */
export function hasUnmovablePages(k: Kernel, start: number, end: number): number {
  const where = 'has_unmovable_pages';
  for (let pfn = start; pfn < end;) {
    const flags = pageFlags(k, pfn, where);
    if ((flags & PG.reserved) !== 0) return pfn;
    if (pageZone(k, pfn, where) === ZONE.movable) {
      pfn += alikeFrom(k, pfn);
      continue;
    }
    const step = movableStep(k, pfn, flags);
    if (step === 0) return pfn;
    pfn += step;
  }
  return -1;
}

/** Frames to go on by from a page of a kernel zone that can move; 0 where it cannot. */
function movableStep(k: Kernel, pfn: number, flags: number): number {
  const where = 'has_unmovable_pages';
  const type = pageType(k, pfn, where);
  if (type === TYPE.hugetlb) return k.mechanism('ram.hugetlb-migrates') ? 2 ** pageOrder(k, pfn, where) : 0;
  const refs = pageLoad(k, pfn, PAGE.refcount, where);
  if ((flags & (PG.head | PG.tail)) !== 0) {
    if ((flags & PG.lru) === 0) return 0;
    return (flags & PG.head) !== 0 ? 2 ** pageOrder(k, pfn, where) : 1;
  }
  if (refs === 0) return alikeFrom(k, pfn);
  if ((flags & PG.hwpoison) !== 0) return 1;
  if (type === TYPE.offline) return alikeFrom(k, pfn);
  return (flags & PG.lru) !== 0 ? 1 : 0;
}

/** dump_page as far as operators read it. */
export function dumpPage(k: Kernel, pfn: number, reason: string, extraRefs = 0): void {
  const where = 'dump_page';
  const flags = pageFlags(k, pfn, where);
  if (flags === POISON[0]) {
    k.log.write(KERN_WARNING, `page:${pageAddress(pfn)} is uninitialized and poisoned`);
    k.log.write(KERN_WARNING, `page dumped because: ${reason}`);
    return;
  }
  const type = pageType(k, pfn, where);
  const refs = pageLoad(k, pfn, PAGE.refcount, where) + extraRefs;
  const kind = type === TYPE.slab ? ' page_type: f5(slab)' : type === TYPE.table ? ' page_type: f2(table)' : '';
  k.log.write(KERN_WARNING, `page: refcount:${refs} mapcount:${pageLoad(k, pfn, PAGE.mapcount, where)} pfn:0x${pfn.toString(16)}${kind}${(flags & PG.reserved) !== 0 ? ' flags: (reserved)' : ''}`);
  k.log.write(KERN_WARNING, `page dumped because: ${reason}`);
}

/**
 * start_isolate_page_range: every pageblock of [start, end) becomes MIGRATE_ISOLATE. -EBUSY with all of it undone where
 * a page cannot move or a pageblock is isolated already.
 */
export function startIsolatePageRange(k: Kernel, start: number, end: number, migrate: number): number {
  const unit = k.geo.pageblockPages;
  for (let pfn = start; pfn < end;) {
    const span = Math.min(end - pfn, Math.max(unit, wholeSection(k, pfn, end)));
    const unmovable = pageblockMigratetype(k, pfn) === MIGRATE.isolate ? pfn : k.mechanism('ram.unmovable-page-fails-offline') ? hasUnmovablePages(k, pfn, pfn + span) : -1;
    if (unmovable >= 0) {
      if (pageblockMigratetype(k, pfn) !== MIGRATE.isolate) dumpPage(k, unmovable, 'unmovable page');
      undoIsolatePageRange(k, start, pfn, migrate);
      return -EBUSY;
    }
    countFree(k, pfn, span, -1);
    setMigratetype(k, pfn, span, MIGRATE.isolate);
    pfn += span;
  }
  return 0;
}

/** A section that is stored as one template is looked at as one pageblock. */
function wholeSection(k: Kernel, pfn: number, end: number): number {
  const { sparse } = k;
  const section = sparse.section(sparse.sectionNr(pfn));
  return pfn % sparse.pps === 0 && end - pfn >= sparse.pps && section !== 0 && sparse.extra(section) === 0 ? sparse.pps : 0;
}

/** undo_isolate_page_range: the pageblocks are of type `migrate` again. */
export function undoIsolatePageRange(k: Kernel, start: number, end: number, migrate: number): void {
  if (end <= start) return;
  setMigratetype(k, start, end - start, migrate);
  countFree(k, start, end - start, 1);
}

/** Free pages of an isolated pageblock do not count as free (__mod_zone_freepage_state). */
function countFree(k: Kernel, start: number, count: number, sign: number): void {
  const where = 'set_migratetype_isolate';
  for (let pfn = start; pfn < start + count;) {
    const step = Math.min(alikeFrom(k, pfn), start + count - pfn);
    const word = pageLoad(k, pfn, PAGE.links, where);
    if (linksType(word) === TYPE.buddy) k.zones.add(linksNode(word), linksZone(word), 'free', sign * step);
    if (sign > 0 && linksType(word) === TYPE.buddy && pfn < k.zones.get(linksNode(word), linksZone(word), 'hint')) k.zones.set(linksNode(word), linksZone(word), 'hint', pfn - (pfn % k.sparse.ppss));
    pfn += step;
  }
}

/** test_pages_isolated with MEMORY_OFFLINE: 0 when all frames are free, poisoned or offline; -EBUSY otherwise. */
export function testPagesIsolated(k: Kernel, start: number, end: number): number {
  const where = 'test_pages_isolated';
  for (let pfn = start; pfn < end;) {
    const table = tableOf(k, pfn);
    if (table !== 0 && pfn % k.sparse.ppss === 0 && end - pfn >= k.sparse.ppss && k.heap.load(table) === k.sparse.ppss) {
      pfn += k.sparse.ppss;
      continue;
    }
    const type = pageType(k, pfn, where);
    const poisoned = (pageFlags(k, pfn, where) & PG.hwpoison) !== 0;
    const offline = type === TYPE.offline && pageLoad(k, pfn, PAGE.refcount, where) === 0;
    if (type !== TYPE.buddy && !poisoned && !offline) return -EBUSY;
    pfn += alikeFrom(k, pfn);
  }
  return 0;
}
