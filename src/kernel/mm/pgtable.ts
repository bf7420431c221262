/**
 * Page tables of one mapped range (a region): entries at 4 KiB, 2 MiB and 1 GiB as heap words. A region is an array of
 * chunks, one for each aligned GiB of virtual addresses (pgtable-chunk.ts).
 *
 * Page numbers (`page`) count 4 KiB pages from the region's first aligned GiB. An entry is two words, pfn and flags; a
 * path reads and writes both without a yield between, as the 64-bit entry is one on x86-64 (arch/x86/include/asm/pgtable.h).
 */
import type { Heap } from '../state/heap.ts';
import { ARRAY, CHUNK, chunkFor, chunkOf, dropTables, EMPTY, NEXT, PUD_LEAF, pteTable, put, RUN, spell, TABLE } from './pgtable-chunk.ts';
import { clearFromRun, extendRun, runWith } from './pgtable-run.ts';
import { levelPages, PMD_PAGES, PTRS, PUD_PAGES } from './pte.ts';
import { kfree, kmalloc } from './slab.ts';

export {
  levelPages, PMD_PAGES, PTE_ANON, PTE_COHERENT, PTE_DEVICE_PRIVATE, PTE_DEVMAP, PTE_DIRTY, PTE_HWPOISON, PTE_PRESENT, PTE_SPECIAL, PTE_WRITE, PTE_YOUNG,
  PTRS, PUD_PAGES,
} from './pte.ts';

/** Region: [0] chunks, then one chunk pointer each. */
export function allocRegion(heap: Heap, pages: number): number {
  const chunks = Math.max(1, Math.ceil(pages / PUD_PAGES));
  const region = kmalloc(heap, 1 + chunks);
  heap.store(region, chunks);
  return region;
}

export const regionPages = (heap: Heap, region: number): number => heap.load(region) * PUD_PAGES;

/** What a walk found: `level` 1 PTE, 2 PMD, 3 PUD, 0 nothing; `pfn` is that of the page asked for. */
export interface Found {
  level: 0 | 1 | 2 | 3;
  pfn: number;
  flags: number;
}

/** Reads the entry that maps `page`. Poisoned entries are found as level 1 without PTE_PRESENT. */
export function walk(heap: Heap, region: number, page: number): Found {
  const chunk = chunkOf(heap, region, page);
  if (chunk === 0) return { level: 0, pfn: 0, flags: 0 };
  const offset = page % PUD_PAGES;
  const kind = heap.load(chunk);
  if (kind === PUD_LEAF) return { level: 3, pfn: heap.load(chunk + 3) + offset, flags: heap.load(chunk + 4) };
  if (kind === RUN) {
    const unit = heap.load(chunk + 6);
    const run = runWith(heap, chunk, Math.floor(offset / unit));
    if (run === 0) return { level: 0, pfn: 0, flags: 0 };
    return { level: unit === 1 ? 1 : 2, pfn: heap.load(run + 3) + offset, flags: heap.load(run + 4) };
  }
  if (kind === EMPTY) return { level: 0, pfn: 0, flags: 0 };
  const pmd = heap.load(chunk + 5) + 2 * (offset >> 9);
  const flags = heap.load(pmd + 1);
  if (flags === 0) return { level: 0, pfn: 0, flags: 0 };
  if (flags !== TABLE) return { level: 2, pfn: heap.load(pmd) + (offset & 511), flags };
  const pte = heap.load(pmd) + 2 * (offset & 511);
  const pteFlags = heap.load(pte + 1);
  return pteFlags === 0 ? { level: 0, pfn: 0, flags: 0 } : { level: 1, pfn: heap.load(pte), flags: pteFlags };
}

/** True when a table of PTEs hangs under the PMD of `page` (pmd_none is false and it is no leaf). */
export function hasPteTable(heap: Heap, region: number, page: number): boolean {
  const chunk = chunkOf(heap, region, page);
  if (chunk === 0) return false;
  const kind = heap.load(chunk);
  if (kind === RUN) return heap.load(chunk + 6) === 1;
  return kind === ARRAY && heap.load(heap.load(chunk + 5) + 2 * ((page % PUD_PAGES) >> 9) + 1) === TABLE;
}

/** Makes the tables down to the PTE of `page` (pte_alloc), so that exploring a fault later does not have to. */
export function allocTables(heap: Heap, region: number, page: number, level: 1 | 2): void {
  const array = spell(heap, chunkFor(heap, region, page));
  if (level === 1) pteTable(heap, array + 2 * ((page % PUD_PAGES) >> 9));
}

