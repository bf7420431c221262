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

/**
 * release_mem_region_adjustable: takes [start, start + size) out of the System RAM resource around it, splitting it
 * where needed. -ENOMEM or -EINVAL leave the tree as it was (and the caller only warns).
 */
export function releaseMemRegionAdjustable(k: Kernel, start: number, size: number): number {
  const { heap } = k;
  const end = start + size - 1;
  const res = findResource(k, (view) => view.start <= start && view.end >= end && isBusyRam(k, view.address));
  if (res === 0) return -22;
  const first = resourceStart(k, res);
  const last = resourceEnd(k, res);
  if (first === start && last === end) {
    releaseResource(k, res);
    return 0;
  }
  if (first !== start && last !== end) {
    const tail = allocResource(k, end + 1, last, resourceName(k, res), resourceFlags(k, res));
    if (tail === 0) return -12;
    heap.store(tail + RES.parent, heap.load(res + RES.parent));
    heap.store(tail + RES.sibling, heap.load(res + RES.sibling));
    heap.store(res + RES.sibling, tail);
  }
  if (first === start) storeLong(heap, res + RES.start, end + 1);
  else storeLong(heap, res + RES.end, start - 1);
  return 0;
}

/** merge_system_ram_resource: neighbours that may be merged become one (since 5.10). */
export function mergeSystemRam(k: Kernel, res: number): void {
  const { heap } = k;
  const parent = heap.load(res + RES.parent);
  heap.store(res + RES.flags, heap.load(res + RES.flags) | IORESOURCE_SYSRAM_MERGEABLE);
  for (let cur = heap.load(parent + RES.child); cur !== 0;) {
    const next = heap.load(cur + RES.sibling);
    if (next !== 0 && mergeable(k, cur, next)) {
      storeLong(heap, cur + RES.end, resourceEnd(k, next));
      heap.store(cur + RES.sibling, heap.load(next + RES.sibling));
      freeResource(k, next);
    } else cur = next;
  }
}

function mergeable(k: Kernel, a: number, b: number): boolean {
  const { heap } = k;
  const mine = resourceFlags(k, a);
  return (mine & IORESOURCE_SYSRAM_MERGEABLE) !== 0 && mine === resourceFlags(k, b) && resourceEnd(k, a) + 1 === resourceStart(k, b)
    && heap.load(a + RES.child) === 0 && heap.load(b + RES.child) === 0 && heap.load(a + RES.name) === heap.load(b + RES.name);
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

export type RegionKind = 'disjoint' | 'intersects' | 'mixed';

/** region_intersects over System RAM (kernel/resource.c): does [start, start + size) hold none, only, or some of it? */
export function regionIntersectsRam(k: Kernel, start: number, size: number): RegionKind {
  const end = start + size - 1;
  let ram = 0;
  let other = 0;
  for (let res = k.heap.load(k.resources.root + RES.child); res !== 0; res = k.heap.load(res + RES.sibling)) {
    if (resourceStart(k, res) > end || resourceEnd(k, res) < start) continue;
    if ((resourceFlags(k, res) & IORESOURCE_SYSTEM_RAM) !== 0) ram += 1;
    else other += 1;
  }
  if (ram === 0) return 'disjoint';
  return other === 0 ? 'intersects' : 'mixed';
}

/** RAM that was added, not a driver's region that is marked so that RAM can be added inside it (kmem). */
const isBusyRam = (k: Kernel, res: number): boolean => (resourceFlags(k, res) & (IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY)) === (IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY);

/** Calls `visit` with each System RAM range in [start, end), clipped to it; stops when it returns false. */
export function walkSystemRam(k: Kernel, start: number, end: number, visit: (start: number, end: number) => boolean): void {
  for (const view of walkResources(k)) {
    if (!isBusyRam(k, view.address)) continue;
    const from = Math.max(view.start, start);
    const to = Math.min(view.end + 1, end);
    if (from < to && !visit(from, to)) return;
  }
}
