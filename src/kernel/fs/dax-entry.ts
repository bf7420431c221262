/**
 * DAX entries: what `i_pages` of a DAX file holds instead of pages (fs/dax.c, 5.10 to 7.2). An entry is a pair of heap
 * words, pfn and flags; one pair covers 2 MiB (DAX_PMD) or a table of 512 pairs holds single pages.
 */
import type { Kernel } from '../kernel.ts';
import { kfree, kmalloc } from '../mm/slab.ts';
import { BLOCKED, type Path } from '../state/path.ts';
import { INODE, SLOT_PAGES } from './inode.ts';

export const DAX_LOCKED = 1;
export const DAX_PMD = 2;
export const DAX_ZERO_PAGE = 4;
export const DAX_EMPTY = 8;
/** There is an entry. */
export const DAX_PRESENT = 16;
/** PAGECACHE_TAG_DIRTY. */
export const DAX_DIRTY = 32;
const TABLE = 64;

/** Answer of grab where a smaller entry stands in the way of a PMD (dax_is_conflict). */
export const DAX_CONFLICT = -1;

/** Address of the pair that covers page `index`, 0 where none has been made. */
export function findEntry(k: Kernel, inode: number, index: number): number {
  const slot = Math.floor(index / SLOT_PAGES);
  if (slot >= k.heap.load(inode + INODE.slots)) return 0;
  const pair = k.heap.load(inode + INODE.iPages) + 2 * slot;
  const flags = k.heap.load(pair + 1);
  if (flags !== TABLE) return (flags & DAX_PRESENT) === 0 ? 0 : pair;
  const single = k.heap.load(pair) + 2 * (index % SLOT_PAGES);
  return (k.heap.load(single + 1) & DAX_PRESENT) === 0 ? 0 : single;
}

export const entryFlags = (k: Kernel, entry: number): number => k.heap.load(entry + 1);
export const entryPfn = (k: Kernel, entry: number): number => k.heap.load(entry);
export const entryIsPmd = (k: Kernel, entry: number): boolean => (k.heap.load(entry + 1) & DAX_PMD) !== 0;
/** A normal entry: neither the zero page nor a mere lock. */
export const entryHasPages = (k: Kernel, entry: number): boolean => (k.heap.load(entry + 1) & (DAX_ZERO_PAGE | DAX_EMPTY)) === 0;
/** Pages that an entry covers. */
export const entryPages = (k: Kernel, entry: number): number => (entryIsPmd(k, entry) ? SLOT_PAGES : 1);
/** First file page that the entry at `index` covers. */
export const entryStart = (k: Kernel, entry: number, index: number): number => (entryIsPmd(k, entry) ? index - (index % SLOT_PAGES) : index);

function tableFor(k: Kernel, pair: number): number {
  if (k.heap.load(pair + 1) === TABLE) return k.heap.load(pair);
  const table = kmalloc(k.heap, 2 * SLOT_PAGES);
  k.heap.store(pair, table);
  k.heap.store(pair + 1, TABLE);
  return table;
}

/** Makes the tables for single entries, so that an explored fault does not allocate. */
export function prepareEntries(k: Kernel, inode: number): void {
  for (let slot = 0; slot < k.heap.load(inode + INODE.slots); slot += 1) tableFor(k, k.heap.load(inode + INODE.iPages) + 2 * slot);
}

/** A slot holds single entries (now or once): a PMD entry needs it empty of them. */
function hasSingles(k: Kernel, pair: number): boolean {
  if (k.heap.load(pair + 1) !== TABLE) return false;
  const table = k.heap.load(pair);
  for (let i = 0; i < SLOT_PAGES; i += 1) if ((k.heap.load(table + 2 * i + 1) & DAX_PRESENT) !== 0) return true;
  return false;
}

/** Waits until the entry at `index` is not locked (get_next_unlocked_entry); its address, 0 for none. */
export function* unlockedEntry(k: Kernel, inode: number, index: number): Path {
  for (;;) {
    const entry = findEntry(k, inode, index);
    if (entry === 0 || (entryFlags(k, entry) & DAX_LOCKED) === 0) return entry;
    yield BLOCKED('D get_next_unlocked_entry: the DAX entry is locked');
  }
}

/**
 * grab_mapping_entry: the entry at `index`, locked; a new empty one where there was none. Order 0 takes a PMD entry as it
 * is, except an empty or zero one, which is downgraded. DAX_CONFLICT where order 9 meets single entries.
 */
