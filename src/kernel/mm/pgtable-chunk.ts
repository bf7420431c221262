/**
 * A chunk: the tables of one aligned GiB of a region. It is empty, a PUD leaf, an array of PMD entries (each a leaf or a
 * PTE table), or, for machines of terabytes, a run: entries `lo`..`hi` that map consecutive pfns with the same flags. A
 * run is an abbreviation only: whatever does not fit it is spelled out first.
 */
import type { Heap } from '../state/heap.ts';
import { PMD_PAGES, PTRS, PUD_PAGES } from './pte.ts';
import { kfree, kmalloc } from './slab.ts';

/** The PMD entry points to a table of PTEs. */
export const TABLE = 1 << 30;

export const EMPTY = 0;
export const RUN = 1;
export const ARRAY = 2;
export const PUD_LEAF = 3;
/** [0] kind, [1] lo, [2] hi, [3] pfn of entry 0 of the chunk, [4] flags, [5] array of entries, [6] pages of an entry of a run. */
export const CHUNK = 7;

export function chunkOf(heap: Heap, region: number, page: number): number {
  const index = Math.floor(page / PUD_PAGES);
  return index < heap.load(region) ? heap.load(region + 1 + index) : 0;
}

export function chunkFor(heap: Heap, region: number, page: number): number {
  const slot = region + 1 + Math.floor(page / PUD_PAGES);
  let chunk = heap.load(slot);
  if (chunk === 0) heap.store(slot, (chunk = kmalloc(heap, CHUNK)));
  return chunk;
}

/** Spells a chunk out as an array of PMD entries. */
export function spell(heap: Heap, chunk: number): number {
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

export function put(heap: Heap, entry: number, pfn: number, flags: number): void {
  heap.store(entry, pfn);
  heap.store(entry + 1, flags);
}

export function pteTable(heap: Heap, pmd: number): number {
  if (heap.load(pmd + 1) === TABLE) return heap.load(pmd);
  const table = kmalloc(heap, PTRS * 2);
  put(heap, pmd, table, TABLE);
  return table;
}

/** Appends to (or begins) a run. Concurrent kernels spell every table out when a VMA is made, so they never come here. */
export function extendRun(heap: Heap, chunk: number, offset: number, unit: number, pfn: number, flags: number): boolean {
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

export function clearFromRun(heap: Heap, chunk: number, entry: number): boolean {
  const [lo, hi] = [heap.load(chunk + 1), heap.load(chunk + 2)];
  if (entry < lo || entry >= hi) return true;
  if (lo + 1 === hi) heap.store(chunk, EMPTY);
  else if (entry === lo) heap.store(chunk + 1, lo + 1);
  else if (entry === hi - 1) heap.store(chunk + 2, hi - 1);
  else return false;
  return true;
}

export function dropArray(heap: Heap, chunk: number): void {
  if (heap.load(chunk) !== ARRAY) return;
  const array = heap.load(chunk + 5);
  for (let i = 0; i < PTRS; i += 1) if (heap.load(array + 2 * i + 1) === TABLE) kfree(heap, heap.load(array + 2 * i), PTRS * 2);
  kfree(heap, array, PTRS * 2);
  heap.store(chunk + 5, 0);
}
