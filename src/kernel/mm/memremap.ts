/**
 * `dev_pagemap`: device memory with struct pages, and the references that keep it (mm/memremap.c; 5.10, 6.1, 6.12 and
 * 7.2, which differ in what a page reference holds on to).
 *
 * Idle counts of a page: 1 for fsdax and generic pages (fsdax 0 from 6.15 on, when mappings began to count), 0 for
 * pages that a driver hands out one by one (private, coherent, p2pdma). In the scheme `per-page` (to 5.17) every page
 * whose count is above idle also holds the pagemap; in `bulk` fsdax and generic pages never do.
 *
 * The per-page scheme takes one pagemap reference for each page of the device at the beginning. Those of idle pages are
 * not counted here; `held` counts the others, which is what the teardown waits for.
 */
import { ENOMEM, ENXIO } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { addBlindly, AT, BLOCKED, callNow, type Path } from '../state/path.ts';
import { loadLong, storeLong } from '../state/long.ts';
import { Slab } from '../state/slab.ts';
import { clearPages, fillPages } from './memmap-fill.ts';
import { memmapBacking } from './sparse-vmemmap.ts';
import { PAGE, PG, testFlag, ZONE, links } from './page.ts';
import { addDeviceMemmap, checkSpan, removeDeviceMemmap, taintSections } from './memremap-span.ts';

/** Words of a dev_pagemap. Pages: `start`..`end` have struct pages, `data` is the first that is not metadata. */
export const PGMAP = {
  start: 0, end: 2, data: 4, type: 6, dying: 7, held: 8, altmap: 9, ops: 10, owner: 11, node: 12, users: 13, bind: 14, next: 15, words: 16,
} as const;

/** enum memory_type (include/linux/memremap.h). PUBLIC was removed in 5.3; kept as history (2c). */
export const MEMORY_DEVICE = { private: 1, coherent: 2, fsdax: 3, generic: 4, p2pdma: 5, public: 6 } as const;

/** Which dev_pagemap_ops a pagemap has (bits of `ops`). */
export const PGMAP_OPS = {
  /** .memory_failure: pmem_pagemap_memory_failure (6.0 on). */
  memoryFailure: 1,
  /** .migrate_to_ram: hmm drivers. */
  migrateToRam: 2,
  /** .page_free. */
  pageFree: 4,
  /** The flag of 2d: pages of this pagemap may be pinned by KVM and others (a proposed PGMAP flag). */
  pinnable: 8,
} as const;

export class Pagemaps {
  readonly slab: Slab;
  /** Word: first pagemap of the list that get_dev_pagemap() looks through (pgmap_array). */
  readonly head: number;
  /** Word: GUP-fast walks with interrupts off now (all CPUs). */
  readonly irqsOff: number;

  constructor(k: Kernel) {
    this.slab = new Slab(k.heap, 'dev_pagemap', PGMAP.words, 16);
    this.head = k.heap.reserve(1);
    this.irqsOff = k.heap.reserve(1);
  }
}
const makePagemaps = (k: Kernel): Pagemaps => new Pagemaps(k);
export const pagemapsOf = (k: Kernel): Pagemaps => k.part(makePagemaps);

export const pgmapStart = (k: Kernel, pgmap: number): number => loadLong(k.heap, pgmap + PGMAP.start);
export const pgmapEnd = (k: Kernel, pgmap: number): number => loadLong(k.heap, pgmap + PGMAP.end);
export const pgmapData = (k: Kernel, pgmap: number): number => loadLong(k.heap, pgmap + PGMAP.data);

/** The count that an idle page of this pagemap has in this kernel. */
export function idleCount(k: Kernel, pgmap: number): number {
  const type = k.heap.load(pgmap + PGMAP.type);
  if (type === MEMORY_DEVICE.generic) return 1;
  if (type === MEMORY_DEVICE.fsdax) return k.mechanism('fsdax.mapping-counts') === 'folio' ? 0 : 1;
  return k.mechanism('gup.memunmap-references') === 'per-page' ? 1 : 0;
}

