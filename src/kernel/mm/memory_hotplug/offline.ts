/**
 * offline_pages (mm/memory_hotplug.c; 5.10 to 7.2, 5.2 where a mechanism says so). The ways to fail or never to end:
 * a hole, two zones, two nodes (the block's rules, drivers/base/memory.ts), an unmovable page, a notifier's refusal, and
 * a page that somebody holds: that one is tried again and again until a signal comes.
 */
import { EINTR, EINVAL } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { oopsPage } from '../../oops.ts';
import { KERN_INFO, KERN_WARNING } from '../../printk.ts';
import { loadLong, storeLong } from '../../state/long.ts';
import { AT, BLOCKED, repeat, STOP, type Path } from '../../state/path.ts';
import { Slab } from '../../state/slab.ts';
import { walkSystemRam } from '../../resource.ts';
import { offLru } from '../memory_failure_ram.ts';
import { folioOf, isMigratable, isolateFolio, migratable, migrateFolio } from '../migrate.ts';
import { linksNode, linksZone, MIGRATE, PAGE, PG, TYPE } from '../page-template.ts';
import { alikeFrom, dumpPage, startIsolatePageRange, testPagesIsolated, undoIsolatePageRange } from '../page_isolation.ts';
import { freeFolio } from '../page_alloc.ts';
import { pageFlags, pageLoad, pageOrder, pageType, templateOf } from '../page.ts';
import { setUserPfn } from '../ram-user.ts';
import { onlineMemSections } from '../sparse.ts';
import { memoryNotify } from './hotplug.ts';
import { removePfnRangeFromZone } from './zone_span.ts';

/** Bytes of System RAM in the page range. */
function systemRamPages(k: Kernel, pfn: number, count: number): number {
  let pages = 0;
  walkSystemRam(k, pfn * k.geo.pageSize, (pfn + count) * k.geo.pageSize, (start, end) => {
    pages += (end - start) / k.geo.pageSize;
    return true;
  });
  return pages;
}

/**
 * test_pages_in_a_zone (to 5.17): looks at every 1024th page (MAX_ORDER_NR_PAGES), so that small holes go unseen. Zone
 * number, or -1 where two zones or two nodes meet. A page that was never initialised names a node that does not exist.
 */
export function testPagesInAZone(k: Kernel, pfn: number, count: number): number {
  const where = 'test_pages_in_a_zone';
  let zone = -1;
  let nid = -1;
  for (let at = pfn; at < pfn + count; at += 2 * k.geo.pageblockPages) {
    const word = pageLoad(k, at, PAGE.links, where);
    if (linksNode(word) >= k.nodes) oopsPage(k, at, `page_zone <- ${where}`);
    if (zone >= 0 && (linksZone(word) !== zone || linksNode(word) !== nid || at >= k.zones.end(nid, zone))) return -1;
    zone = linksZone(word);
    nid = linksNode(word);
  }
  return zone;
}

/** scan_movable_pages: first frame that belongs to a folio which migration can try; -1 where there is none. */
export function scanMovablePages(k: Kernel, start: number, end: number): number {
  const where = 'scan_movable_pages';
  for (let pfn = start; pfn < end;) {
    if (templateOf(k, pfn) !== 0) {
      pfn += alikeFrom(k, pfn);
      continue;
    }
    const type = pageType(k, pfn, where);
    if ((pageFlags(k, pfn, where) & PG.lru) !== 0) return pfn;
    if (type === TYPE.hugetlb && isMigratable(k, folioOf(k, pfn))) return pfn;
    pfn += 1;
  }
  return -1;
}

/**
 * do_migrate_range: every folio of [start, end) that is found is isolated and tried once; one that somebody else is moving is
 * passed over. Returns the pages that stayed. (The kernel isolates all of them first and moves them then; here one after
 * the other.)
 */
export function* doMigrateRange(k: Kernel, start: number, end: number): Path<number> {
  let failed = 0;
  let firstFailed = -1;
  for (let pfn = start; pfn < end;) {
    const next = scanMovablePages(k, pfn, end);
    if (next < 0) break;
    const head = folioOf(k, next);
    const pages = 2 ** pageOrder(k, head, 'do_migrate_range');
    pfn = head + pages;
    if ((pageFlags(k, head, 'do_migrate_range') & PG.hwpoison) !== 0) {
      unmapPoisoned(k, head);
      continue;
    }
    if (isolateFolio(k, head) && (yield* k.call(migrateFolio, head, 0)) < 0) {
      failed += pages;
      if (firstFailed < 0) firstFailed = head;
    }
  }
  if (firstFailed >= 0) {
    k.log.write(KERN_WARNING, `migrating pfn ${firstFailed.toString(16)} failed ret:${failed}`);
    dumpPage(k, firstFailed, 'migration failure', 1);
  }
  return failed;
}

/** A poisoned folio is not moved: its mappings are taken away (try_to_unmap), and it leaves the LRU. */
function unmapPoisoned(k: Kernel, head: number): void {
  const user = pageLoad(k, head, PAGE.mapping, 'unmap_poisoned_folio');
  if (user !== 0) setUserPfn(k, user, pageLoad(k, head, PAGE.index, 'unmap_poisoned_folio'), -1);
  const pages = 2 ** pageOrder(k, head, 'unmap_poisoned_folio');
  const poisoned = Array.from({ length: pages }, (_, i) => head + i).filter((pfn) => (pageFlags(k, pfn, 'unmap_poisoned_folio') & PG.hwpoison) !== 0);
  freeFolio(k, head);
  for (const pfn of poisoned) offLru(k, pfn);
}

