/** Sizes that a kernel build fixes: pages, sections, sub-sections, pageblocks, memory blocks. Bytes unless the name says pages. */
import { MiB, SUBSECTION_SIZE } from '../range/units.ts';

export interface Geometry {
  readonly pageSize: number;
  readonly sectionSize: number;
  /** Memory block of drivers/base/memory.c: one or more whole sections. */
  readonly memoryBlockSize: number;
  /** MAX_PHYSMEM_BITS: 46 on x86-64 with four page-table levels, 52 with five. */
  readonly physicalBits: number;
  readonly pagesPerSection: number;
  readonly pagesPerSubsection: number;
  readonly subsectionsPerSection: number;
  readonly pagesPerBlock: number;
  /** Pages of a pageblock (MAX_ORDER-limited huge page): 512 of 4 KiB. Never less than a sub-section here. */
  readonly pageblockPages: number;
  /** Order of the largest folio that a PMD maps. */
  readonly pmdOrder: number;
}

export interface GeometryInput {
  readonly pageSize?: number;
  readonly sectionSize?: number;
  readonly memoryBlockSize?: number;
  readonly physicalBits?: number;
  readonly pmdSize?: number;
}

export function makeGeometry(input: GeometryInput = {}): Geometry {
  const pageSize = input.pageSize ?? 4096;
  const sectionSize = input.sectionSize ?? 128 * MiB;
  const memoryBlockSize = input.memoryBlockSize ?? sectionSize;
  const pmdSize = input.pmdSize ?? (pageSize / 8) * pageSize;
  return {
    pageSize,
    sectionSize,
    memoryBlockSize,
    physicalBits: input.physicalBits ?? 46,
    pagesPerSection: sectionSize / pageSize,
    pagesPerSubsection: SUBSECTION_SIZE / pageSize,
    subsectionsPerSection: sectionSize / SUBSECTION_SIZE,
    pagesPerBlock: memoryBlockSize / pageSize,
    pageblockPages: Math.min(Math.max(pmdSize, SUBSECTION_SIZE), sectionSize) / pageSize,
    pmdOrder: Math.log2(pmdSize / pageSize),
  };
}
