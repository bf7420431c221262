/** add_memory and what it is made of (mm/memory_hotplug.c, drivers/base/memory.c; 5.10 to 7.2, 5.2 where said). */
import { EEXIST, EINVAL, ENOMEM } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { KERN_ERR, hex } from '../../printk.ts';
import { AT, type Path } from '../../state/path.ts';
import {
  allocResource, freeResource, IORESOURCE_BUSY, IORESOURCE_MEM, IORESOURCE_SYSRAM_DRIVER_MANAGED, IORESOURCE_SYSTEM_RAM, mergeSystemRam, releaseResource,
  requestResourceConflict, RES, resourceEnd, resourceStart,
} from '../../resource.ts';
import { blockOnline } from '../../drivers/base/block-state.ts';
import { blockAltmap, blocksIn, MEM, memoryBlocks } from '../../drivers/base/memory.ts';
import { addBlockNid } from '../../drivers/base/node.ts';
import { sparseAddSection } from '../sparse.ts';
import { allocAltmap, freeAltmap, memmapPages } from '../sparse-vmemmap.ts';
import { hotplug, lockDeviceHotplug, memHotplugBegin, memHotplugDone, unlockDeviceHotplug } from './hotplug.ts';
import { removePages } from './remove-pages.ts';
import { tryOfflineNode } from './try-offline-node.ts';

/** mhp_t flags. */
export const MHP = { none: 0, mergeResource: 1, memmapOnMemory: 2 } as const;

/** check_hotplug_memory_range: whole memory blocks only. */
export function checkHotplugMemoryRange(k: Kernel, start: number, size: number): number {
  const unit = k.geo.memoryBlockSize;
  if (size > 0 && start % unit === 0 && size % unit === 0) return 0;
  k.log.write(KERN_ERR, `Block size [${hex(unit)}] unaligned hotplug range: start ${hex(start)}, size ${hex(size)}`);
  return -EINVAL;
}

/**
 * __add_pages: memmap for [pfn, pfn + count), section by section, ragged ends by sub-sections. Where one fails the error
 * is returned; what was added before stays unless this kernel reverts it (`section.add-pages-reverts`).
 */
export function addPages(k: Kernel, nid: number, pfn: number, count: number, altmap: number): number {
  for (let at = pfn; at < pfn + count;) {
    const part = Math.min(pfn + count - at, k.sparse.pps - (at % k.sparse.pps));
    const ret = sparseAddSection(k, nid, at, part, altmap);
    // 5.2 leaves a section that is there already to the resource tree, which knows who came first.
    if (ret < 0 && !(ret === -EEXIST && k.mechanism('section.hotplug-unit') === 'section')) {
      if (k.mechanism('section.add-pages-reverts')) removePages(k, pfn, at - pfn, altmap);
      return ret;
    }
    at += part;
  }
  return 0;
}

/** create_memory_block_devices: blocks for the range, all or none. */
function createMemoryBlockDevices(k: Kernel, nid: number, start: number, size: number, altmap: number): number {
  const blocks = memoryBlocks(k);
  const made: number[] = [];
  for (const id of blocksIn(k, start, size)) {
    const block = blocks.add(id, nid, MEM.offline, altmap);
    if (block < 0) {
      for (const done of made) blocks.remove(done);
      return block;
    }
    made.push(id);
  }
  return 0;
}

/** Memory with a memmap in RAM: arch_add_memory, then the blocks. */
function addPlain(k: Kernel, nid: number, start: number, size: number): number {
  const pfn = start / k.geo.pageSize;
  const count = size / k.geo.pageSize;
  const added = addPages(k, nid, pfn, count, 0);
  if (added < 0) return added;
  const made = createMemoryBlockDevices(k, nid, start, size, 0);
  if (made < 0) removePages(k, pfn, count, 0);
  return made;
}

/** create_altmaps_and_memory_blocks: each block holds its own memmap; all or none. */
function addSelfHosted(k: Kernel, nid: number, start: number, size: number): number {
  const count = k.geo.pagesPerBlock;
  for (let at = start; at < start + size; at += k.geo.memoryBlockSize) {
    const pfn = at / k.geo.pageSize;
    const altmap = allocAltmap(k, { base: pfn, end: pfn + count - 1, reserve: 0, free: memmapPages(k, count) });
    const added = altmap === 0 ? -ENOMEM : addPages(k, nid, pfn, count, altmap);
    const made = added < 0 ? added : createMemoryBlockDevices(k, nid, at, k.geo.memoryBlockSize, altmap);
    if (made === 0) continue;
    if (added === 0) removePages(k, pfn, count, altmap);
    if (altmap !== 0) freeAltmap(k, altmap);
    removeSelfHosted(k, start, at - start);
    return made;
  }
  return 0;
}

/** remove_memory_blocks_and_altmaps. */
export function removeSelfHosted(k: Kernel, start: number, size: number): void {
  for (const id of size > 0 ? blocksIn(k, start, size) : []) {
    const altmap = blockAltmap(k, memoryBlocks(k).find(id));
    memoryBlocks(k).remove(id);
    removePages(k, id * k.geo.pagesPerBlock, k.geo.pagesPerBlock, altmap);
    freeAltmap(k, altmap);
  }
}