export function* grabMappingEntry(k: Kernel, inode: number, index: number, order: number): Path {
  const pair = k.heap.load(inode + INODE.iPages) + 2 * Math.floor(index / SLOT_PAGES);
  if (order === 9 && hasSingles(k, pair)) return DAX_CONFLICT;
  let entry = yield* unlockedEntry(k, inode, index);
  if (entry !== 0 && order === 0 && entryIsPmd(k, entry) && !entryHasPages(k, entry)) {
    k.heap.store(entry + 1, 0);
    entry = 0;
  }
  if (entry !== 0) {
    k.heap.store(entry + 1, entryFlags(k, entry) | DAX_LOCKED);
    return entry;
  }
  if (order === 9) {
    if (k.heap.load(pair + 1) === TABLE) kfree(k.heap, k.heap.load(pair), 2 * SLOT_PAGES);
    k.heap.store(pair, 0);
    k.heap.store(pair + 1, DAX_PRESENT | DAX_EMPTY | DAX_PMD | DAX_LOCKED);
    return pair;
  }
  const single = tableFor(k, pair) + 2 * (index % SLOT_PAGES);
  k.heap.store(single, 0);
  k.heap.store(single + 1, DAX_PRESENT | DAX_EMPTY | DAX_LOCKED);
  return single;
}

/** dax_unlock_entry. */
export function unlockEntry(k: Kernel, entry: number): void {
  k.heap.store(entry + 1, entryFlags(k, entry) & ~DAX_LOCKED);
}

/**
 * How pages [from, to) begin: so many pages with an entry that has pages and that nobody has locked (above 0), so many
 * without such an entry (below 0); 0 where the first one is locked.
 */
export function entriesAlike(k: Kernel, inode: number, from: number, to: number): number {
  const table = k.heap.load(inode + INODE.iPages);
  let at = from;
  let kind = 0;
  while (at < to) {
    const pair = table + 2 * Math.floor(at / SLOT_PAGES);
    const spelled = k.heap.load(pair + 1) === TABLE;
    const flags = k.heap.load((spelled ? k.heap.load(pair) + 2 * (at % SLOT_PAGES) : pair) + 1);
    const has = (flags & DAX_LOCKED) !== 0 ? 0 : (flags & DAX_PRESENT) !== 0 && (flags & (DAX_ZERO_PAGE | DAX_EMPTY)) === 0 ? 1 : -1;
    if (kind === 0) kind = has;
    if (has !== kind || has === 0) break;
    at = Math.min(to, spelled ? at + 1 : at - (at % SLOT_PAGES) + SLOT_PAGES);
  }
  return kind * (at - from);
}

/** Takes an entry out of the table. */
export function eraseEntry(k: Kernel, entry: number): void {
  k.heap.store(entry, 0);
  k.heap.store(entry + 1, 0);
}

/** Entries that overlap pages `from`..`to`, as [first file page, address of the pair], in order. */
export function* entriesIn(k: Kernel, inode: number, from: number, to: number): Generator<readonly [number, number]> {
  const table = k.heap.load(inode + INODE.iPages);
  const slots = k.heap.load(inode + INODE.slots);
  for (let slot = Math.floor(from / SLOT_PAGES); slot < slots && slot * SLOT_PAGES < to; slot += 1) {
    const pair = table + 2 * slot;
    const flags = k.heap.load(pair + 1);
    if (flags === 0) continue;
    if (flags !== TABLE) {
      yield [slot * SLOT_PAGES, pair];
      continue;
    }
    const singles = k.heap.load(pair);
    const last = Math.min(to, (slot + 1) * SLOT_PAGES);
    for (let index = Math.max(from, slot * SLOT_PAGES); index < last; index += 1) {
      const single = singles + 2 * (index % SLOT_PAGES);
      if ((k.heap.load(single + 1) & DAX_PRESENT) !== 0) yield [index, single];
    }
  }
}

/** Set-up: entries for [index, index + pages), 2 MiB aligned, that hold consecutive pfns from `pfn`. */
export function setSlotRun(k: Kernel, inode: number, index: number, pages: number, pfn: number, flags: number, huge: boolean): void {
  const slots = k.heap.load(inode + INODE.iPages);
  for (let page = 0; page < pages; page += SLOT_PAGES) {
    const pair = slots + 2 * ((index + page) / SLOT_PAGES);
    if (huge) {
      k.heap.store(pair, pfn + page);
      k.heap.store(pair + 1, flags);
      continue;
    }
    const table = tableFor(k, pair);
    for (let i = 0; i < SLOT_PAGES && page + i < pages; i += 1) {
      k.heap.store(table + 2 * i, pfn + page + i);
      k.heap.store(table + 2 * i + 1, flags);
    }
  }
}