/** Whether a page of this pagemap holds it while somebody has a reference. */
export function pagesHoldPagemap(k: Kernel, pgmap: number): boolean {
  if (k.mechanism('gup.memunmap-references') === 'per-page') return true;
  const type = k.heap.load(pgmap + PGMAP.type);
  return type === MEMORY_DEVICE.private || type === MEMORY_DEVICE.coherent || type === MEMORY_DEVICE.p2pdma;
}

export interface PagemapInput {
  /** Pages, half open, that get struct pages; `dataPfn`: first page after the device's own metadata. */
  readonly startPfn: number;
  readonly endPfn: number;
  readonly dataPfn: number;
  readonly type: number;
  readonly node?: number;
  /** vmem_altmap that holds the memmap, 0: RAM. */
  readonly altmap?: number;
  readonly ops?: number;
  /** dax_device or driver object that the ops go to. */
  readonly owner?: number;
}

/** devm_memremap_pages: memmap for the range, struct pages initialised. Address of the pagemap, or -errno. */
export function memremapPages(k: Kernel, input: PagemapInput): number {
  if (!k.mayAllocate()) return -ENOMEM;
  const refused = checkSpan(k, input.startPfn, input.endPfn, (start, end) => isMapped(k, start, end));
  if (refused < 0) return refused;
  const pgmap = pagemapsOf(k).slab.alloc();
  const added = addDeviceMemmap(k, input.node ?? 0, input.startPfn, input.endPfn, input.altmap ?? 0);
  if (added < 0) {
    pagemapsOf(k).slab.free(pgmap);
    return added;
  }
  storeLong(k.heap, pgmap + PGMAP.start, input.startPfn);
  storeLong(k.heap, pgmap + PGMAP.end, input.endPfn);
  storeLong(k.heap, pgmap + PGMAP.data, input.dataPfn);
  k.heap.store(pgmap + PGMAP.type, input.type);
  k.heap.store(pgmap + PGMAP.altmap, input.altmap ?? 0);
  k.heap.store(pgmap + PGMAP.ops, input.ops ?? 0);
  k.heap.store(pgmap + PGMAP.owner, input.owner ?? 0);
  k.heap.store(pgmap + PGMAP.node, input.node ?? 0);
  memmapInitZoneDevice(k, pgmap);
  k.heap.store(pgmap + PGMAP.next, k.heap.load(pagemapsOf(k).head));
  k.heap.store(pagemapsOf(k).head, pgmap);
  return pgmap;
}

/** Whether a pagemap has pages in [start, end). */
function isMapped(k: Kernel, start: number, end: number): boolean {
  for (let other = k.heap.load(pagemapsOf(k).head); other !== 0; other = k.heap.load(other + PGMAP.next)) {
    if (pgmapStart(k, other) < end && start < pgmapEnd(k, other)) return true;
  }
  return false;
}

/** The words of an idle page of a pagemap (memmap_init_zone_device, __init_zone_device_page). */
export function idlePageWords(k: Kernel, pgmap: number): number[] {
  const words = new Array<number>(PAGE.words).fill(0);
  words[PAGE.flags] = k.mechanism('gup.zone-device-reserved') === true ? PG.reserved : 0;
  words[PAGE.links] = links(ZONE.device, k.heap.load(pgmap + PGMAP.node));
  words[PAGE.refcount] = idleCount(k, pgmap);
  words[PAGE.pgmap] = pgmap;
  return words;
}

function memmapInitZoneDevice(k: Kernel, pgmap: number): void {
  const template = k.sparse.templates.of(idlePageWords(k, pgmap));
  fillPages(k, pgmapStart(k, pgmap), pgmapEnd(k, pgmap) - pgmapStart(k, pgmap), template);
  taintSections(k, pgmapStart(k, pgmap), pgmapEnd(k, pgmap));
}

