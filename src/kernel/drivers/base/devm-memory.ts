/**
 * What every driver of device memory does in its probe (drivers/nvdimm/pmem.c: pmem_attach_disk; drivers/dax/device.c:
 * dev_dax_probe; 5.10 to 7.2): a busy region over its pages, struct pages for them, both managed, so that they go when the
 * driver lets go or its probe fails: the pagemap first, then the region.
 */
import { EBUSY, ENOMEM } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { memremapPages, memunmapPages, PGMAP, type PagemapInput } from '../../mm/memremap.ts';
import { allocAltmap, freeAltmap } from '../../mm/sparse-vmemmap.ts';
import { releaseResource } from '../../resource.ts';
import type { Path } from '../../state/path.ts';
import { defineAction, devmAddActionOrReset, devmRequestRegion } from './devres.ts';

/** Where a driver keeps them: words of its own object. */
export interface MemoryWords {
  readonly res: number;
  readonly pgmap: number;
  readonly altmap: number;
}

export interface ManagedMemory {
  readonly words: MemoryWords;
  readonly region: number;
  readonly pagemap: number;
}

/** Names the two releases of a driver. `unmapped` is told how many pages of the pagemap were poisoned. Called when a module is loaded. */
export function defineManagedMemory(words: MemoryWords, unmapped: (k: Kernel, poisoned: number) => void = () => {}): ManagedMemory {
  const region = defineAction(function* (k, holder) {
    releaseResource(k, k.heap.load(holder + words.res));
    k.heap.store(holder + words.res, 0);
    return 0;
  });
  const pagemap = defineAction(function* (k, holder) {
    const pgmap = k.heap.load(holder + words.pgmap);
    const poisoned = k.heap.load(pgmap + PGMAP.bind);
    yield* k.call(memunmapPages, pgmap);
    unmapped(k, poisoned);
    const altmap = k.heap.load(holder + words.altmap);
    if (altmap !== 0) freeAltmap(k, altmap);
    k.heap.store(holder + words.pgmap, 0);
    k.heap.store(holder + words.altmap, 0);
    return 0;
  });
  return { words, region, pagemap };
}

/** devm_request_mem_region of `size` bytes from `start` for `holder`: 0, or -EBUSY. */
export function requestMemory(k: Kernel, dev: number, holder: number, managed: ManagedMemory, start: number, size: number, name: string): number {
  const res = devmRequestRegion(k, dev, start, size, name, managed.region, holder);
  if (res === 0) return -EBUSY;
  k.heap.store(holder + managed.words.res, res);
  return 0;
}

/** devm_memremap_pages; with `reserve` the memmap lies on the device, behind so many pages of its own. The pagemap, or -errno. */
export function* mapMemory(k: Kernel, dev: number, holder: number, managed: ManagedMemory, input: PagemapInput, reserve: number | null): Path<number> {
  const { startPfn, endPfn, dataPfn } = input;
  const altmap = reserve === null ? 0 : allocAltmap(k, { base: startPfn, end: endPfn, reserve, free: dataPfn - startPfn - reserve });
  if (reserve !== null && altmap === 0) return -ENOMEM;
  const pgmap = memremapPages(k, { ...input, altmap });
  if (pgmap < 0) {
    if (altmap !== 0) freeAltmap(k, altmap);
    return pgmap;
  }
  k.heap.store(holder + managed.words.pgmap, pgmap);
  k.heap.store(holder + managed.words.altmap, altmap);
  const kept = yield* devmAddActionOrReset(k, dev, managed.pagemap, holder);
  return kept < 0 ? kept : pgmap;
}
