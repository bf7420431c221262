/**
 * The page allocator at the granularity that adding and removing memory can see (mm/page_alloc.c; 5.10 to 7.2): which
 * frames are free, to whom the others belong, which pageblocks are isolated. No per-CPU lists, no buddy orders: a free
 * frame has PG_buddy, lower frames are handed out first, pageblocks keep unmovable and movable pages apart while they can.
 */
import type { Kernel } from '../kernel.ts';
import { fillPages, fillRecord, setMigratetype } from './memmap-fill.ts';
import { links, linksMigrate, linksNode, linksType, linksZone, MIGRATE, PAGE, PG, TYPE, ZONE } from './page-template.ts';
import { makeTable, pageblockMigratetype, pageLoad, pageNode, pageOrder, pageStore, pageZone, tableOf } from './page.ts';
import { SECTION, STORE } from './section-table.ts';

/** Which zones an allocation may come from (gfp_zone). */
export type Gfp = 'kernel' | 'movable';

const FALLBACK: Readonly<Record<Gfp, readonly number[]>> = {
  kernel: [ZONE.normal, ZONE.dma32, ZONE.dma],
  movable: [ZONE.movable, ZONE.normal, ZONE.dma32, ZONE.dma],
};

/** Template of free pages. */
export const buddyTemplate = (k: Kernel, zone: number, nid: number, migrate: number): number =>
  k.sparse.templates.of([0, links(zone, nid, 0, TYPE.buddy, migrate)]);

/** Template of pages that the kernel itself uses: refcount 1, no mapping, `type` says for what. */
const kernelTemplate = (k: Kernel, zone: number, nid: number, type: number): number =>
  k.sparse.templates.of([type === TYPE.memmap ? PG.ownerPrivate : 0, links(zone, nid, 0, type, MIGRATE.unmovable), 1]);

/** Where an allocation looks: nodes in order of preference, `nid` first. */
function* zonelist(k: Kernel, nid: number, gfp: Gfp, only: boolean): Generator<readonly [number, number]> {
  for (let i = 0; i < (only ? 1 : k.nodes); i += 1) {
    const node = (nid + i) % k.nodes;
    if (k.zones.nodeOnline(node)) for (const zone of FALLBACK[gfp]) if (k.zones.get(node, zone, 'free') > 0) yield [node, zone];
  }
}

/**
 * First of `count` free, consecutive frames in one sub-section (aligned when `count` is a power of two), or -1.
 * Unmovable requests prefer pageblocks of their kind, then whole free ones, then anything.
 */
function findFree(k: Kernel, nid: number, zone: number, count: number, migrate: number): number {
  const { sparse } = k;
  const end = k.zones.end(nid, zone);
  let fallback = -1;
  for (let pfn = Math.max(k.zones.get(nid, zone, 'hint'), k.zones.get(nid, zone, 'start')); pfn < end;) {
    const section = sparse.section(sparse.sectionNr(pfn));
    const word = section === 0 ? 0 : k.heap.load(section);
    const extra = (word & SECTION.online) === 0 ? 0 : sparse.extra(section);
    if (extra === 0) {
      const free = (word & SECTION.online) === 0 ? -1 : freeInTemplate(k, sparse.ref(section), nid, zone);
      if (free >= 0) return pfn - (pfn % sparse.ppss);
      pfn += sparse.pps - (pfn % sparse.pps);
      continue;
    }
    const found = freeInSubsection(k, extra, pfn, nid, zone, count);
    if (found >= 0) {
      const block = pageblockMigratetype(k, pfn);
      const whole = count >= sparse.ppss || (k.heap.load(extra + sparse.subIndex(pfn)) & 3) === STORE.template;
      if (block === migrate || (whole && block !== MIGRATE.isolate)) return found;
      if (fallback < 0 && block !== MIGRATE.isolate) fallback = found;
    }
    pfn += sparse.ppss - (pfn % sparse.ppss);
  }
  return fallback;
}

