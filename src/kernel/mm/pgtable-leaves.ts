/**
 * Leaves of a region in runs: neighbouring entries of one level that map consecutive pfns with the same flags. Machines of
 * terabytes are walked, cleared and changed by the run; one entry is a run of one.
 */
import type { Heap } from '../state/heap.ts';
import { ARRAY, chunkOf, EMPTY, NEXT, PUD_LEAF, RUN, TABLE } from './pgtable-chunk.ts';
import { clearFromRun, pagesInRun, runWith } from './pgtable-run.ts';
import { clearEntry, setFlags } from './pgtable.ts';
import { levelPages, PMD_PAGES, PTRS, PUD_PAGES } from './pte.ts';

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
  for (let run = kind === RUN ? chunk : 0; run !== 0; run = heap.load(run + NEXT)) {
    const unit = heap.load(run + 6);
    const lo = Math.max(heap.load(run + 1), Math.floor(from / unit));
    const hi = Math.min(heap.load(run + 2), Math.ceil(to / unit));
    if (lo < hi) found.push({ page: base + lo * unit, level: unit === 1 ? 1 : 2, pfn: heap.load(run + 3) + lo * unit, flags: heap.load(run + 4), count: hi - lo });
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
  if (leaf.count > 1 && chunk !== 0 && heap.load(chunk) === RUN && clearFromRun(heap, chunk, (leaf.page % PUD_PAGES) / unit, leaf.count)) return;
  for (let i = 0; i < leaf.count; i += 1) clearEntry(heap, region, leaf.page + i * unit);
}

/** Changes the flags of the leaves that `leaves` found as one. */
export function setLeafFlags(heap: Heap, region: number, leaf: Leaf, flags: number): void {
  const chunk = chunkOf(heap, region, leaf.page);
  const run = chunk !== 0 && heap.load(chunk) === RUN ? runWith(heap, chunk, (leaf.page % PUD_PAGES) / levelPages(leaf.level)) : 0;
  if (run !== 0 && heap.load(run + 2) - heap.load(run + 1) === leaf.count) return heap.store(run + 4, flags);
  for (let i = 0; i < leaf.count; i += 1) setFlags(heap, region, leaf.page + i * levelPages(leaf.level), flags);
}

/**
 * Pages from `page` on, at most to the end of its GiB, that are mapped as `page` is: by one run, or not at all. An answer
 * that is too small is right as well: callers look again where it ends.
 */
export function pagesAlike(heap: Heap, region: number, page: number): number {
  const chunk = chunkOf(heap, region, page);
  const offset = page % PUD_PAGES;
  const kind = chunk === 0 ? EMPTY : heap.load(chunk);
  if (kind === EMPTY || kind === PUD_LEAF) return PUD_PAGES - offset;
  if (kind === RUN) return pagesInRun(heap, chunk, offset);
  return heap.load(heap.load(chunk + 5) + 2 * (offset >> 9) + 1) === TABLE ? 1 : PMD_PAGES - (offset & 511);
}
