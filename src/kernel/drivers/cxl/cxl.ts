/**
 * What CXL keeps (drivers/cxl/cxl.h, 6.12): a region is a range of host physical addresses, decoded by one endpoint
 * decoder on each memdev that it interleaves over. Whether loads reach the device is a matter of the decoders, not of
 * what the kernel believes: physmem.ts.
 */
import type { Kernel } from '../../kernel.ts';
import { physBack, physGone } from '../../mm/physmem.ts';
import { loadLong, storeLong } from '../../state/long.ts';
import { Arrays } from '../../state/array.ts';
import { Slab } from '../../state/slab.ts';

/** Words of a region; longs in bytes. `targets`: array of memdevs. `nid`: node of its memory plus one. `daxName`: 0 before its dax device was first made. */
export const REGION = {
  name: 0, start: 1, end: 3, mode: 5, committed: 6, locked: 7, nrTargets: 8, targets: 9, dev: 10, res: 11, answer: 12, next: 13, nid: 14, daxName: 15, words: 16,
} as const;
/** Words of a memdev. `decoders`: committed endpoint decoders; `present`: the card is in its slot with power. */
export const MEMDEV = { name: 0, pci: 1, dev: 2, present: 3, words: 4 } as const;

export const REGION_MODE = { ram: 1, pmem: 2, devdax: 3 } as const;
export type RegionMode = keyof typeof REGION_MODE;

/** Kinds of devices on the cxl bus, in their DEV.value: what the drivers of that bus match by. */
export const CXL_DEVICE = { memdev: 1, region: 2 } as const;

interface Cxl {
  readonly regions: Slab;
  readonly memdevs: Slab;
  readonly arrays: Arrays;
  /** Word: first region. */
  readonly head: number;
}
const makeCxl = (k: Kernel): Cxl => ({
  regions: new Slab(k.heap, 'cxl_region', REGION.words, 8), memdevs: new Slab(k.heap, 'cxl_memdev', MEMDEV.words, 8), arrays: new Arrays(k.heap), head: k.heap.reserve(1),
});
export const cxl = (k: Kernel): Cxl => k.part(makeCxl);

export const regionStart = (k: Kernel, region: number): number => loadLong(k.heap, region + REGION.start);
export const regionEnd = (k: Kernel, region: number): number => loadLong(k.heap, region + REGION.end);
export const regionCommitted = (k: Kernel, region: number): boolean => k.heap.load(region + REGION.committed) !== 0;

export function setRegionRange(k: Kernel, region: number, start: number, end: number): void {
  storeLong(k.heap, region + REGION.start, start);
  storeLong(k.heap, region + REGION.end, end);
}

/** All regions, newest first. */
export function cxlRegions(k: Kernel): number[] {
  const found: number[] = [];
  for (let region = k.heap.load(cxl(k).head); region !== 0; region = k.heap.load(region + REGION.next)) found.push(region);
  return found;
}

export const regionTargets = (k: Kernel, region: number): number[] =>
  Array.from({ length: k.heap.load(region + REGION.nrTargets) }, (_, i) => k.heap.load(k.heap.load(region + REGION.targets) + i));

/** Regions that have a decoder on this memdev. */
export const regionsOf = (k: Kernel, memdev: number): number[] => cxlRegions(k).filter((region) => regionTargets(k, region).includes(memdev));

/**
 * cxl_decoder_commit of the whole chain: the range answers from now on. False where a target is not in its slot.
 */
export function commitDecoders(k: Kernel, region: number): boolean {
  if (!regionTargets(k, region).every((memdev) => k.heap.load(memdev + MEMDEV.present) !== 0)) return false;
  if (!regionCommitted(k, region)) physBack(k, regionStart(k, region), regionEnd(k, region));
  k.heap.store(region + REGION.committed, 1);
  return true;
}

/**
 * cxl_decoder_reset of the whole chain: the range answers no more. A locked decoder (Lock On Commit, CXL 3.1, 8.2.4.20.7)
 * takes no writes: it goes on decoding while its card is there.
 */
export function resetDecoders(k: Kernel, region: number, cardGone: boolean): void {
  if (!regionCommitted(k, region) || (k.heap.load(region + REGION.locked) !== 0 && !cardGone)) return;
  k.heap.store(region + REGION.committed, 0);
  physGone(k, regionStart(k, region), regionEnd(k, region), k.heap.load(region + REGION.answer));
}
