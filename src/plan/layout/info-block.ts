/**
 * Where the data of a pfn or dax namespace begins and ends, as nd_pfn_init() computes it. Source:
 * drivers/nvdimm/pfn_devs.c, nd_pfn_init(), 5.3 and later (one formula up to 7.2) and 5.2 (with padding).
 */
import { alignDown, alignUp, type PhysRange } from '../../range/phys-range.ts';
import { KiB, SUBSECTION_SIZE } from '../../range/units.ts';

/** The info block and what is reserved with it. */
export const INFO_BLOCK = 8 * KiB;
/** Bytes reserved for each struct page (MAX_STRUCT_PAGE_SIZE). */
export const STRUCT_PAGE = 64;

/**
 * The data of a namespace over `r` with struct pages in RAM (`mem`) or on the device (`dev`), or null where nothing
 * is left. `align` in bytes. The end is cut down to the alignment.
 */
export function dataRange(r: PhysRange, memmap: 'mem' | 'dev', align: number, pageSize: number): PhysRange | null {
  const unit = Math.max(align, SUBSECTION_SIZE);
  const end = alignDown(r.end, unit);
  const pages = Math.floor((r.end - r.start - INFO_BLOCK) / pageSize);
  const start = alignUp(r.start + INFO_BLOCK + (memmap === 'dev' ? pages * STRUCT_PAGE : 0), unit);
  return start < end ? { start, end } : null;
}
