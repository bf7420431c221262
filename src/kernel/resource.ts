/**
 * The physical address map of /proc/iomem: a tree of resources as kernel/resource.c keeps it (6.12; the rules used here
 * are the same from 5.2 to 7.2). Bounds are inclusive bytes, as in the kernel: `end` is the last byte.
 */
import type { Kernel } from './kernel.ts';
import { loadLong, storeLong } from './state/long.ts';
import { Slab } from './state/slab.ts';

/** Words of one `struct resource`. */
export const RES = { start: 0, end: 2, name: 4, flags: 5, parent: 6, sibling: 7, child: 8, words: 9 } as const;

export const IORESOURCE_BUSY = 1;
export const IORESOURCE_SYSTEM_RAM = 2;
export const IORESOURCE_MEM = 4;
export const IORESOURCE_EXCLUSIVE = 8;
export const IORESOURCE_SYSRAM_DRIVER_MANAGED = 16;
export const IORESOURCE_SYSRAM_MERGEABLE = 32;

export class Resources {
  readonly slab: Slab;
  /** `iomem_resource`. */
  readonly root: number;

  constructor(k: Kernel) {
    this.slab = new Slab(k.heap, 'resource', RES.words);
    this.root = this.slab.alloc();
    storeLong(k.heap, this.root + RES.end, 2 ** 52 - 1);
    k.heap.store(this.root + RES.name, k.names.of('PCI mem'));
  }
}

export interface ResourceView {
  readonly start: number;
  /** Last byte, inclusive. */
  readonly end: number;
  readonly name: string;
  readonly depth: number;
  readonly address: number;
}

export const resourceStart = (k: Kernel, res: number): number => loadLong(k.heap, res + RES.start);
export const resourceEnd = (k: Kernel, res: number): number => loadLong(k.heap, res + RES.end);
export const resourceSize = (k: Kernel, res: number): number => resourceEnd(k, res) - resourceStart(k, res) + 1;
export const resourceName = (k: Kernel, res: number): string => k.names.text(k.heap.load(res + RES.name));
export const resourceFlags = (k: Kernel, res: number): number => k.heap.load(res + RES.flags);

/** A resource that is in no tree yet; 0 when the allocation fails. */
export function allocResource(k: Kernel, start: number, end: number, name: string, flags: number): number {
  if (!k.mayAllocate()) return 0;
  const res = k.resources.slab.alloc();
  storeLong(k.heap, res + RES.start, start);
  storeLong(k.heap, res + RES.end, end);
  k.heap.store(res + RES.name, k.names.of(name));
  k.heap.store(res + RES.flags, flags);
  return res;
}

export const freeResource = (k: Kernel, res: number): void => k.resources.slab.free(res);

/** __request_resource: puts `added` among the children of `root`; the resource in the way, or 0. */
export function requestResourceConflict(k: Kernel, root: number, added: number): number {
  const { heap } = k;
  const start = loadLong(heap, added + RES.start);
  const end = loadLong(heap, added + RES.end);
  if (end < start || start < loadLong(heap, root + RES.start) || end > loadLong(heap, root + RES.end)) return root;
  let link = root + RES.child;
  for (;;) {
    const next = heap.load(link);
    if (next === 0 || loadLong(heap, next + RES.start) > end) {
      heap.store(added + RES.sibling, next);
      heap.store(link, added);
      heap.store(added + RES.parent, root);
      return 0;
    }
    link = next + RES.sibling;
    if (loadLong(heap, next + RES.end) >= start) return next;
  }
}

/** __request_region: goes down into resources that are not busy; 0 when a busy one is in the way or memory is short. */
export function requestRegion(k: Kernel, start: number, size: number, name: string, flags = 0, parent: number = k.resources.root): number {
  const res = allocResource(k, start, start + size - 1, name, IORESOURCE_BUSY | IORESOURCE_MEM | flags);
  if (res === 0) return 0;
  let under = parent;
  for (;;) {
    const conflict = requestResourceConflict(k, under, res);
    if (conflict === 0) return res;
    const around = conflict !== under && resourceStart(k, conflict) <= start && resourceEnd(k, conflict) >= start + size - 1;
    if (!around || (resourceFlags(k, conflict) & IORESOURCE_BUSY) !== 0) {
      freeResource(k, res);
      return 0;
    }
    under = conflict;
  }
}