/** mhp_supports_memmap_on_memory, with the parameter memory_hotplug.memmap_on_memory. */
export function supportsMemmapOnMemory(k: Kernel, size: number): boolean {
  const way = k.mechanism('ram.memmap-on-memory');
  if (way === 'none' || k.heap.load(hotplug(k).memmapOnMemory) === 0) return false;
  return way === 'per-block' || size === k.geo.memoryBlockSize;
}

/** add_memory_resource: memmap, blocks, node; online where auto_online_blocks says so. device_hotplug_lock is held. */
export function* addMemoryResource(k: Kernel, nid = 0, res = 0, flags = 0): Path<number> {
  const start = resourceStart(k, res);
  const size = resourceEnd(k, res) + 1 - start;
  const wrong = checkHotplugMemoryRange(k, start, size);
  if (wrong < 0) return wrong;
  if (nid < 0 || nid >= k.nodes) {
    k.log.write(KERN_ERR, `node ${nid} was absent from the node_possible_map`);
    return -EINVAL;
  }
  yield* memHotplugBegin(k);
  const newNode = !k.zones.nodeOnline(nid);
  if (newNode) {
    if (!k.mayAllocate()) {
      memHotplugDone(k);
      return -ENOMEM;
    }
    k.zones.setNodeOnline(nid, true);
    k.zones.setNodeSpan(nid, 0, 0);
  }
  if (k.concurrent) yield AT('add_memory_resource: arch_add_memory');
  const selfHosted = (flags & MHP.memmapOnMemory) !== 0 && supportsMemmapOnMemory(k, size);
  const added = selfHosted ? addSelfHosted(k, nid, start, size) : addPlain(k, nid, start, size);
  if (added < 0) {
    if (newNode) tryOfflineNode(k, nid);
    memHotplugDone(k);
    return added;
  }
  for (const id of blocksIn(k, start, size)) addBlockNid(k, id, memoryBlocks(k).find(id), nid, false);
  memHotplugDone(k);
  if ((flags & MHP.mergeResource) !== 0) mergeSystemRam(k, res);
  const auto = k.heap.load(hotplug(k).autoOnline);
  if (auto !== 0) for (const id of blocksIn(k, start, size)) yield* k.call(blockOnline, id, auto);
  return 0;
}

/**
 * register_memory_resource, then add_memory_resource; the resource goes again when that fails. `name`: interned. 0,
 * -EEXIST where something else is there, -EINVAL, -ENOMEM.
 */
export function* addMemoryNamed(k: Kernel, nid = 0, start = 0, size = 0, name = 0, flags = 0): Path<number> {
  const text = k.names.text(name);
  const managed = text === 'System RAM' ? 0 : IORESOURCE_SYSRAM_DRIVER_MANAGED;
  const res = allocResource(k, start, start + size - 1, text, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY | IORESOURCE_MEM | managed);
  if (res === 0) return -ENOMEM;
  const under = findParent(k, start, size);
  if (requestResourceConflict(k, under, res) !== 0) {
    freeResource(k, res);
    return -EEXIST;
  }
  const ret = yield* k.call(addMemoryResource, nid, res, flags);
  if (ret < 0) releaseResource(k, res);
  return ret;
}

/** request_region goes down into what is not busy and holds the range whole (a driver's own region). */
function findParent(k: Kernel, start: number, size: number): number {
  let under = k.resources.root;
  for (;;) {
    const probe = childAround(k, under, start, start + size - 1);
    if (probe === 0) return under;
    under = probe;
  }
}

function childAround(k: Kernel, parent: number, start: number, end: number): number {
  for (let res = k.heap.load(parent + RES.child); res !== 0; res = k.heap.load(res + RES.sibling)) {
    const around = resourceStart(k, res) <= start && resourceEnd(k, res) >= end;
    if (around && (k.heap.load(res + RES.flags) & IORESOURCE_BUSY) === 0) return res;
  }
  return 0;
}

/** add_memory, by firmware: `System RAM`. */
export function* addMemory(k: Kernel, nid = 0, start = 0, size = 0, flags = 0): Path<number> {
  yield* lockDeviceHotplug(k);
  const ret = yield* k.call(addMemoryNamed, nid, start, size, k.names.of('System RAM'), flags);
  unlockDeviceHotplug(k);
  return ret;
}

/** add_memory_driver_managed (5.8 on): `System RAM (kmem)`. Kernels before it add plain System RAM. */
export function* addMemoryDriverManaged(k: Kernel, nid = 0, start = 0, size = 0, name = 0, flags = 0): Path<number> {
  yield* lockDeviceHotplug(k);
  const ret = yield* k.call(addMemoryNamed, nid, start, size, k.mechanism('ram.driver-managed') ? name : k.names.of('System RAM'), flags);
  unlockDeviceHotplug(k);
  return ret;
}
