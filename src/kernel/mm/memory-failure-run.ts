/**
 * memory_failure() of many pages in a row, for straight runs over machines of terabytes: pages that all processes map
 * alike are failed in one step. What comes of it and what is counted are those of one call for each page, in order; a
 * property test holds the two against each other. Whatever is not alike is left to the caller, page by page.
 */
import { filePagesFrom, idlePagesFrom } from '../fs/dax-associate.ts';
import { entriesAlike } from '../fs/dax-entry.ts';
import { INODE } from '../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import type { Path } from '../state/path.ts';
import { signalKills, collectProcs } from './collect-procs.ts';
import { costsOf } from './costs.ts';
import { numPoisonedPages, poisonRun } from './hwpoison.ts';
import { unmapMappingRange } from './memory.ts';
import { getDevPagemap, MEMORY_DEVICE, pgmapEnd, PGMAP, PGMAP_OPS, pgmapPfnValid, putDevPagemap } from './memremap.ts';
import { MF_ACTION_REQUIRED } from './mf-flags.ts';
import { regionPage, VMA, vmaPages, vmaStart } from './mm_struct.ts';
import { PAGE, pageLoad } from './page.ts';
import { pagesAlike } from './pgtable-leaves.ts';
import { levelPages, PTE_ANON, PTE_PRESENT, walk } from './pgtable.ts';

const UNIT = 512;
/** No further than this at a time: runs of page tables end at a GiB, and what lies beyond would be looked at again and again. */
const MOST = 512 * UNIT;

/**
 * Pages of the file from `index` on, at most `limit`, that every VMA maps by entries of one size or not at all: a whole
 * number of the largest entries. 0 where page by page is needed: a private copy, or `index` lies inside an entry.
 */
function pagesMappedAlike(k: Kernel, inode: number, index: number, limit: number): number {
  const { heap } = k;
  let pages = limit;
  let largest = 1;
  for (let vma = heap.load(inode + INODE.iMmap); vma !== 0; vma = heap.load(vma + VMA.nextInMapping)) {
    const first = heap.load(vma + VMA.pgoff);
    const last = first + vmaPages(k, vma);
    if (index >= last) continue;
    if (index < first) {
      pages = Math.min(pages, first - index);
      continue;
    }
    const region = heap.load(vma + VMA.region);
    const page = regionPage(k, vma, vmaStart(k, vma) + index - first);
    pages = Math.min(pages, last - index, pagesAlike(heap, region, page));
    const entry = walk(heap, region, page);
    if ((entry.flags & PTE_ANON) !== 0) return 0;
    if ((entry.flags & PTE_PRESENT) !== 0) largest = Math.max(largest, levelPages(entry.level));
  }
  return index % largest === 0 ? pages - (pages % largest) : 0;
}

/**
 * Fails file pages [index, index + limit), all of which have an entry that nobody has locked, as far as they are mapped
 * alike: collect_procs() and unmap_and_kill() of each. The first page of every largest mapping unmaps all of it; the
 * others cost another search of all tasks and find nothing. Returns the pages done, 0 where page by page is needed.
 */
export function* failFileRun(k: Kernel, inode: number, index: number, limit: number, flags: number, current: number): Path {
  const costs = costsOf(k);
  if (costs === null || k.mechanism('fsdax.memory-failure-unmap-size') === 'page') return 0;
  const pages = pagesMappedAlike(k, inode, index, limit);
  if (pages === 0) return 0;
  const { tasksVisited, vmasVisited } = costs;
  const kills = collectProcs(k, inode, index, flags, current);
  costs.pagesVisited += pages;
  costs.tasksVisited += (costs.tasksVisited - tasksVisited) * (pages - 1);
  if (kills.length === 0) return pages;
  const step = kills.reduce((size, kill) => Math.max(size, kill.pages), 1);
  yield* k.call(unmapMappingRange, inode, index, pages, 0);
  costs.vmasVisited += (costs.vmasVisited - vmasVisited) * (pages / step - 1);
  const { signalsSent } = costs;
  signalKills(k, kills.map((kill) => ({ ...kill, vpn: kill.vpn + pages - step })), flags, current);
  costs.signalsSent += (costs.signalsSent - signalsSent) * (pages / step - 1);
  return pages;
}

/** Fails file pages [index, index + count) as `failFileRun` does where a file may have holes: pages without an entry cost a look. */
export function* failFileRange(k: Kernel, inode: number, index: number, count: number, flags: number, current: number): Path {
  const costs = costsOf(k);
  if (costs === null) return 0;
  const entries = entriesAlike(k, inode, index, index + Math.min(count, MOST));
  if (entries > 0) return yield* failFileRun(k, inode, index, entries, flags, current);
  costs.pagesVisited -= entries;
  return -entries;
}

/**
 * memory_failure() of [pfn, end) as mass calls, from `pfn` on as far as pages are alike: pages of no file, or whole 2 MiB
 * that hold consecutive pages of one file. Returns the pages done, 0 where page by page is needed.
 */
export function* memoryFailureRun(k: Kernel, pfn: number, end: number, flags: number): Path {
  const costs = costsOf(k);
  if (costs === null || pfn % UNIT !== 0 || k.mechanism('fsdax.mass-failure-rate-limited') !== true) return 0;
  const pgmap = getDevPagemap(k, pfn);
  if (pgmap === 0) return 0;
  const done = collectsItself(k, pgmap) && pgmapPfnValid(k, pgmap, pfn) ? yield* failDevicePages(k, pfn, Math.min(end, pgmapEnd(k, pgmap)), flags, pgmap) : 0;
  putDevPagemap(k, pgmap);
  if (k.mechanism('fsdax.memory-failure-counts') === true) k.heap.add(numPoisonedPages(k), done);
  return done;
}

/** An fsdax pagemap whose holder is not asked: memory_failure() goes by page->mapping. */
const collectsItself = (k: Kernel, pgmap: number): boolean =>
  k.heap.load(pgmap + PGMAP.type) === MEMORY_DEVICE.fsdax && (k.mechanism('fsdax.memory-failure-asks-holder') !== true || (k.heap.load(pgmap + PGMAP.ops) & PGMAP_OPS.memoryFailure) === 0);

function* failDevicePages(k: Kernel, pfn: number, end: number, flags: number, pgmap: number): Path {
  const idle = idlePagesFrom(k, pfn, end);
  const costs = costsOf(k);
  if (idle > 0) {
    // memory_failure() finds nothing to lock there.
    if (costs !== null) costs.pagesVisited += idle;
    return idle;
  }
  const pages = filePagesFrom(k, pfn, Math.min(end, pfn + MOST));
  if (pages === 0) return 0;
  const inode = pageLoad(k, pfn, PAGE.mapping, 'memory_failure');
  const index = pageLoad(k, pfn, PAGE.index, 'memory_failure');
  const entries = entriesAlike(k, inode, index, index + pages);
  const done = entries <= 0 ? 0 : yield* failFileRun(k, inode, index, entries, flags | MF_ACTION_REQUIRED, 0);
  poisonRun(k, pfn, done, pgmap);
  return done;
}