const freeInTemplate = (k: Kernel, template: number, nid: number, zone: number): number => {
  if (template === 0) return -1;
  const word = k.heap.words[k.sparse.templates.address(template) + PAGE.links] as number;
  const fits = linksType(word) === TYPE.buddy && linksZone(word) === zone && linksNode(word) === nid && linksMigrate(word) !== MIGRATE.isolate;
  return fits ? 0 : -1;
};

function freeInSubsection(k: Kernel, extra: number, pfn: number, nid: number, zone: number, count: number): number {
  const { sparse, heap } = k;
  const entry = heap.load(extra + sparse.subIndex(pfn));
  const first = pfn - (pfn % sparse.ppss);
  if (pageblockMigratetype(k, pfn) === MIGRATE.isolate) return -1;
  if ((entry & 3) === STORE.template) {
    const word = heap.words[sparse.templates.address(entry >>> 2) + PAGE.links] as number;
    return linksType(word) === TYPE.buddy && linksZone(word) === zone && linksNode(word) === nid ? first : -1;
  }
  if ((entry & 3) !== STORE.table || heap.load(entry >>> 2) < count) return -1;
  const step = (count & (count - 1)) === 0 ? count : 1;
  // No frame below the zone's hint is free: of a sub-section that is handed out page by page, the front is passed over.
  for (let at = Math.ceil((pfn - first) / step) * step; at + count <= sparse.ppss; at += step) if (allFree(k, first + at, count, nid, zone)) return first + at;
  return -1;
}

function allFree(k: Kernel, pfn: number, count: number, nid: number, zone: number): boolean {
  for (let at = pfn; at < pfn + count; at += 1) {
    const word = pageLoad(k, at, PAGE.links, 'rmqueue');
    if (linksType(word) !== TYPE.buddy || linksZone(word) !== zone || linksNode(word) !== nid) return false;
  }
  return true;
}

/**
 * Takes free frames out of the allocator's hands. Where they are the first ones at the hint, it moves past them; in an explored machine
 * past whole sub-sections only, since where it stands would tell states apart that are the same.
 */
function take(k: Kernel, pfn: number, count: number, nid: number, zone: number, migrate: number): void {
  k.zones.add(nid, zone, 'free', -count);
  if (pageblockMigratetype(k, pfn) !== migrate) setMigratetype(k, pfn - (pfn % k.sparse.ppss), k.sparse.ppss, migrate);
  if (count < k.sparse.ppss) k.heap.add(makeTable(k, pfn), -count);
  if ((count >= k.sparse.ppss || !k.concurrent) && k.zones.get(nid, zone, 'hint') === pfn) k.zones.set(nid, zone, 'hint', pfn + count);
}

/**
 * Frames for the kernel itself: `count` (at most a sub-section) consecutive ones. -1 when no node has them.
 * They are unmovable: slab, page tables, memmap and the like by `type`.
 */
export function allocContigKernel(k: Kernel, nid: number, count: number, type: number): number {
  for (const [node, zone] of zonelist(k, nid, 'kernel', false)) {
    const pfn = findFree(k, node, zone, count, MIGRATE.unmovable);
    if (pfn < 0) continue;
    take(k, pfn, count, node, zone, MIGRATE.unmovable);
    fillPages(k, pfn, count, kernelTemplate(k, zone, node, type));
    return pfn;
  }
  return -1;
}

/** Gives frames of allocContigKernel back. */
export const freeKernel = (k: Kernel, pfn: number, count: number): void => freePages(k, pfn, count);

export interface AllocInput {
  readonly nid: number;
  /** 0 for a page; a folio otherwise. At most the order of a sub-section. */
  readonly order: number;
  readonly gfp: Gfp;
  /** Only from this node (__GFP_THISNODE). */
  readonly thisNode?: boolean;
  /** PG_ bits of the new page. */
  readonly flags?: number;
  readonly type?: number;
  readonly mapping?: number;
  readonly index?: number;
}