/** get_dev_pagemap: a live reference on the pagemap around `pfn`, or 0 when there is none or it is going. */
export const getDevPagemap = (k: Kernel, pfn: number): number => callNow(k, liveDevPagemap, pfn);
function liveDevPagemap(k: Kernel, pfn = 0): number {
  for (let pgmap = k.heap.load(pagemapsOf(k).head); pgmap !== 0; pgmap = k.heap.load(pgmap + PGMAP.next)) {
    if (pfn < pgmapStart(k, pgmap) || pfn >= pgmapEnd(k, pgmap)) continue;
    if (k.heap.load(pgmap + PGMAP.dying) !== 0) return 0;
    k.heap.add(pgmap + PGMAP.users, 1);
    return pgmap;
  }
  return 0;
}

export function putDevPagemap(k: Kernel, pgmap: number): void {
  addBlindly(k, pgmap + PGMAP.users, -1);
}

/** pgmap_pfn_valid: the page is the device's data, not its metadata. */
export const pgmapPfnValid = (k: Kernel, pgmap: number, pfn: number): boolean => pfn >= pgmapData(k, pgmap) && pfn < pgmapEnd(k, pgmap);

/** Poisoned pages of a pagemap among `pfns` at most; for kernels whose counter falls when the memmap goes. */
export function isPoisoned(k: Kernel, pfn: number): boolean {
  return testFlag(k, pfn, PG.hwpoison, 'isPoisoned');
}

/**
 * memunmap_pages: no new references, wait for what holds the pagemap, take the memmap away. What is *not* waited for is
 * the point: mappings never hold the pagemap, and in `bulk` kernels neither do pins of fsdax and generic pages.
 */
export function* memunmapPages(k: Kernel, pgmap: number): Path {
  if (k.heap.load(pgmap + PGMAP.type) === 0) return -ENXIO;
  if (k.concurrent) yield AT('memunmap_pages: percpu_ref_kill');
  k.heap.store(pgmap + PGMAP.dying, 1);
  while (k.heap.load(pgmap + PGMAP.held) !== 0 || k.heap.load(pgmap + PGMAP.users) !== 0) yield BLOCKED('D memunmap_pages: wait for the pagemap references');
  if (k.concurrent) yield AT('pageunmap_range: free the memmap');
  let link = pagemapsOf(k).head;
  while (k.heap.load(link) !== pgmap && k.heap.load(link) !== 0) link = k.heap.load(link) + PGMAP.next;
  if (k.heap.load(link) === pgmap) k.heap.store(link, k.heap.load(pgmap + PGMAP.next));
  removeDeviceMemmap(k, pgmapStart(k, pgmap), pgmapEnd(k, pgmap), k.heap.load(pgmap + PGMAP.altmap));
  pagemapsOf(k).slab.free(pgmap);
  return 0;
}

/**
 * The memory that holds struct pages has left the machine: those of pagemaps whose memmap lies in pages [start, end) of
 * RAM can be used no more (1g). A machine would read all ones or zeroes there; here every use ends in an oops.
 * Returns the pages whose struct page is lost.
 */
export function loseMemmapIn(k: Kernel, start: number, end: number): number {
  let lost = 0;
  for (let pgmap = k.heap.load(pagemapsOf(k).head); pgmap !== 0; pgmap = k.heap.load(pgmap + PGMAP.next)) {
    const last = pgmapEnd(k, pgmap);
    for (let pfn = pgmapStart(k, pgmap); pfn < last; pfn += k.sparse.pps - (pfn % k.sparse.pps)) {
      const backing = memmapBacking(k, pfn);
      if (backing === null || backing[0] >= end || backing[0] + backing[1] <= start) continue;
      const count = Math.min(last, pfn - (pfn % k.sparse.pps) + k.sparse.pps) - pfn;
      clearPages(k, pfn, count);
      lost += count;
    }
  }
  return lost;
}
