/**
 * What a region lets its namespaces be: their alignment (drivers/nvdimm/region_devs.c: default_align, align_store, 5.7 to
 * 7.2; namespace_devs.c: __size_store) and the least size of a BTT (btt.c: nvdimm_namespace_attach_btt; btt_devs.c:
 * nd_btt_version). Plain data: nothing of it is shared with a path. Bytes throughout.
 */
import { KiB, MiB } from '../../../range/units.ts';
import { EINVAL, ENXIO } from '../../errno.ts';

const PAGE_SIZE = 4 * KiB;
/** What PowerPC asks of memremap_pages(); all others could do with a sub-section. */
const MEMREMAP_COMPAT_ALIGN_MAX = 16 * MiB;
const ARENA_MIN_SIZE = 16 * MiB;
/** BTT v1.1 leaves a page free for a partition table; v2.0 (namespaces with labels of v1.2) does not. */
const BTT_OFFSET = { '1.1': 4 * KiB, '2.0': 0 } as const;

export interface NdRegion {
  readonly size: number;
  /** DIMMs that are interleaved; 0: a range of the memory map (e820) without any. */
  readonly mappings: number;
  align: number;
}

/** A region as it is found: with default_align(). */
export function ndRegion(size: number, mappings: number): NdRegion {
  const least = size < MEMREMAP_COMPAT_ALIGN_MAX ? PAGE_SIZE : MEMREMAP_COMPAT_ALIGN_MAX;
  const ways = Math.max(1, mappings);
  return { size, mappings, align: least % ways === 0 ? least : least * ways };
}

/** align_store: what a write to `align` of the region says. @param withoutMappings the mechanism `section.region-align-without-mappings` */
export function alignStore(region: NdRegion, align: number, withoutMappings: 'fixed' | 'taken'): number {
  if (region.mappings === 0 && withoutMappings === 'fixed') return -ENXIO;
  const each = align / Math.max(1, region.mappings);
  if (!Number.isInteger(Math.log2(each)) || each < PAGE_SIZE || align > region.size) return -EINVAL;
  region.align = align;
  return 0;
}

/** __size_store: a new size of a namespace. ndctl keeps the same rule before it asks the kernel. */
export const sizeStore = (region: NdRegion, size: number): number => (size % region.align === 0 && size <= region.size ? 0 : -EINVAL);

/** nvdimm_namespace_attach_btt of a namespace of `size`. */
export const attachBtt = (size: number, version: keyof typeof BTT_OFFSET): number => (size - BTT_OFFSET[version] < ARENA_MIN_SIZE ? -ENXIO : 0);
