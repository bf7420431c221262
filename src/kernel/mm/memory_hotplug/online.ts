/** online_pages (mm/memory_hotplug.c; 5.10 to 7.2). */
import type { Kernel } from '../../kernel.ts';
import { AT, type Path } from '../../state/path.ts';
import { walkSystemRam } from '../../resource.ts';
import { fillPages } from '../memmap-fill.ts';
import { MIGRATE } from '../page-template.ts';
import { buddyTemplate } from '../page_alloc.ts';
import { onlineMemSections } from '../sparse.ts';
import { hotplug, memoryNotify } from './hotplug.ts';
import { movePfnRangeToZone, removePfnRangeFromZone } from './zone_span.ts';

/** Gives [pfn, pfn + count) of a zone to the allocator (generic_online_page). */
export function freeToZone(k: Kernel, nid: number, zone: number, pfn: number, count: number, migrate: number): void {
  fillPages(k, pfn, count, buddyTemplate(k, zone, nid, migrate));
  for (const counter of ['managed', 'free'] as const) k.zones.add(nid, zone, counter, count);
  if (pfn < k.zones.get(nid, zone, 'hint') || k.zones.get(nid, zone, 'free') === count) k.zones.set(nid, zone, 'hint', pfn);
}

/**
 * Puts `count` pages from `pfn` into a zone and hands those that are System RAM to the allocator. 0 or -errno with the
 * zone as it was. The caller holds mem_hotplug_lock.
 */
export function* onlinePages(k: Kernel, pfn: number, count: number, nid: number, zone: number): Path<number> {
  movePfnRangeToZone(k, nid, zone, pfn, count, MIGRATE.isolate);
  const refused = memoryNotify(k, 'going-online', pfn, count);
  if (refused < 0) {
    memoryNotify(k, 'cancel-online', pfn, count);
    removePfnRangeFromZone(k, nid, zone, pfn, count);
    return refused;
  }
  if (k.concurrent) yield AT('online_pages: online_pages_range');
  onlineMemSections(k, pfn - (pfn % k.sparse.pps), pfn + count, true);
  let onlined = 0;
  walkSystemRam(k, pfn * k.geo.pageSize, (pfn + count) * k.geo.pageSize, (start, end) => {
    const from = start / k.geo.pageSize;
    const pages = end / k.geo.pageSize - from;
    const taken = hotplug(k).onlinePages.some((callback) => callback(k, from, pages));
    if (!taken) freeToZone(k, nid, zone, from, pages, MIGRATE.movable);
    onlined += pages;
    return true;
  });
  k.zones.add(nid, zone, 'present', onlined);
  memoryNotify(k, 'online', pfn, count);
  return 0;
}
