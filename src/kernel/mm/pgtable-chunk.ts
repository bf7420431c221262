/**
 * A chunk: the tables of one aligned GiB of a region. It is empty, a PUD leaf, an array of PMD entries (each a leaf or a
 * PTE table), or, for machines of terabytes, a list of runs (pgtable-run.ts): entries `lo`..`hi` that map consecutive pfns
 * with the same flags. A run is an abbreviation only: whatever does not fit it is spelled out first.
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
/** [0] kind, [1] lo, [2] hi, [3] pfn of entry 0 of the chunk, [4] flags, [5] array of entries, [6] pages of an entry of a run, [7] the next run. */
export const CHUNK = 8;
export const NEXT = 7;

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
  if (kind === PUD_LEAF) for (let i = 0; i < PTRS; i += 1) put(heap, array + 2 * i, heap.load(chunk + 3) + i * PMD_PAGES, heap.load(chunk + 4));
  if (kind === RUN) {
    for (let run = chunk; run !== 0; run = heap.load(run + NEXT)) spellRun(heap, run, array);
    dropRuns(heap, chunk);
  }
  heap.store(chunk, ARRAY);
  heap.store(chunk + 5, array);
  return array;
}

function spellRun(heap: Heap, run: number, array: number): void {
  const [lo, hi, base, flags] = [heap.load(run + 1), heap.load(run + 2), heap.load(run + 3), heap.load(run + 4)];
  if (heap.load(run + 6) === PMD_PAGES) for (let i = lo; i < hi; i += 1) put(heap, array + 2 * i, base + i * PMD_PAGES, flags);
  else for (let i = lo; i < hi; i += 1) put(heap, pteTable(heap, array + 2 * (i >> 9)) + 2 * (i & 511), base + i, flags);
}

/** Frees the runs behind the first, which is the chunk itself. */
function dropRuns(heap: Heap, chunk: number): void {
  for (let run = heap.load(chunk + NEXT); run !== 0;) {
    const next = heap.load(run + NEXT);
    kfree(heap, run, CHUNK);
    run = next;
  }
  heap.store(chunk + NEXT, 0);
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

/** Frees what hangs under a chunk. */
export function dropTables(heap: Heap, chunk: number): void {
  if (heap.load(chunk) === RUN) dropRuns(heap, chunk);
  if (heap.load(chunk) !== ARRAY) return;
  const array = heap.load(chunk + 5);
  for (let i = 0; i < PTRS; i += 1) if (heap.load(array + 2 * i + 1) === TABLE) kfree(heap, heap.load(array + 2 * i), PTRS * 2);
  kfree(heap, array, PTRS * 2);
  heap.store(chunk + 5, 0);
}
