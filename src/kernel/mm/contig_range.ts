/** alloc_contig_range (mm/page_alloc.c; 5.10 to 7.2): takes a given range out of the allocator, moving what is in it. */
import { EBUSY } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import type { Path } from '../state/path.ts';
import { doMigrateRange, scanMovablePages } from './memory_hotplug/offline.ts';
import { fillPages } from './memmap-fill.ts';
import { links, MIGRATE, TYPE } from './page-template.ts';
import { startIsolatePageRange, testPagesIsolated, undoIsolatePageRange } from './page_isolation.ts';
import { pageNode, pageZone } from './page.ts';

/** Times that migration is tried before a pinned page makes it give up (5 in __alloc_contig_migrate_range). */
const TRIES = 5;

/** Pages that belong to a driver and are as good as not there (PageOffline). `refs`: 1 in use, 0 while going offline. */
export const offlineTemplate = (k: Kernel, zone: number, nid: number, refs: number): number =>
  k.sparse.templates.of([0, links(zone, nid, 0, TYPE.offline, MIGRATE.movable), refs]);

/** [pfn, pfn + count) becomes PageOffline: 0, or -EBUSY with all as it was where something cannot move. */
export function* fakeOffline(k: Kernel, pfn = 0, count = 0): Path<number> {
  const end = pfn + count;
  const isolated = startIsolatePageRange(k, pfn, end, MIGRATE.movable);
  if (isolated < 0) return isolated;
  for (let attempt = 0; attempt < TRIES && scanMovablePages(k, pfn, end) >= 0; attempt += 1) yield* k.call(doMigrateRange, pfn, end);
  if (testPagesIsolated(k, pfn, end) < 0) {
    undoIsolatePageRange(k, pfn, end, MIGRATE.movable);
    return -EBUSY;
  }
  const zone = pageZone(k, pfn, 'alloc_contig_range');
  const nid = pageNode(k, pfn, 'alloc_contig_range');
  fillPages(k, pfn, count, offlineTemplate(k, zone, nid, 1));
  k.zones.add(nid, zone, 'managed', -count);
  return 0;
}
