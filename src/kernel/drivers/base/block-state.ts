/**
 * Blocks go online and offline (drivers/base/memory.c: state_store, memory_subsys_online/offline, memory_block_online,
 * memory_block_offline; 5.10 to 7.2).
 */
import { EINVAL } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { AT, type Path } from '../../state/path.ts';
import { MMOP, lockDeviceHotplug, memHotplugBegin, memHotplugDone, unlockDeviceHotplug } from '../../mm/memory_hotplug/hotplug.ts';
import { offlinePages, testPagesInAZone } from '../../mm/memory_hotplug/offline.ts';
import { onlinePages } from '../../mm/memory_hotplug/online.ts';
import { defaultKernelZone, movePfnRangeToZone, removePfnRangeFromZone, zoneForPfnRange } from '../../mm/memory_hotplug/zone_span.ts';
import { fillPages } from '../../mm/memmap-fill.ts';
import { links, MIGRATE, PG, TYPE, ZONE, ZONE_NAMES } from '../../mm/page-template.ts';
import { onlineMemSections } from '../../mm/sparse.ts';
import { ALTMAP } from '../../mm/sparse-vmemmap.ts';
import { loadLong } from '../../state/long.ts';
import { BLOCK, blockAltmap, blockNid, blockNodes, blockPfn, blockState, blockZone, MEM, memoryBlocks } from './memory.ts';

/** Pages at the start of the block that hold its own memmap (altmap->free). */
const vmemmapPages = (k: Kernel, block: number): number => (blockAltmap(k, block) === 0 ? 0 : loadLong(k.heap, blockAltmap(k, block) + ALTMAP.free));

/** memory_block_online, with mem_hotplug_lock taken inside. */
function* memoryBlockOnline(k: Kernel, id: number, mmop: number): Path<number> {
  const block = memoryBlocks(k).find(id);
  const pfn = blockPfn(k, id);
  const count = k.geo.pagesPerBlock;
  const nid = Math.max(0, blockNid(k, block));
  const zone = zoneForPfnRange(k, mmop, nid, pfn, count);
  const own = vmemmapPages(k, block);
  yield* memHotplugBegin(k);
  if (own > 0) initMemmapOnMemory(k, pfn, own, nid, zone);
  const ret = yield* k.call(onlinePages, pfn + own, count - own, nid, zone);
  if (ret < 0 && own > 0) removePfnRangeFromZone(k, nid, zone, pfn, own);
  if (ret === 0) {
    if (own > 0) k.zones.add(nid, zone, 'present', own);
    k.heap.store(block + BLOCK.zone, zone + 1);
  }
  memHotplugDone(k);
  return ret;
}

/** mhp_init_memmap_on_memory: the first pages of the block are its memmap, PG_vmemmap_self_hosted, nobody's to move. */
function initMemmapOnMemory(k: Kernel, pfn: number, own: number, nid: number, zone: number): void {
  movePfnRangeToZone(k, nid, zone, pfn, own, MIGRATE.unmovable);
  fillPages(k, pfn, own, k.sparse.templates.of([PG.ownerPrivate, links(zone, nid, 0, TYPE.memmap, MIGRATE.unmovable), 1]));
  onlineMemSections(k, pfn - (pfn % k.sparse.pps), pfn + own, true);
}

/** memory_block_offline. */
function* memoryBlockOffline(k: Kernel, id: number, task: number): Path<number> {
  const block = memoryBlocks(k).find(id);
  const pfn = blockPfn(k, id);
  const own = vmemmapPages(k, block);
  const zone = blockZone(k, block);
  const nid = Math.max(0, blockNid(k, block));
  if (k.mechanism('block.one-zone-check') === 'block-zone' && zone < 0) return -EINVAL;
  if (k.mechanism('block.one-node-check') && blockNodes(k, block).length > 1) return -EINVAL;
  yield* memHotplugBegin(k);
  const ret = yield* k.call(offlinePages, pfn + own, k.geo.pagesPerBlock - own, nid, zone, task);
  if (ret === 0) {
    if (own > 0) {
      k.zones.add(nid, zone, 'present', -own);
      onlineMemSections(k, pfn, pfn + own, false);
      removePfnRangeFromZone(k, nid, zone, pfn, own);
    }
    k.heap.store(block + BLOCK.zone, 0);
  }
  memHotplugDone(k);
  return ret;
}

/** memory_block_change_state: the block reads `going-offline` while it tries. */
function* changeState(k: Kernel, id: number, to: number, from: number, mmop: number, task: number): Path<number> {
  const block = memoryBlocks(k).find(id);
  if (block === 0 || k.heap.load(block + BLOCK.state) !== from) return -EINVAL;
  if (to === MEM.offline) k.heap.store(block + BLOCK.state, MEM.goingOffline);
  if (k.concurrent) yield AT('memory_block_change_state');
  const ret = to === MEM.offline ? yield* memoryBlockOffline(k, id, task) : yield* memoryBlockOnline(k, id, mmop);
  k.heap.store(block + BLOCK.state, ret < 0 ? from : to);
  return ret;
}

/** device_online of a memory block: 0, 1 where it was online already, -errno. device_hotplug_lock is held. */
export function* blockOnline(k: Kernel, id = 0, mmop = 0): Path<number> {
  if (blockState(k, id) === MEM.online) return 1;
  return yield* changeState(k, id, MEM.online, MEM.offline, mmop, 0);
}

/** device_offline of a memory block: 0, 1 where it was offline already, -errno. device_hotplug_lock is held. */
export function* blockOffline(k: Kernel, id = 0, task = 0): Path<number> {
  if (blockState(k, id) === MEM.offline) return 1;
  return yield* changeState(k, id, MEM.offline, MEM.online, 0, task);
}

/**
 * A write to /sys/devices/system/memory/memoryN/state. `mmop` is MMOP.*, -1 for a word that is none of them. 0 or -errno:
 * -EINVAL for an unknown word, for a block that already is so, and for every rule that the block breaks.
 */
export function* stateStore(k: Kernel, id = 0, mmop = 0, task = 0): Path<number> {
  if (mmop < 0) return -EINVAL;
  yield* lockDeviceHotplug(k);
  const ret = mmop === MMOP.offline ? yield* k.call(blockOffline, id, task) : yield* k.call(blockOnline, id, mmop);
  unlockDeviceHotplug(k);
  return ret > 0 ? -EINVAL : ret;
}

/** What memoryN/valid_zones prints: the zone of an online block (`none` where it is not one), or the zones it could join. */
export function validZones(k: Kernel, id: number): string {
  const block = memoryBlocks(k).find(id);
  const pfn = blockPfn(k, id);
  const count = k.geo.pagesPerBlock;
  const nid = Math.max(0, blockNid(k, block));
  if (k.heap.load(block + BLOCK.state) === MEM.online) {
    const walked = k.mechanism('block.one-zone-check') === 'page-walk';
    const zone = walked ? testPagesInAZone(k, pfn, count) : blockZone(k, block);
    return zone < 0 || (!walked && blockNodes(k, block).length > 1) ? 'none' : (ZONE_NAMES[zone] as string);
  }
  const usual = zoneForPfnRange(k, MMOP.online, nid, pfn, count);
  const others = [defaultKernelZone(k, nid, pfn, count), ZONE.movable].filter((zone) => zone !== usual);
  return [usual, ...others].map((zone) => ZONE_NAMES[zone]).join(' ');
}