/** dissolve_free_huge_pages: pool pages that nobody uses go back to the allocator. */
function dissolveFreeHugePages(k: Kernel, start: number, end: number): void {
  for (let pfn = start; pfn < end;) {
    if (templateOf(k, pfn) === 0 && pageType(k, pfn, 'dissolve_free_hugetlb_folio') === TYPE.hugetlb && pageLoad(k, folioOf(k, pfn), PAGE.mapping, 'dissolve_free_hugetlb_folio') === 0) {
      const head = folioOf(k, pfn);
      const pages = 2 ** pageOrder(k, head, 'dissolve_free_hugetlb_folio');
      freeFolio(k, head);
      pfn = head + pages;
    } else pfn += templateOf(k, pfn) === 0 ? 1 : alikeFrom(k, pfn);
  }
}

/**
 * Takes `count` pages from `pfn` of one zone offline. `task`: heap word that is not zero when the caller has a signal
 * pending; 0 for a kernel thread, which never has. 0, -EINVAL, -EBUSY, -EINTR or a notifier's errno. The caller holds
 * mem_hotplug_lock.
 */
export function* offlinePages(k: Kernel, pfn: number, count: number, nid: number, zoneHint: number, task: number): Path<number> {
  const end = pfn + count;
  if (k.mechanism('block.hole-check') === 'resource-walk' && systemRamPages(k, pfn, count) !== count) return -EINVAL;
  const zone = k.mechanism('block.one-zone-check') === 'page-walk' ? testPagesInAZone(k, pfn, count) : zoneHint;
  if (zone < 0) return -EINVAL;
  const isolated = startIsolatePageRange(k, pfn, end, MIGRATE.movable);
  if (isolated < 0) return isolated;
  const refused = memoryNotify(k, 'going-offline', pfn, count);
  const emptied = refused < 0 ? refused : yield* k.call(emptyRange, pfn, end, task);
  if (emptied < 0) {
    undoIsolatePageRange(k, pfn, end, MIGRATE.movable);
    memoryNotify(k, 'cancel-offline', pfn, count);
    return emptied;
  }
  if (k.mechanism('block.offline-logs') === 'info') k.log.write(KERN_INFO, `Offlined Pages ${count}`);
  leaveZone(k, pfn, count, nid, zone);
  memoryNotify(k, 'offline', pfn, count);
  return 0;
}

/** What one offline is about; in the heap, so that each of its rounds forgets the last. Pages; `result` is the errno. */
const REQUEST = { pfn: 0, end: 2, task: 4, result: 5, words: 6 } as const;
const makeRequests = (k: Kernel): Slab => new Slab(k.heap, 'offline request', REQUEST.words, 8);

/** The loop of offline_pages: migrate until nothing is left that can move, then until everything is isolated. */
function* emptyRange(k: Kernel, pfn = 0, end = 0, task = 0): Path<number> {
  const request = k.part(makeRequests).alloc();
  storeLong(k.heap, request + REQUEST.pfn, pfn);
  storeLong(k.heap, request + REQUEST.end, end);
  k.heap.store(request + REQUEST.task, task);
  yield* repeat(k, emptyRound, request);
  const result = k.heap.load(request + REQUEST.result);
  k.part(makeRequests).free(request);
  return result;
}

/** One round: everything that moves is tried once. Waits where nothing would move in the next round either. */
function* emptyRound(k: Kernel, request = 0): Path<number> {
  const pfn = loadLong(k.heap, request + REQUEST.pfn);
  const end = loadLong(k.heap, request + REQUEST.end);
  const task = k.heap.load(request + REQUEST.task);
  const signal = (): boolean => task !== 0 && k.heap.load(task) !== 0;
  if (scanMovablePages(k, pfn, end) >= 0) {
    if (signal()) return ends(k, request, -EINTR);
    if ((yield* k.call(doMigrateRange, pfn, end)) === 0) return request;
    yield k.concurrent ? AT('offline_pages: repeat') : BLOCKED(LOOPS);
    while (!signal() && scanMovablePages(k, pfn, end) >= 0 && !someFolioMayMove(k, pfn, end)) yield BLOCKED(LOOPS);
    return request;
  }
  dissolveFreeHugePages(k, pfn, end);
  if (testPagesIsolated(k, pfn, end) === 0) return ends(k, request, 0);
  if (signal()) return ends(k, request, -EINTR);
  yield k.concurrent ? AT('offline_pages: repeat') : BLOCKED(LOOPS);
  while (!signal() && testPagesIsolated(k, pfn, end) < 0 && scanMovablePages(k, pfn, end) < 0) yield BLOCKED(LOOPS);
  return request;
}

function ends(k: Kernel, request: number, result: number): number {
  k.heap.store(request + REQUEST.result, result);
  return STOP;
}

/** Where an offline that never ends goes round; it ends with a signal or with the last foreign reference. */
export const LOOPS = 'R offline_pages: pages do not migrate';

/** Looks without touching: is there a folio whose only reference is its mapping, and somewhere to put it? */
function someFolioMayMove(k: Kernel, start: number, end: number): boolean {
  for (let pfn = scanMovablePages(k, start, end); pfn >= 0 && pfn < end;) {
    const head = folioOf(k, pfn);
    if (migratable(k, head)) return true;
    pfn = scanMovablePages(k, head + 2 ** pageOrder(k, head, 'scan_movable_pages'), end);
  }
  return false;
}

/** What stays of the counts: the zone loses the pages, the struct pages are poisoned, the sections are offline. */
function leaveZone(k: Kernel, pfn: number, count: number, nid: number, zone: number): void {
  k.zones.add(nid, zone, 'managed', -count);
  k.zones.add(nid, zone, 'present', -count);
  onlineMemSections(k, pfn - (pfn % k.sparse.pps), pfn + count, false);
  removePfnRangeFromZone(k, nid, zone, pfn, count);
}
