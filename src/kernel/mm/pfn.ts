/**
 * "Is there a page behind this frame number?" in its variants (include/linux/mmzone.h, mm/memory_hotplug.c; 2.6 to 7.2).
 */
import type { Kernel } from '../kernel.ts';
import { useAfterFree } from '../oops.ts';
import { AT, type Path } from '../state/path.ts';
import { isZoneDevicePage } from './page.ts';
import { SECTION } from './section-table.ts';

/** pfn_valid of FLATMEM: below max_mapnr, which is the end of the last RAM. Device memory above it has no page. */
export const pfnValidFlat = (pfn: number, maxMapnr: number): boolean => pfn < maxMapnr;

/** valid_section(): the section has a memmap. Walkers that trust it alone take every sub-section for there. */
export const validSection = (k: Kernel, pfn: number): boolean => (k.sparse.flags(k.sparse.sectionNr(pfn)) & SECTION.hasMemMap) !== 0;

/** early_section(). */
export const earlySection = (k: Kernel, pfn: number): boolean => (k.sparse.flags(k.sparse.sectionNr(pfn)) & SECTION.early) !== 0;

/** pfn_section_valid(): the bit of the sub-section. Oopses where usage was freed under it (kernels without kfree_rcu). */
export function pfnSectionValid(k: Kernel, pfn: number): boolean {
  const { sparse } = k;
  const section = sparse.section(sparse.sectionNr(pfn));
  if (section === 0) return false;
  if ((k.heap.load(section) & SECTION.usageFreed) !== 0) useAfterFree(k, 'pfn_section_valid', 'mem_section_usage');
  return sparse.mapTest(section, sparse.subIndex(pfn));
}

/** pfn_valid() of this kernel. */
export function pfnValid(k: Kernel, pfn: number): boolean {
  if (!validSection(k, pfn)) return false;
  if (k.mechanism('section.pfn-valid') === 'section') return true;
  return earlySection(k, pfn) || pfnSectionValid(k, pfn);
}

/**
 * pfn_valid() with its two reads apart, as a reader without locks makes them: the section may go in between. A kernel
 * whose section_deactivate() waits for RCU cannot free usage before the reader is through.
 */
export function* pfnValidRacy(k: Kernel, pfn: number): Path<number> {
  if (k.concurrent) yield AT('pfn_valid: valid_section');
  if (!validSection(k, pfn)) return 0;
  if (k.mechanism('section.pfn-valid') === 'section' || earlySection(k, pfn)) return 1;
  if (k.concurrent) yield AT('pfn_valid: pfn_section_valid');
  return pfnSectionValid(k, pfn) ? 1 : 0;
}

/**
 * pfn_to_online_page(): `pfn` where it is online System RAM, else -1. The sub-section check came with 5.8; a section
 * that also holds device pages (SECTION_TAINT_ZONE_DEVICE, 5.12) is looked at page by page.
 */
export function pfnToOnlinePage(k: Kernel, pfn: number): number {
  const flags = k.sparse.flags(k.sparse.sectionNr(pfn));
  if ((flags & SECTION.online) === 0) return -1;
  if (k.mechanism('section.pfn-valid') !== 'section' && !(flags & SECTION.early) && !pfnSectionValid(k, pfn)) return -1;
  if ((flags & SECTION.zoneDevice) === 0 || !k.mechanism('section.taint-zone-device')) return pfn;
  return isZoneDevicePage(k, pfn, 'pfn_to_online_page') ? -1 : pfn;
}
