/**
 * Where the memory of a memmap comes from (mm/sparse-vmemmap.c, arch/x86/mm/init_64.c; 5.10 to 7.2): from the device
 * itself by an altmap, or from RAM of a node. A memmap in RAM is pages like any other: it can lie on a removable device.
 */
import { ENOMEM } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { loadLong, storeLong } from '../state/long.ts';
import { Slab } from '../state/slab.ts';
import { allocContigKernel, freeKernel } from './page_alloc.ts';
import { TYPE } from './page-template.ts';
import { BACKING_WORDS } from './section-table.ts';

/** struct vmem_altmap; longs in pages. */
export const ALTMAP = { base: 0, end: 2, reserve: 4, free: 6, align: 8, alloc: 10, words: 12 } as const;
/** A run of pages that holds memmap: pfn, pages, what it serves, next. */
const BACKING = { pfn: 0, pages: 2, first: 3, next: 5 } as const;

interface Vmemmap {
  readonly altmaps: Slab;
  readonly backings: Slab;
}
const vmemmap = (k: Kernel): Vmemmap => k.part(makeVmemmap);
const makeVmemmap = (k: Kernel): Vmemmap => ({
  altmaps: new Slab(k.heap, 'vmem_altmap', ALTMAP.words, 8),
  backings: new Slab(k.heap, 'memmap backing', BACKING_WORDS, 64),
});

/** Pages of memmap that `count` struct pages of 64 bytes need. */
export const memmapPages = (k: Kernel, count: number): number => Math.ceil((count * 64) / k.geo.pageSize);

export interface AltmapInput {
  readonly base: number;
  readonly end: number;
  readonly reserve: number;
  readonly free: number;
}

/** An altmap: `free` pages from `base + reserve` on hold the memmap. 0 when memory is short. */
export function allocAltmap(k: Kernel, input: AltmapInput): number {
  if (!k.mayAllocate()) return 0;
  const altmap = vmemmap(k).altmaps.alloc();
  storeLong(k.heap, altmap + ALTMAP.base, input.base);
  storeLong(k.heap, altmap + ALTMAP.end, input.end);
  storeLong(k.heap, altmap + ALTMAP.reserve, input.reserve);
  storeLong(k.heap, altmap + ALTMAP.free, input.free);
  return altmap;
}

export const freeAltmap = (k: Kernel, altmap: number): void => vmemmap(k).altmaps.free(altmap);
/** Pages of the altmap that hold memmap now. */
export const altmapUsed = (k: Kernel, altmap: number): number => loadLong(k.heap, altmap + ALTMAP.alloc);

/** vmemmap_populate for `count` struct pages from `pfn`: 0 or -ENOMEM with nothing taken. */
export function populateMemmap(k: Kernel, nid: number, pfn: number, count: number, altmap: number): number {
  const pages = memmapPages(k, count);
  if (altmap !== 0) {
    const used = altmapUsed(k, altmap);
    if (!k.mayAllocate() || used + pages > loadLong(k.heap, altmap + ALTMAP.free)) return -ENOMEM;
    storeLong(k.heap, altmap + ALTMAP.alloc, used + pages);
    return 0;
  }
  const from = k.mayAllocate() ? allocContigKernel(k, nid, pages, TYPE.memmap) : -1;
  if (from < 0) return -ENOMEM;
  const extra = k.sparse.makeExtra(k.sparse.section(k.sparse.sectionNr(pfn)));
  const backing = vmemmap(k).backings.alloc();
  storeLong(k.heap, backing + BACKING.pfn, from);
  k.heap.store(backing + BACKING.pages, pages);
  storeLong(k.heap, backing + BACKING.first, pfn);
  k.heap.store(backing + BACKING.next, k.heap.load(extra + k.sparse.extraBacking));
  k.heap.store(extra + k.sparse.extraBacking, backing);
  return 0;
}

/** vmemmap_free: gives back what populateMemmap took for the same range. */
export function depopulateMemmap(k: Kernel, pfn: number, count: number, altmap: number): void {
  if (altmap !== 0) {
    storeLong(k.heap, altmap + ALTMAP.alloc, Math.max(0, altmapUsed(k, altmap) - memmapPages(k, count)));
    return;
  }
  const extra = k.sparse.extra(k.sparse.section(k.sparse.sectionNr(pfn)));
  if (extra === 0) return;
  let link = extra + k.sparse.extraBacking;
  for (let backing = k.heap.load(link); backing !== 0; backing = k.heap.load(link)) {
    const first = loadLong(k.heap, backing + BACKING.first);
    if (first >= pfn && first < pfn + count) {
      k.heap.store(link, k.heap.load(backing + BACKING.next));
      freeKernel(k, loadLong(k.heap, backing + BACKING.pfn), k.heap.load(backing + BACKING.pages));
      vmemmap(k).backings.free(backing);
    } else link = backing + BACKING.next;
  }
}

/** The pages that hold the memmap of `pfn`: [first pfn, count], or null where it is on an altmap, early or absent. */
export function memmapBacking(k: Kernel, pfn: number): readonly [number, number] | null {
  const section = k.sparse.section(k.sparse.sectionNr(pfn));
  const extra = section === 0 ? 0 : k.sparse.extra(section);
  if (extra === 0) return null;
  let best: readonly [number, number] | null = null;
  for (let backing = k.heap.load(extra + k.sparse.extraBacking); backing !== 0; backing = k.heap.load(backing + BACKING.next)) {
    if (loadLong(k.heap, backing + BACKING.first) <= pfn) best = [loadLong(k.heap, backing + BACKING.pfn), k.heap.load(backing + BACKING.pages)];
  }
  return best;
}
