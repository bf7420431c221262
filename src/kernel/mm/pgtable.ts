/**
 * Page tables of one mapped range (a region): entries at 4 KiB, 2 MiB and 1 GiB as heap words. A region is an array of
 * chunks, one for each aligned GiB of virtual addresses. A chunk is empty, a PUD leaf, an array of PMD entries (each a
 * leaf or a PTE table), or, for machines of terabytes, a run: entries `lo`..`hi` that map consecutive pfns with the same
 * flags. A run is an abbreviation only: whatever does not fit it is spelled out first.
 *
 * Page numbers (`page`) count 4 KiB pages from the region's first aligned GiB. An entry is two words, pfn and flags; a
 * path reads and writes both without a yield between, as the 64-bit entry is one on x86-64 (arch/x86/include/asm/pgtable.h).
 */
import type { Heap } from '../state/heap.ts';
import { kfree, kmalloc } from './slab.ts';

export const PTRS = 512;
export const PMD_PAGES = 512;
export const PUD_PAGES = PTRS * PMD_PAGES;

export const PTE_PRESENT = 1;
export const PTE_WRITE = 2;
export const PTE_DIRTY = 4;
export const PTE_YOUNG = 8;
/** pte_devmap / pmd_devmap (to 6.16; later kernels set neither this nor special for DAX). */
export const PTE_DEVMAP = 16;
/** A page of anonymous RAM (the copy made by a private write fault); the pfn word is an anonymous page. */
export const PTE_ANON = 32;
export const PTE_SPECIAL = 64;
/** hwpoison entry: present is clear, a touch gives SIGBUS BUS_MCEERR_AR. */
export const PTE_HWPOISON = 128;
/** A device-private entry (is_device_private_entry): not present, the pfn word is the device page; a touch migrates it back. */
export const PTE_DEVICE_PRIVATE = 256;
/** A page that a driver handed out one by one (coherent, p2pdma): the entry holds a reference in every release. */
export const PTE_COHERENT = 512;
/** The PMD entry points to a table of PTEs. */
const TABLE = 1 << 30;

const EMPTY = 0;
const RUN = 1;
const ARRAY = 2;
const PUD_LEAF = 3;
/** [0] kind, [1] lo, [2] hi, [3] pfn of entry 0 of the chunk, [4] flags, [5] array of entries, [6] pages of an entry of a run. */
const CHUNK = 7;

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

/** Pages that an entry of a level maps. */
export const levelPages = (level: number): number => (level === 3 ? PUD_PAGES : level === 2 ? PMD_PAGES : 1);

