/**
 * Runs: how the tables of machines of terabytes are kept short. A chunk of runs is a list of them in order, the first in
 * the chunk itself, each with the layout of a chunk and the next one behind it; all are of entries of one size. What does
 * not fit (a change in the middle, too many of them) is spelled out by the caller.
 */
import type { Heap } from '../state/heap.ts';
import { CHUNK, EMPTY, NEXT, RUN } from './pgtable-chunk.ts';
import { PUD_PAGES } from './pte.ts';
import { kfree, kmalloc } from './slab.ts';

/** A file in so many pieces within a GiB is spelled out. */
const MOST_RUNS = 8;

/** The run of a chunk of runs that holds `entry`, or 0. */
export function runWith(heap: Heap, chunk: number, entry: number): number {
  let run = chunk;
  while (run !== 0 && entry >= heap.load(run + 2)) run = heap.load(run + NEXT);
  return run !== 0 && entry >= heap.load(run + 1) ? run : 0;
}

/** Appends an entry to the last run, or begins one. Concurrent kernels spell every table out when a VMA is made, so they never come here. */
export function extendRun(heap: Heap, chunk: number, offset: number, unit: number, pfn: number, flags: number): boolean {
  const entry = offset / unit;
  const kind = heap.load(chunk);
  if (kind === EMPTY) {
    beginRun(heap, chunk, offset, unit, pfn, flags);
    return true;
  }
  if (kind !== RUN || heap.load(chunk + 6) !== unit) return false;
  let [last, runs] = [chunk, 1];
  for (; heap.load(last + NEXT) !== 0; runs += 1) last = heap.load(last + NEXT);
  const end = heap.load(last + 2);
  if (end === entry && heap.load(last + 3) === pfn - offset && heap.load(last + 4) === flags) {
    heap.store(last + 2, entry + 1);
    return true;
  }
  if (entry < end || runs === MOST_RUNS) return false;
  const run = kmalloc(heap, CHUNK);
  beginRun(heap, run, offset, unit, pfn, flags);
  heap.store(last + NEXT, run);
  return true;
}

function beginRun(heap: Heap, run: number, offset: number, unit: number, pfn: number, flags: number): void {
  heap.store(run, RUN);
  heap.store(run + 1, offset / unit);
  heap.store(run + 2, offset / unit + 1);
  heap.store(run + 3, pfn - offset);
  heap.store(run + 4, flags);
  heap.store(run + 6, unit);
  heap.store(run + NEXT, 0);
}

/** Takes a run out of its chunk; a chunk without runs is empty. */
export function dropRun(heap: Heap, chunk: number, run: number): void {
  const next = heap.load(run + NEXT);
  if (run === chunk) {
    if (next === 0) return heap.store(chunk, EMPTY);
    for (let word = 0; word < CHUNK; word += 1) heap.store(chunk + word, heap.load(next + word));
    return kfree(heap, next, CHUNK);
  }
  let before = chunk;
  while (heap.load(before + NEXT) !== run) before = heap.load(before + NEXT);
  heap.store(before + NEXT, next);
  kfree(heap, run, CHUNK);
}

/** Takes `count` entries from `entry` on away where they are the head, the tail or all of one run; false: spell it out. */
export function clearFromRun(heap: Heap, chunk: number, entry: number, count = 1): boolean {
  const run = runWith(heap, chunk, entry);
  if (run === 0) return count === 1;
  const [lo, hi] = [heap.load(run + 1), heap.load(run + 2)];
  if (entry === lo && entry + count === hi) dropRun(heap, chunk, run);
  else if (entry === lo && entry + count < hi) heap.store(run + 1, lo + count);
  else if (entry + count === hi) heap.store(run + 2, entry);
  else return false;
  return true;
}

/** Pages from `offset` of the chunk on that lie in one run, or before the next one. */
export function pagesInRun(heap: Heap, chunk: number, offset: number): number {
  const unit = heap.load(chunk + 6);
  for (let run = chunk; run !== 0; run = heap.load(run + NEXT)) {
    if (offset < heap.load(run + 1) * unit) return heap.load(run + 1) * unit - offset;
    if (offset < heap.load(run + 2) * unit) return heap.load(run + 2) * unit - offset;
  }
  return PUD_PAGES - offset;
}