/** alloc_pages / folio_alloc: a page or folio with one reference; its first pfn, or -1. */
export function allocPages(k: Kernel, input: AllocInput): number {
  if (!k.mayAllocate()) return -1;
  const count = 2 ** input.order;
  const migrate = input.gfp === 'movable' ? MIGRATE.movable : MIGRATE.unmovable;
  for (const [node, zone] of zonelist(k, input.nid, input.gfp, input.thisNode ?? false)) {
    const pfn = findFree(k, node, zone, count, migrate);
    if (pfn < 0) continue;
    take(k, pfn, count, node, zone, migrate);
    initFolio(k, pfn, input, zone, node);
    return pfn;
  }
  return -1;
}

/** prep_new_page and prep_compound_page. */
function initFolio(k: Kernel, pfn: number, input: AllocInput, zone: number, nid: number): void {
  const count = 2 ** input.order;
  const words = {
    [PAGE.flags]: (input.flags ?? 0) | (input.order > 0 ? PG.head : 0),
    [PAGE.links]: links(zone, nid, input.order, input.type ?? TYPE.none),
    [PAGE.refcount]: 1,
    [PAGE.mapping]: input.mapping ?? 0,
    [PAGE.index]: input.index ?? 0,
  };
  if (count === k.sparse.ppss) {
    fillRecord(k, pfn, words);
    return;
  }
  for (let at = 0; at < count; at += 1) {
    const tail = at > 0;
    for (let word = 0; word < PAGE.words; word += 1) {
      let value = (words as Readonly<Record<number, number>>)[word] ?? 0;
      if (tail && word === PAGE.flags) value = (value & ~PG.head) | PG.tail;
      if (tail && word === PAGE.refcount) value = 0;
      if (word === PAGE.index) value += at;
      pageStore(k, pfn + at, word, value, 'prep_new_page');
    }
  }
}

/** Frees `count` frames that nobody references any more (__free_pages). Poisoned ones stay out of the allocator. */
export function freePages(k: Kernel, pfn: number, count: number): void {
  const { sparse } = k;
  for (let at = pfn; at < pfn + count;) {
    const part = Math.min(pfn + count - at, sparse.ppss - (at % sparse.ppss));
    freeWithin(k, at, part);
    at += part;
  }
}

function freeWithin(k: Kernel, pfn: number, count: number): void {
  const { sparse, heap } = k;
  const where = 'free_pages';
  const zone = pageZone(k, pfn, where);
  const nid = pageNode(k, pfn, where);
  const migrate = pageblockMigratetype(k, pfn);
  if (count === sparse.ppss && tableOf(k, pfn) === 0 && (pageLoad(k, pfn, PAGE.flags, where) & PG.hwpoison) === 0) {
    fillPages(k, pfn, count, buddyTemplate(k, zone, nid, migrate));
    if (migrate !== MIGRATE.isolate) k.zones.add(nid, zone, 'free', count);
  } else {
    const table = makeTable(k, pfn);
    for (let at = pfn; at < pfn + count; at += 1) {
      if ((pageLoad(k, at, PAGE.flags, where) & PG.hwpoison) !== 0) continue;
      const base = table + 1 + (at % sparse.ppss) * PAGE.words;
      for (let word = 0; word < PAGE.words; word += 1) heap.store(base + word, word === PAGE.links ? links(zone, nid, 0, TYPE.buddy) : 0);
      heap.add(table, 1);
      if (migrate !== MIGRATE.isolate) k.zones.add(nid, zone, 'free', 1);
    }
    if (heap.load(table) === sparse.ppss) fillPages(k, pfn - (pfn % sparse.ppss), sparse.ppss, buddyTemplate(k, zone, nid, migrate));
  }
  if (pfn < k.zones.get(nid, zone, 'hint')) k.zones.set(nid, zone, 'hint', pfn - (pfn % sparse.ppss));
}

/** Whether the frame is in the allocator's hands. */
export const isFree = (k: Kernel, pfn: number, where: string): boolean => linksType(pageLoad(k, pfn, PAGE.links, where)) === TYPE.buddy;

/** Frees the folio whose last reference has gone. */
export const freeFolio = (k: Kernel, head: number): void => freePages(k, head, 2 ** pageOrder(k, head, 'free_folio'));
