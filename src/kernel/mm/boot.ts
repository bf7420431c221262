/** What the kernel makes of the firmware's memory map at boot (mm/mm_init.c, mm/page_alloc.c free_area_init(), mm/memblock.c). */
import type { Kernel } from '../kernel.ts';
import { allocResource, insertResource, IORESOURCE_BUSY, IORESOURCE_MEM, IORESOURCE_SYSTEM_RAM } from '../resource.ts';
import { GiB, MiB } from '../../range/units.ts';
import { fillPages } from './memmap-fill.ts';
import { MIGRATE, ZONE } from './page-template.ts';
import { buddyTemplate } from './page_alloc.ts';
import { onlineMemSections, poisonTemplate, sparseInitRange } from './sparse.ts';

/** A range of RAM that firmware reports; bytes, half open, on one node. */
export interface RamRange {
  readonly start: number;
  readonly end: number;
  readonly nid: number;
}

/** Zone of boot memory by address: below 16 MiB, below 4 GiB, the rest. */
const bootZones = (k: Kernel): readonly (readonly [number, number])[] =>
  [[ZONE.dma, (16 * MiB) / k.geo.pageSize], [ZONE.dma32, (4 * GiB) / k.geo.pageSize], [ZONE.normal, Infinity]];

/**
 * Makes sections, zones, free pages and `System RAM` resources of `ranges` (page aligned, sorted). Pages of a section
 * that no range covers are reserved and belong to no zone.
 */
export function bootRam(k: Kernel, ranges: readonly RamRange[]): void {
  for (const range of ranges) {
    const start = Math.ceil(range.start / k.geo.pageSize);
    const end = Math.floor(range.end / k.geo.pageSize);
    const res = allocResource(k, range.start, range.end - 1, 'System RAM', IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY | IORESOURCE_MEM);
    insertResource(k, k.resources.root, res);
    sparseInitRange(k, start, end);
    if (!k.mechanism('block.last-section-initialised')) poisonTail(k, end, ranges);
    onlineMemSections(k, start - (start % k.sparse.pps), end, true);
    bootNode(k, range.nid, start, end);
    let from = start;
    for (const [zone, limit] of bootZones(k)) {
      const to = Math.min(end, limit);
      if (from < to) bootZone(k, range.nid, zone, from, to);
      from = Math.max(from, to);
    }
  }
}

/** Struct pages from the end of all RAM to the end of its section, in kernels that do not initialise them. */
function poisonTail(k: Kernel, end: number, ranges: readonly RamRange[]): void {
  const last = Math.max(...ranges.map((range) => Math.floor(range.end / k.geo.pageSize)));
  const rest = (k.sparse.pps - (end % k.sparse.pps)) % k.sparse.pps;
  if (end === last && rest > 0) fillPages(k, end, rest, poisonTemplate(k));
}

function bootNode(k: Kernel, nid: number, start: number, end: number): void {
  const empty = !k.zones.nodeOnline(nid);
  k.zones.setNodeOnline(nid, true);
  k.zones.setNodeSpan(nid, empty ? start : Math.min(start, k.zones.nodeStart(nid)), empty ? end : Math.max(end, k.zones.nodeEnd(nid)));
}

function bootZone(k: Kernel, nid: number, zone: number, start: number, end: number): void {
  const pages = end - start;
  k.zones.grow(nid, zone, start, pages);
  for (const counter of ['present', 'managed', 'free'] as const) k.zones.add(nid, zone, counter, pages);
  k.zones.set(nid, zone, 'hint', k.zones.get(nid, zone, 'start'));
  fillPages(k, start, pages, buddyTemplate(k, zone, nid, MIGRATE.movable));
}
