/** Columns of docs/kernel-truth.md that the lab saw otherwise, each with what exactly was seen and what may be behind it. The real kernel is right. */
export const CONTRADICTED: Readonly<Record<string, { readonly seen: string; readonly why: string }>> = {
  'B 4 valid_zones, 5.10': {
    seen: 'truth-b-layouts: text at zones: none for DMA32',
    why: 'drivers/base/memory.c of 5.10 says none for a block with pages of ZONE_DEVICE; the row does not name the kernel it was read on',
  },
  'B 4 region align, 6.12': {
    seen: 'truth-b-layouts: ending at align-fixed: returned for refused, errno at align-fixed: none for ENXIO',
    why: 'as on 7.2',
  },
  'B 4 region align, 7.2': {
    seen: 'truth-b-layouts: ending at align-fixed: returned for refused, errno at align-fixed: none for ENXIO',
    why: 'from 6.1 on a write to align of a region without mappings is taken (drivers/nvdimm/region_devs.c)',
  },
};
