/** Columns of docs/kernel-truth.md that the lab saw otherwise. The real kernel is right; each is told with what may be behind it. */
export const CONTRADICTED: Readonly<Record<string, string>> = {
  'B 4 valid_zones, 5.10': 'the file says none there, as drivers/base/memory.c of 5.10 has it for a block with pages of ZONE_DEVICE; the row does not name the kernel it was read on',
  'B 4 region align, 7.2': 'from 6.1 on a write to align of a region without mappings is taken (drivers/nvdimm/region_devs.c)',
  'B 6 device_del, 7.2': 'the card had not left its slot 30 s after the shrink; perhaps the guest and not the kernel',
};