function chunkOf(heap: Heap, region: number, page: number): number {
  const index = Math.floor(page / PUD_PAGES);
  return index < heap.load(region) ? heap.load(region + 1 + index) : 0;
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
    const entry = Math.floor(offset / unit);
    if (entry < heap.load(chunk + 1) || entry >= heap.load(chunk + 2)) return { level: 0, pfn: 0, flags: 0 };
    return { level: unit === 1 ? 1 : 2, pfn: heap.load(chunk + 3) + offset, flags: heap.load(chunk + 4) };
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

function chunkFor(heap: Heap, region: number, page: number): number {
  const slot = region + 1 + Math.floor(page / PUD_PAGES);
  let chunk = heap.load(slot);
  if (chunk === 0) heap.store(slot, (chunk = kmalloc(heap, CHUNK)));
  return chunk;
}

/** Spells a chunk out as an array of PMD entries. */
function spell(heap: Heap, chunk: number): number {
  const kind = heap.load(chunk);
  if (kind === ARRAY) return heap.load(chunk + 5);
  const array = kmalloc(heap, PTRS * 2);
  const base = heap.load(chunk + 3);
  const flags = heap.load(chunk + 4);
  if (kind === PUD_LEAF) for (let i = 0; i < PTRS; i += 1) put(heap, array + 2 * i, base + i * PMD_PAGES, flags);
  if (kind === RUN) {
    const unit = heap.load(chunk + 6);
    const [lo, hi] = [heap.load(chunk + 1), heap.load(chunk + 2)];
    if (unit === PMD_PAGES) for (let i = lo; i < hi; i += 1) put(heap, array + 2 * i, base + i * PMD_PAGES, flags);
    else for (let i = lo; i < hi; i += 1) put(heap, pteTable(heap, array + 2 * (i >> 9)) + 2 * (i & 511), base + i, flags);
  }
  heap.store(chunk, ARRAY);
  heap.store(chunk + 5, array);
  return array;
}

function put(heap: Heap, entry: number, pfn: number, flags: number): void {
  heap.store(entry, pfn);
  heap.store(entry + 1, flags);
}

function pteTable(heap: Heap, pmd: number): number {
  if (heap.load(pmd + 1) === TABLE) return heap.load(pmd);
  const table = kmalloc(heap, PTRS * 2);
  put(heap, pmd, table, TABLE);
  return table;
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
    dropArray(heap, chunk);
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

/** Appends to (or begins) a run. Concurrent kernels spell every table out when a VMA is made, so they never come here. */
function extendRun(heap: Heap, chunk: number, offset: number, unit: number, pfn: number, flags: number): boolean {
  const entry = offset / unit;
  const kind = heap.load(chunk);
  if (kind === EMPTY) {
    heap.store(chunk, RUN);
    heap.store(chunk + 1, entry);
    heap.store(chunk + 2, entry + 1);
    heap.store(chunk + 3, pfn - offset);
    heap.store(chunk + 4, flags);
    heap.store(chunk + 6, unit);
    return true;
  }
  if (kind !== RUN || heap.load(chunk + 6) !== unit || heap.load(chunk + 2) !== entry) return false;
  if (heap.load(chunk + 3) !== pfn - offset || heap.load(chunk + 4) !== flags) return false;
  heap.store(chunk + 2, entry + 1);
  return true;
}

/** Lays a run of `count` entries at once (population at set-up). The chunk must be empty and the run within it. */
export function setRun(heap: Heap, region: number, page: number, level: 1 | 2, pfn: number, flags: number, count: number): void {
  const unit = levelPages(level);
  setEntry(heap, region, page, level, pfn, flags);
  const chunk = chunkOf(heap, region, page);
  if (heap.load(chunk) === RUN && heap.load(chunk + 2) === (page % PUD_PAGES) / unit + 1) heap.add(chunk + 2, count - 1);
  else for (let i = 1; i < count; i += 1) setEntry(heap, region, page + i * unit, level, pfn + i * unit, flags);
}

function dropArray(heap: Heap, chunk: number): void {
  if (heap.load(chunk) !== ARRAY) return;
  const array = heap.load(chunk + 5);
  for (let i = 0; i < PTRS; i += 1) if (heap.load(array + 2 * i + 1) === TABLE) kfree(heap, heap.load(array + 2 * i), PTRS * 2);
  kfree(heap, array, PTRS * 2);
  heap.store(chunk + 5, 0);
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

function clearFromRun(heap: Heap, chunk: number, entry: number): boolean {
  const [lo, hi] = [heap.load(chunk + 1), heap.load(chunk + 2)];
  if (entry < lo || entry >= hi) return true;
  if (lo + 1 === hi) heap.store(chunk, EMPTY);
  else if (entry === lo) heap.store(chunk + 1, lo + 1);
  else if (entry === hi - 1) heap.store(chunk + 2, hi - 1);
  else return false;
  return true;
}

/** Changes the flags of the leaf that maps `page`. */
export function setFlags(heap: Heap, region: number, page: number, flags: number): void {
  const chunk = chunkOf(heap, region, page);
  const kind = chunk === 0 ? EMPTY : heap.load(chunk);
  if (kind === EMPTY) return;
  if (kind === PUD_LEAF) return heap.store(chunk + 4, flags);
  if (kind === RUN && heap.load(chunk + 4) === flags) return;
  const pmd = spell(heap, chunk) + 2 * ((page % PUD_PAGES) >> 9);
  if (heap.load(pmd + 1) === TABLE) heap.store(heap.load(pmd) + 2 * (page & 511) + 1, flags);
  else heap.store(pmd + 1, flags);
}

/** A leaf, or a run of leaves, that `leaves` found: `count` entries of `level`, the first at `page` with `pfn`. */
export interface Leaf {
  readonly page: number;
  readonly level: 1 | 2 | 3;
  readonly pfn: number;
  readonly flags: number;
  readonly count: number;
}

/** Leaves that overlap pages `from`..`to`, in order. Runs come as one. The tables must not change while it is read. */
export function leaves(heap: Heap, region: number, from: number, to: number): Leaf[] {
  const found: Leaf[] = [];
  const chunks = heap.load(region);
  for (let c = Math.floor(from / PUD_PAGES); c < chunks && c * PUD_PAGES < to; c += 1) {
    const chunk = heap.load(region + 1 + c);
    if (chunk !== 0) leavesOfChunk(heap, chunk, c * PUD_PAGES, Math.max(0, from - c * PUD_PAGES), Math.min(PUD_PAGES, to - c * PUD_PAGES), found);
  }
  return found;
}

function leavesOfChunk(heap: Heap, chunk: number, base: number, from: number, to: number, found: Leaf[]): void {
  const kind = heap.load(chunk);
  if (kind === PUD_LEAF) found.push({ page: base, level: 3, pfn: heap.load(chunk + 3), flags: heap.load(chunk + 4), count: 1 });
  if (kind === RUN) {
    const unit = heap.load(chunk + 6);
    const lo = Math.max(heap.load(chunk + 1), Math.floor(from / unit));
    const hi = Math.min(heap.load(chunk + 2), Math.ceil(to / unit));
    if (lo < hi) found.push({ page: base + lo * unit, level: unit === 1 ? 1 : 2, pfn: heap.load(chunk + 3) + lo * unit, flags: heap.load(chunk + 4), count: hi - lo });
  }
  if (kind !== ARRAY) return;
  const array = heap.load(chunk + 5);
  for (let i = from >> 9; i < PTRS && i * PMD_PAGES < to; i += 1) {
    const flags = heap.load(array + 2 * i + 1);
    if (flags === 0) continue;
    const pfn = heap.load(array + 2 * i);
    if (flags !== TABLE) {
      found.push({ page: base + i * PMD_PAGES, level: 2, pfn, flags, count: 1 });
      continue;
    }
    const last = Math.min(PMD_PAGES, to - i * PMD_PAGES);
    for (let j = Math.max(0, from - i * PMD_PAGES); j < last; j += 1) {
      const pteFlags = heap.load(pfn + 2 * j + 1);
      if (pteFlags !== 0) found.push({ page: base + i * PMD_PAGES + j, level: 1, pfn: heap.load(pfn + 2 * j), flags: pteFlags, count: 1 });
    }
  }
}

/** Clears the leaves that `leaves` found as one: a run's head, tail or whole costs one step, anything else entry by entry. */
export function clearLeaf(heap: Heap, region: number, leaf: Leaf): void {
  const chunk = chunkOf(heap, region, leaf.page);
  const unit = levelPages(leaf.level);
  if (leaf.count > 1 && chunk !== 0 && heap.load(chunk) === RUN) {
    const entry = (leaf.page % PUD_PAGES) / unit;
    const [lo, hi] = [heap.load(chunk + 1), heap.load(chunk + 2)];
    if (entry === lo && entry + leaf.count === hi) return heap.store(chunk, EMPTY);
    if (entry === lo) return heap.store(chunk + 1, entry + leaf.count);
    if (entry + leaf.count === hi) return heap.store(chunk + 2, entry);
  }
  for (let i = 0; i < leaf.count; i += 1) clearEntry(heap, region, leaf.page + i * unit);
}

/** Changes the flags of the leaves that `leaves` found as one. */
export function setLeafFlags(heap: Heap, region: number, leaf: Leaf, flags: number): void {
  const chunk = chunkOf(heap, region, leaf.page);
  if (chunk !== 0 && heap.load(chunk) === RUN && heap.load(chunk + 2) - heap.load(chunk + 1) === leaf.count) return heap.store(chunk + 4, flags);
  for (let i = 0; i < leaf.count; i += 1) setFlags(heap, region, leaf.page + i * levelPages(leaf.level), flags);
}

/** Gives all tables of a region back (free_pgtables). Leaves must have been zapped before. */
export function freeRegion(heap: Heap, region: number): void {
  const chunks = heap.load(region);
  for (let c = 0; c < chunks; c += 1) {
    const chunk = heap.load(region + 1 + c);
    if (chunk === 0) continue;
    dropArray(heap, chunk);
    kfree(heap, chunk, CHUNK);
  }
  kfree(heap, region, 1 + chunks);
}

/** True where some entry of the page table of the PMD range that begins at `page` is set. */
export function tableInUse(heap: Heap, region: number, page: number): boolean {
  for (let i = 0; i < PMD_PAGES; i += 1) if (walk(heap, region, page + i).level === 1) return true;
  return false;
}
