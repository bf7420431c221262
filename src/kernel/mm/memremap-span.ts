/**
 * What devm_memremap_pages() adds to the memmap for a range, and what it refuses (kernel/memremap.c 5.2, mm/memremap.c
 * 5.10 to 7.2). 5.2 knows whole sections only: it widens the range to them, and a section that also holds RAM or another
 * mapping is "mixed". From 5.3 on the range is taken as it is, to the sub-section ("7b", "7c", "7e").
 */
import { EINVAL, ENOMEM, ENXIO } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { warn } from '../oops.ts';
import { hex, KERN_ERR } from '../printk.ts';
import { regionIntersectsRam } from '../resource.ts';
import { addPages } from './memory_hotplug/add.ts';
import { removePages } from './memory_hotplug/remove-pages.ts';
import { fillPages } from './memmap-fill.ts';
import { links, PG, ZONE } from './page-template.ts';
import { SECTION } from './section-table.ts';

export interface Span {
  /** Pages, half open. */
  readonly start: number;
  readonly end: number;
}

/** The pages that get a memmap for [start, end): as they are, or widened to whole sections. */
export function hotplugSpan(k: Kernel, start: number, end: number): Span {
  if (k.mechanism('section.hotplug-unit') !== 'section') return { start, end };
  const { pps } = k.sparse;
  return { start: start - (start % pps), end: Math.ceil(end / pps) * pps };
}

/** 0, or why the range cannot be mapped: -ENOMEM another mapping, -ENXIO System RAM, -EINVAL no whole sub-sections. */
export function checkSpan(k: Kernel, start: number, end: number, taken: (start: number, end: number) => boolean): number {
  const span = hotplugSpan(k, start, end);
  if (span.start % k.sparse.ppss !== 0 || span.end % k.sparse.ppss !== 0) {
    warn(k, '__add_pages: Misaligned', 'mm/memory_hotplug.c');
    return -EINVAL;
  }
  if (taken(span.start, span.end)) {
    k.log.write(KERN_ERR, 'Conflicting mapping in same section');
    return -ENOMEM;
  }
  const looked = k.mechanism('section.mixed-region-check') === 'exact' ? { start, end } : span;
  const kind = regionIntersectsRam(k, looked.start * k.geo.pageSize, (looked.end - looked.start) * k.geo.pageSize);
  if (kind === 'disjoint') return 0;
  const range = `${hex(start * k.geo.pageSize)}-${hex(end * k.geo.pageSize - 1)}`;
  k.log.write(KERN_ERR, `devm_memremap_pages attempted on ${kind === 'mixed' ? 'mixed' : 'ram'} region ${range}`);
  return -ENXIO;
}

/** arch_add_memory without memory blocks. */
export function addDeviceMemmap(k: Kernel, nid: number, start: number, end: number, altmap: number): number {
  const span = hotplugSpan(k, start, end);
  const added = addPages(k, nid, span.start, span.end - span.start, altmap);
  // move_pfn_range_to_zone() is given the widened range; only the pages asked for become the pagemap's.
  if (added === 0 && (span.start !== start || span.end !== end)) fillPages(k, span.start, span.end - span.start, k.sparse.templates.of([PG.reserved, links(ZONE.device, nid), 1]));
  return added;
}

/** arch_remove_memory. */
export function removeDeviceMemmap(k: Kernel, start: number, end: number, altmap: number): void {
  const span = hotplugSpan(k, start, end);
  removePages(k, span.start, span.end - span.start, altmap);
}

/** section_taint_zone_device: sections that the range fills in part hold device pages beside others (5.12 on). */
export function taintSections(k: Kernel, start: number, end: number): void {
  for (const pfn of [start, end]) {
    if (pfn % k.sparse.pps === 0) continue;
    const section = k.sparse.section(k.sparse.sectionNr(pfn === end ? end - 1 : pfn));
    if (section !== 0) k.sparse.setFlags(section, SECTION.zoneDevice);
  }
}
