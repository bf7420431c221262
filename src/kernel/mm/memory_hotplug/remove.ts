/** remove_memory and offline_and_remove_memory (mm/memory_hotplug.c; 5.10 to 7.2, 5.2 where a mechanism says so). */
import { EBUSY } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { bug } from '../../oops.ts';
import { hex16, KERN_WARNING } from '../../printk.ts';
import { AT, type Path } from '../../state/path.ts';
import { releaseMemRegionAdjustable } from '../../resource.ts';
import { blockOffline, blockOnline } from '../../drivers/base/block-state.ts';
import { blockAltmap, blockNid, blockNodes, blocksIn, blockState, blockZone, MEM, memoryBlocks } from '../../drivers/base/memory.ts';
import { ZONE } from '../page-template.ts';
import { checkHotplugMemoryRange, removeSelfHosted } from './add.ts';
import { lockDeviceHotplug, memHotplugBegin, memHotplugDone, MMOP, unlockDeviceHotplug } from './hotplug.ts';
import { removePages } from './remove-pages.ts';
import { tryOfflineNode } from './try-offline-node.ts';

/** check_memblock_offlined_cb over the range: -EBUSY and one line for the first block that is not offline. */
function checkOfflined(k: Kernel, start: number, size: number): number {
  for (const id of blocksIn(k, start, size)) {
    const state = blockState(k, id);
    if (state === MEM.absent || state === MEM.offline) continue;
    const from = id * k.geo.memoryBlockSize;
    k.log.write(KERN_WARNING, `removing memory fails, because memory [${hex16(from)}-${hex16(from + k.geo.memoryBlockSize - 1)}] is onlined`);
    return -EBUSY;
  }
  return 0;
}

/** Nodes that show a block of the range. */
function nodesOf(k: Kernel, start: number, size: number): number[] {
  const nids = new Set<number>();
  for (const id of blocksIn(k, start, size)) {
    const block = memoryBlocks(k).find(id);
    if (block === 0) continue;
    for (const nid of blockNodes(k, block)) nids.add(nid);
    if (blockNid(k, block) >= 0) nids.add(blockNid(k, block));
  }
  return [...nids];
}

/** try_remove_memory: -EBUSY while a block is online, and nothing has changed then. device_hotplug_lock is held. */
export function* tryRemoveMemory(k: Kernel, start = 0, size = 0): Path<number> {
  const wrong = checkHotplugMemoryRange(k, start, size);
  if (wrong < 0) return wrong;
  const online = checkOfflined(k, start, size);
  if (online < 0) {
    if (k.mechanism('ram.remove-memory-online') === 'bug') bug(k, '__remove_memory', 'mm/memory_hotplug.c');
    return online;
  }
  const nids = nodesOf(k, start, size);
  const first = memoryBlocks(k).find(start / k.geo.memoryBlockSize);
  if (k.concurrent) yield AT('try_remove_memory: remove_memory_block_devices');
  if (first !== 0 && blockAltmap(k, first) !== 0) {
    yield* memHotplugBegin(k);
    removeSelfHosted(k, start, size);
  } else {
    for (const id of blocksIn(k, start, size)) memoryBlocks(k).remove(id);
    yield* memHotplugBegin(k);
    removePages(k, start / k.geo.pageSize, size / k.geo.pageSize, 0);
  }
  const left = releaseMemRegionAdjustable(k, start, size);
  if (left < 0) k.log.write(KERN_WARNING, `Unable to release resource <${hex16(start)}-${hex16(start + size - 1)}> (${left})`);
  for (const nid of nids) tryOfflineNode(k, nid);
  memHotplugDone(k);
  return 0;
}

/** remove_memory: 0, or -EBUSY while a block of the range is online. */
export function* removeMemory(k: Kernel, start = 0, size = 0): Path<number> {
  yield* lockDeviceHotplug(k);
  const ret = yield* k.call(tryRemoveMemory, start, size);
  unlockDeviceHotplug(k);
  return ret;
}

/**
 * offline_and_remove_memory (5.8 on): offlines what is online, removes, and puts every block back as it was when one
 * refuses. `task`: as in offlinePages.
 */
export function* offlineAndRemoveMemory(k: Kernel, start = 0, size = 0, task = 0): Path<number> {
  yield* lockDeviceHotplug(k);
  const undo: (readonly [number, number])[] = [];
  let ret = 0;
  for (const id of blocksIn(k, start, size)) {
    const mmop = onlineTypeOf(k, id);
    ret = yield* k.call(blockOffline, id, task);
    if (ret < 0) break;
    if (ret === 0) undo.push([id, mmop]);
  }
  if (ret >= 0) ret = yield* k.call(tryRemoveMemory, start, size);
  if (ret < 0) for (const [id, mmop] of undo) yield* k.call(blockOnline, id, mmop);
  unlockDeviceHotplug(k);
  return ret;
}

/** try_offline_memory_block remembers how a block was online: kernel or movable zone. */
export function onlineTypeOf(k: Kernel, id: number): number {
  const block = memoryBlocks(k).find(id);
  return block !== 0 && blockZone(k, block) === ZONE.movable ? MMOP.onlineMovable : MMOP.onlineKernel;
}
