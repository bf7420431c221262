/** Zones grow and shrink with their memory (mm/memory_hotplug.c: move_pfn_range_to_zone, remove_pfn_range_from_zone; 5.10 to 7.2). */
import type { Kernel } from '../../kernel.ts';
import { fillPages } from '../memmap-fill.ts';
import { links, PG, POISON, TYPE, ZONE } from '../page-template.ts';
import { onlineSection, pageNode, pageZone } from '../page.ts';
import { pfnToOnlinePage } from '../pfn.ts';
import { hotplug, MMOP } from './hotplug.ts';

/** default_kernel_zone_for_pfn: a kernel zone that already spans the range, else ZONE_NORMAL. */
export function defaultKernelZone(k: Kernel, nid: number, pfn: number, count: number): number {
  for (let zone = 0; zone <= ZONE.normal; zone += 1) if (k.zones.intersects(nid, zone, pfn, count)) return zone;
  return ZONE.normal;
}

/** zone_for_pfn_range for `online`, `online_kernel`, `online_movable`. */
export function zoneForPfnRange(k: Kernel, mmop: number, nid: number, pfn: number, count: number): number {
  const kernelZone = defaultKernelZone(k, nid, pfn, count);
  if (mmop === MMOP.onlineKernel) return kernelZone;
  if (mmop === MMOP.onlineMovable) return ZONE.movable;
  const inKernel = k.zones.intersects(nid, kernelZone, pfn, count);
  const inMovable = k.zones.intersects(nid, ZONE.movable, pfn, count);
  if (inKernel !== inMovable) return inKernel ? kernelZone : ZONE.movable;
  return k.heap.load(hotplug(k).movableNode) !== 0 ? ZONE.movable : kernelZone;
}

/** Words of a page that is in a zone but not yet anybody's: reserved, one reference (__init_single_page, MEMINIT_HOTPLUG). */
const hotplugTemplate = (k: Kernel, zone: number, nid: number, migrate: number): number =>
  k.sparse.templates.of([PG.reserved, links(zone, nid, 0, TYPE.none, migrate), 1]);

/** move_pfn_range_to_zone: the zone's and the node's span grow; the struct pages are initialised. */
export function movePfnRangeToZone(k: Kernel, nid: number, zone: number, pfn: number, count: number, migrate: number): void {
  k.zones.grow(nid, zone, pfn, count);
  const empty = k.zones.nodeEnd(nid) === k.zones.nodeStart(nid);
  k.zones.setNodeSpan(nid, empty ? pfn : Math.min(pfn, k.zones.nodeStart(nid)), empty ? pfn + count : Math.max(pfn + count, k.zones.nodeEnd(nid)));
  fillPages(k, pfn, count, hotplugTemplate(k, zone, nid, migrate));
}

/** remove_pfn_range_from_zone: struct pages are poisoned again, spans shrink to what is still online. */
export function removePfnRangeFromZone(k: Kernel, nid: number, zone: number, pfn: number, count: number): void {
  // Since 5.5 (feee6b298916); before, struct pages of an offline block keep their words until the block is removed.
  if (zone === ZONE.device || !k.mechanism('block.remove-reads-zone-of-page')) fillPages(k, pfn, count, k.sparse.templates.of(POISON));
  if (zone === ZONE.device) return;
  shrinkZoneSpan(k, nid, zone, pfn, pfn + count);
  updateNodeSpan(k, nid);
}

/** Whether the online page at `pfn` belongs to the zone. */
function isOfZone(k: Kernel, nid: number, zone: number, pfn: number): boolean {
  const page = onlineSection(k, pfn) ? pfnToOnlinePage(k, pfn) : -1;
  return page >= 0 && pageNode(k, page, 'find_smallest_section_pfn') === nid && pageZone(k, page, 'find_smallest_section_pfn') === zone;
}

/** First frame of the zone in [start, end), by sub-sections (find_smallest_section_pfn); -1 where there is none. */
function findSmallest(k: Kernel, nid: number, zone: number, start: number, end: number): number {
  for (let pfn = start; pfn < end;) {
    if (!onlineSection(k, pfn)) pfn += k.sparse.pps - (pfn % k.sparse.pps);
    else if (isOfZone(k, nid, zone, pfn)) return pfn;
    else pfn += k.sparse.ppss - (pfn % k.sparse.ppss);
  }
  return -1;
}

/** Last frame of the zone in [start, end) (find_biggest_section_pfn); -1 where there is none. */
function findBiggest(k: Kernel, nid: number, zone: number, start: number, end: number): number {
  for (let pfn = end - 1; pfn >= start;) {
    if (!onlineSection(k, pfn)) pfn -= (pfn % k.sparse.pps) + 1;
    else if (isOfZone(k, nid, zone, pfn)) return pfn;
    else pfn -= (pfn % k.sparse.ppss) + 1;
  }
  return -1;
}

function shrinkZoneSpan(k: Kernel, nid: number, zone: number, start: number, end: number): void {
  const { zones } = k;
  const zoneStart = zones.get(nid, zone, 'start');
  const zoneEnd = zones.end(nid, zone);
  if (zoneStart === start) {
    const first = findSmallest(k, nid, zone, end, zoneEnd);
    zones.set(nid, zone, 'start', Math.max(first, 0));
    zones.set(nid, zone, 'spanned', first < 0 ? 0 : zoneEnd - first);
  } else if (zoneEnd === end) {
    const last = findBiggest(k, nid, zone, zoneStart, start);
    if (last < 0) zones.set(nid, zone, 'start', 0);
    zones.set(nid, zone, 'spanned', last < 0 ? 0 : last - zoneStart + 1);
  }
}

/** update_pgdat_span: around the zones that have a span. */
function updateNodeSpan(k: Kernel, nid: number): void {
  let start = 0;
  let end = 0;
  for (let zone = 0; zone < ZONE.count; zone += 1) {
    if (k.zones.isEmpty(nid, zone)) continue;
    const from = k.zones.get(nid, zone, 'start');
    start = end === 0 ? from : Math.min(start, from);
    end = Math.max(end, k.zones.end(nid, zone));
  }
  k.zones.setNodeSpan(nid, start, end);
}