/** release_resource: takes `res` with its children out of the tree and frees it; false where it is in none. */
export function releaseResource(k: Kernel, res: number): boolean {
  const { heap } = k;
  const parent = heap.load(res + RES.parent);
  if (parent === 0) return false;
  let link = parent + RES.child;
  while (heap.load(link) !== res) {
    if (heap.load(link) === 0) return false;
    link = heap.load(link) + RES.sibling;
  }
  heap.store(link, heap.load(res + RES.sibling));
  freeResource(k, res);
  return true;
}

/** insert_resource: like a request, but what lies wholly inside `added` becomes its child. 0, or the one in the way. */
export function insertResource(k: Kernel, root: number, added: number): number {
  let under = root;
  const start = resourceStart(k, added);
  const end = resourceEnd(k, added);
  for (;;) {
    const first = requestResourceConflict(k, under, added);
    if (first === 0) return 0;
    if (first === under) return first;
    const around = resourceStart(k, first) <= start && resourceEnd(k, first) >= end;
    if (around && !(resourceStart(k, first) === start && resourceEnd(k, first) === end)) {
      under = first;
      continue;
    }
    return insertAround(k, under, first, added);
  }
}

/** Makes `first` and all after it that lie inside `added` its children; the one that lies half outside, or 0. */
function insertAround(k: Kernel, under: number, first: number, added: number): number {
  const { heap } = k;
  const start = resourceStart(k, added);
  const end = resourceEnd(k, added);
  let last = first;
  for (;;) {
    if (resourceStart(k, last) < start || resourceEnd(k, last) > end) return last;
    const next = heap.load(last + RES.sibling);
    if (next === 0 || resourceStart(k, next) > end) break;
    last = next;
  }
  let link = under + RES.child;
  while (heap.load(link) !== first) link = heap.load(link) + RES.sibling;
  heap.store(added + RES.parent, under);
  heap.store(added + RES.sibling, heap.load(last + RES.sibling));
  heap.store(added + RES.child, first);
  heap.store(last + RES.sibling, 0);
  for (let child = first; child !== 0; child = heap.load(child + RES.sibling)) heap.store(child + RES.parent, added);
  heap.store(link, added);
  return 0;
}

/** __release_region: the busy resource with exactly these bounds, wherever it lies. False where there is none. */
export function releaseRegion(k: Kernel, start: number, size: number): boolean {
  const found = findResource(k, (view) => view.start === start && view.end === start + size - 1 && (resourceFlags(k, view.address) & IORESOURCE_BUSY) !== 0);
  return found !== 0 && releaseResource(k, found);
}

/** Depth first, in address order; the root itself is not shown. */
export function* walkResources(k: Kernel): Generator<ResourceView> {
  function* under(parent: number, depth: number): Generator<ResourceView> {
    for (let res = k.heap.load(parent + RES.child); res !== 0; res = k.heap.load(res + RES.sibling)) {
      yield { start: resourceStart(k, res), end: resourceEnd(k, res), name: resourceName(k, res), depth, address: res };
      yield* under(res, depth + 1);
    }
  }
  yield* under(k.resources.root, 0);
}

export function findResource(k: Kernel, fits: (view: ResourceView) => boolean): number {
  for (const view of walkResources(k)) if (fits(view)) return view.address;
  return 0;
}

/** What /proc/iomem prints. */
export const iomemText = (k: Kernel): string =>
  [...walkResources(k)].map((r) => `${'  '.repeat(r.depth)}${r.start.toString(16).padStart(8, '0')}-${r.end.toString(16).padStart(8, '0')} : ${r.name}\n`).join('');

export { mergeSystemRam, regionIntersectsRam, releaseMemRegionAdjustable, walkSystemRam, type RegionKind } from './resource-ram.ts';