/** Sets the entry of `page` at a level. At level 2 and 3 an empty table beneath is freed; `pfn` is that of the first page. */
export function setEntry(heap: Heap, region: number, page: number, level: 1 | 2 | 3, pfn: number, flags: number): void {
  const chunk = chunkFor(heap, region, page);
  if (level === 3) {
    dropTables(heap, chunk);
    heap.store(chunk, PUD_LEAF);
    heap.store(chunk + 3, pfn);
    heap.store(chunk + 4, flags);
    return;
  }
  if (heap.tap === null && extendRun(heap, chunk, page % PUD_PAGES, levelPages(level), pfn, flags)) return;
  const pmd = spell(heap, chunk) + 2 * ((page % PUD_PAGES) >> 9);
  if (level === 2) {
    if (heap.load(pmd + 1) === TABLE) kfree(heap, heap.load(pmd), PTRS * 2);
    put(heap, pmd, pfn, flags);
  } else {
    put(heap, pteTable(heap, pmd) + 2 * (page & 511), pfn, flags);
  }
}

/** Lays a run of `count` entries at once (population at set-up), within one chunk, behind what is there. */
export function setRun(heap: Heap, region: number, page: number, level: 1 | 2, pfn: number, flags: number, count: number): void {
  const unit = levelPages(level);
  setEntry(heap, region, page, level, pfn, flags);
  const chunk = chunkOf(heap, region, page);
  const run = heap.load(chunk) === RUN ? runWith(heap, chunk, (page % PUD_PAGES) / unit) : 0;
  if (run !== 0 && heap.load(run + NEXT) === 0 && heap.load(run + 2) === (page % PUD_PAGES) / unit + 1) heap.add(run + 2, count - 1);
  else for (let i = 1; i < count; i += 1) setEntry(heap, region, page + i * unit, level, pfn + i * unit, flags);
}

/** Clears the leaf that maps `page` (the entry of the given level; a PTE table stays). */
export function clearEntry(heap: Heap, region: number, page: number): void {
  const chunk = chunkOf(heap, region, page);
  if (chunk === 0) return;
  const kind = heap.load(chunk);
  const offset = page % PUD_PAGES;
  if (kind === PUD_LEAF) return heap.store(chunk, EMPTY);
  if (kind === RUN && clearFromRun(heap, chunk, Math.floor(offset / heap.load(chunk + 6)))) return;
  const pmd = spell(heap, chunk) + 2 * (offset >> 9);
  if (heap.load(pmd + 1) === TABLE) put(heap, heap.load(pmd) + 2 * (offset & 511), 0, 0);
  else put(heap, pmd, 0, 0);
}

/** Changes the flags of the leaf that maps `page`. */
export function setFlags(heap: Heap, region: number, page: number, flags: number): void {
  const chunk = chunkOf(heap, region, page);
  const kind = chunk === 0 ? EMPTY : heap.load(chunk);
  if (kind === EMPTY) return;
  if (kind === PUD_LEAF) return heap.store(chunk + 4, flags);
  if (kind === RUN) {
    const run = runWith(heap, chunk, Math.floor((page % PUD_PAGES) / heap.load(chunk + 6)));
    if (run === 0 || heap.load(run + 4) === flags) return;
  }
  const pmd = spell(heap, chunk) + 2 * ((page % PUD_PAGES) >> 9);
  if (heap.load(pmd + 1) === TABLE) heap.store(heap.load(pmd) + 2 * (page & 511) + 1, flags);
  else heap.store(pmd + 1, flags);
}

/** Gives all tables of a region back (free_pgtables). Leaves must have been zapped before. */
export function freeRegion(heap: Heap, region: number): void {
  const chunks = heap.load(region);
  for (let c = 0; c < chunks; c += 1) {
    const chunk = heap.load(region + 1 + c);
    if (chunk === 0) continue;
    dropTables(heap, chunk);
    kfree(heap, chunk, CHUNK);
  }
  kfree(heap, region, 1 + chunks);
}

/** True where some entry of the page table of the PMD range that begins at `page` is set. Looks at entries [from, to) of it. */
export function tableInUse(heap: Heap, region: number, page: number, from = 0, to = PMD_PAGES): boolean {
  const chunk = chunkOf(heap, region, page);
  if (chunk !== 0 && heap.load(chunk) === ARRAY) {
    const pmd = heap.load(chunk + 5) + 2 * ((page % PUD_PAGES) >> 9);
    if (heap.load(pmd + 1) !== TABLE) return false;
    const table = heap.load(pmd);
    for (let i = from; i < to; i += 1) if (heap.load(table + 2 * i + 1) !== 0) return true;
    return false;
  }
  for (let i = from; i < to; i += 1) if (walk(heap, region, page + i).level === 1) return true;
  return false;
}
