/**
 * The part of the resource tree that is System RAM (kernel/resource.c, 5.10 to 7.2): what is given back piece by piece,
 * merged, and walked by online and offline.
 */
import type { Kernel } from './kernel.ts';
import {
  allocResource, findResource, freeResource, IORESOURCE_BUSY, IORESOURCE_SYSRAM_MERGEABLE, IORESOURCE_SYSTEM_RAM, releaseResource, RES, resourceEnd, resourceFlags, resourceName,
  resourceStart, walkResources,
} from './resource.ts';
import { storeLong } from './state/long.ts';

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
