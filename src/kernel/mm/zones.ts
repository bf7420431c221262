/**
 * NUMA nodes and their zones (pg_data_t, struct zone; include/linux/mmzone.h). Spans are in pages and may have holes;
 * `managed` counts what the allocator got, `free` what it still has.
 */
import type { Kernel } from '../kernel.ts';
import { loadLong, storeLong } from '../state/long.ts';
import { ZONE } from './page-template.ts';

/** Words of a zone; the first six are longs, in pages. */
const Z = { start: 0, spanned: 2, present: 4, managed: 6, free: 8, hint: 10, isolated: 12, words: 13 } as const;
/** Words of a node: span (longs), state, its zones. */
const N = { start: 0, spanned: 2, online: 4, zones: 5 } as const;
const NODE_WORDS = N.zones + ZONE.count * Z.words;

export type ZoneCounter = 'start' | 'spanned' | 'present' | 'managed' | 'free' | 'hint';

export class Zones {
  private readonly k: Kernel;
  private readonly base: number;
  readonly nodes: number;

  constructor(k: Kernel) {
    this.k = k;
    this.nodes = k.nodes;
    this.base = k.heap.reserve(k.nodes * NODE_WORDS);
  }

  private zone(nid: number, zone: number): number {
    return this.base + nid * NODE_WORDS + N.zones + zone * Z.words;
  }

  get(nid: number, zone: number, counter: ZoneCounter): number {
    return loadLong(this.k.heap, this.zone(nid, zone) + Z[counter]);
  }

  set(nid: number, zone: number, counter: ZoneCounter, value: number): void {
    storeLong(this.k.heap, this.zone(nid, zone) + Z[counter], value);
  }

  add(nid: number, zone: number, counter: ZoneCounter, delta: number): void {
    this.set(nid, zone, counter, this.get(nid, zone, counter) + delta);
  }

  /** First pfn after the zone. */
  end(nid: number, zone: number): number {
    return this.get(nid, zone, 'start') + this.get(nid, zone, 'spanned');
  }

  /** zone_intersects. */
  intersects(nid: number, zone: number, pfn: number, count: number): boolean {
    return this.get(nid, zone, 'spanned') > 0 && pfn < this.end(nid, zone) && this.get(nid, zone, 'start') < pfn + count;
  }

  isEmpty(nid: number, zone: number): boolean {
    return this.get(nid, zone, 'spanned') === 0;
  }

  /** resize_zone_range: the span grows to hold [pfn, pfn + count). */
  grow(nid: number, zone: number, pfn: number, count: number): void {
    const empty = this.isEmpty(nid, zone);
    const start = empty ? pfn : Math.min(this.get(nid, zone, 'start'), pfn);
    const end = empty ? pfn + count : Math.max(this.end(nid, zone), pfn + count);
    this.set(nid, zone, 'start', start);
    this.set(nid, zone, 'spanned', end - start);
  }

  isolatedBlocks(nid: number, zone: number): number {
    return this.k.heap.load(this.zone(nid, zone) + Z.isolated);
  }

  addIsolatedBlocks(nid: number, zone: number, delta: number): void {
    this.k.heap.add(this.zone(nid, zone) + Z.isolated, delta);
  }

  nodeOnline(nid: number): boolean {
    return this.k.heap.load(this.base + nid * NODE_WORDS + N.online) !== 0;
  }

  setNodeOnline(nid: number, online: boolean): void {
    this.k.heap.store(this.base + nid * NODE_WORDS + N.online, online ? 1 : 0);
  }

  nodeStart(nid: number): number {
    return loadLong(this.k.heap, this.base + nid * NODE_WORDS + N.start);
  }

  nodeEnd(nid: number): number {
    return this.nodeStart(nid) + loadLong(this.k.heap, this.base + nid * NODE_WORDS + N.spanned);
  }

  /** Pages that the zones of a node have in all (node_present_pages). */
  nodePresent(nid: number): number {
    let pages = 0;
    for (let zone = 0; zone < ZONE.count; zone += 1) pages += this.get(nid, zone, 'present');
    return pages;
  }

  setNodeSpan(nid: number, start: number, end: number): void {
    const at = this.base + nid * NODE_WORDS;
    storeLong(this.k.heap, at + N.start, start);
    storeLong(this.k.heap, at + N.spanned, end - start);
  }
}
