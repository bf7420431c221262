/**
 * /sys/bus/dax/devices/daxX.Y/state (drivers/dax/kmem.c, Documentation/ABI/testing/sysfs-bus-dax, 7.3-rc1, from the
 * series <20260712154505.3564379-1-gourry@gourry.net>): the whole device goes, or none of it.
 *
 * Read: `unplugged`, `offline`, `online`, `online_kernel`, `online_movable`. Written: `unplugged` from any other state,
 * one of the three online words from `unplugged` only.
 */
import { rangeSize, type PhysRange } from '../../../range/phys-range.ts';
import { EBUSY, EINVAL, ENODEV } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { MMOP } from '../../mm/memory_hotplug/hotplug.ts';
import { lockDeviceHotplug, unlockDeviceHotplug } from '../../mm/memory_hotplug/hotplug.ts';
import { onlineTypeOf, tryRemoveMemory } from '../../mm/memory_hotplug/remove.ts';
import { releaseResource } from '../../resource.ts';
import type { Path } from '../../state/path.ts';
import { ZONE } from '../../mm/page-template.ts';
import { blockOffline, blockOnline } from '../base/block-state.ts';
import { blocksIn, blockState, blockZone, MEM, memoryBlocks } from '../base/memory.ts';
import { deviceDriver, driverCore } from '../base/bus.ts';
import { DEV_DAX, kmemOf } from './dev_dax.ts';
import { addRanges, DAX_KMEM, kmemRange } from './kmem.ts';

/** What a write may ask for; MMOP.* and, beside them, `unplugged`. */
export const UNPLUGGED = -2;

const isKmem = (k: Kernel, dev: number): boolean => deviceDriver(k, dev) !== 0 && driverCore(k).driver(deviceDriver(k, dev)) === DAX_KMEM;

function ranges(k: Kernel, dev: number): PhysRange[] {
  const dax = kmemOf(k, dev);
  const regions = k.heap.load(dax + DEV_DAX.kmem);
  const found: PhysRange[] = [];
  for (let i = 0; regions !== 0 && i < k.heap.load(dax + DEV_DAX.nrRange); i += 1) if (k.heap.load(regions + i) !== 0) found.push(kmemRange(k, dev, i));
  return found;
}

const blocksOf = (k: Kernel, dev: number): number[] => ranges(k, dev).flatMap((range) => [...blocksIn(k, range.start, rangeSize(range))]);

/** What the file reads; null where the kernel has no such file or the device is not bound to kmem. */
export function kmemState(k: Kernel, dev: number): string | null {
  if (!k.mechanism('ram.whole-device-state') || !isKmem(k, dev)) return null;
  const blocks = blocksOf(k, dev);
  if (blocks.length === 0) return 'unplugged';
  const online = blocks.filter((id) => blockState(k, id) === MEM.online);
  if (online.length < blocks.length) return online.length === 0 ? 'offline' : 'mixed';
  return online.every((id) => blockZone(k, memoryBlocks(k).find(id)) === ZONE.movable) ? 'online_movable' : 'online';
}

/** A write to the file: 0, -ENODEV without it, -EINVAL for a word or a step that is not allowed, or what offlining says. */
export function* kmemStateStore(k: Kernel, dev = 0, word = 0, task = 0): Path<number> {
  const state = kmemState(k, dev);
  if (state === null) return -ENODEV;
  if (word === UNPLUGGED) return state === 'unplugged' ? 0 : yield* k.call(unplug, dev, task);
  if (state !== 'unplugged' || word < MMOP.online || word > MMOP.onlineMovable) return state === 'unplugged' ? -EINVAL : -EBUSY;
  const added = yield* k.call(addRanges, dev, k.heap.load(kmemOf(k, dev) + DEV_DAX.kmem));
  if (added < 0) return added;
  yield* lockDeviceHotplug(k);
  let ret = 0;
  for (const id of blocksOf(k, dev)) {
    ret = yield* k.call(blockOnline, id, word);
    if (ret < 0) break;
  }
  unlockDeviceHotplug(k);
  return ret < 0 ? ret : 0;
}

/** offline_and_remove_memory_ranges: offlines every block, then removes every range; the first refusal undoes all. */
function* unplug(k: Kernel, dev = 0, task = 0): Path<number> {
  yield* lockDeviceHotplug(k);
  const undo: (readonly [number, number])[] = [];
  let ret = 0;
  for (const id of blocksOf(k, dev)) {
    const mmop = onlineTypeOf(k, id);
    ret = yield* k.call(blockOffline, id, task);
    if (ret < 0) break;
    if (ret === 0) undo.push([id, mmop]);
  }
  if (ret >= 0) ret = yield* k.call(removeRanges, dev);
  if (ret < 0) for (const [id, mmop] of undo) yield* k.call(blockOnline, id, mmop);
  unlockDeviceHotplug(k);
  return ret;
}

function* removeRanges(k: Kernel, dev = 0): Path<number> {
  const dax = kmemOf(k, dev);
  const regions = k.heap.load(dax + DEV_DAX.kmem);
  for (let i = 0; i < k.heap.load(dax + DEV_DAX.nrRange); i += 1) {
    const res = k.heap.load(regions + i);
    if (res === 0) continue;
    const range = kmemRange(k, dev, i);
    const ret = yield* k.call(tryRemoveMemory, range.start, rangeSize(range));
    if (ret < 0) return ret;
    releaseResource(k, res);
    k.heap.store(regions + i, 0);
  }
  return 0;
}
