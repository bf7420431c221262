/** Poisoned pages: the mark on a page, and the count of all (mm/memory-failure.c; 5.10, 6.1, 6.12, 7.2). */
import type { Kernel } from '../kernel.ts';
import { PGMAP } from './memremap.ts';
import { PAGE, PG, recordOf, setFlag, testFlag } from './page.ts';

const UNIT = 512;

class MemoryFailurePart {
  /** Word: num_poisoned_pages, in pages (`HardwareCorrupted`, 4 kB each). */
  readonly poisoned: number;
  constructor(k: Kernel) {
    this.poisoned = k.heap.reserve(1);
  }
}
const makePart = (k: Kernel): MemoryFailurePart => new MemoryFailurePart(k);
export const numPoisonedPages = (k: Kernel): number => k.part(makePart).poisoned;

/** SetPageHWPoison of one page; `pgmap` counts its poisoned pages. */
export function poison(k: Kernel, pfn: number, pgmap: number): void {
  if (testFlag(k, pfn, PG.hwpoison, 'SetPageHWPoison')) return;
  setFlag(k, pfn, PG.hwpoison, 'SetPageHWPoison');
  if (pgmap !== 0) k.heap.add(pgmap + PGMAP.bind, 1);
}

/** The same for `count` pages: 2 MiB that are stored as one record get the mark in one store. */
export function poisonRun(k: Kernel, pfn: number, count: number, pgmap: number): void {
  for (let at = pfn; at < pfn + count;) {
    const record = at % UNIT === 0 && pfn + count - at >= UNIT ? recordOf(k, at) : 0;
    if (record === 0) {
      poison(k, at, pgmap);
      at += 1;
      continue;
    }
    const flags = k.heap.load(record + PAGE.flags);
    if ((flags & PG.hwpoison) === 0) {
      k.heap.store(record + PAGE.flags, flags | PG.hwpoison);
      if (pgmap !== 0) k.heap.add(pgmap + PGMAP.bind, UNIT);
    }
    at += UNIT;
  }
}
