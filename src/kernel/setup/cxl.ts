/** CXL machines: cards, windows, regions; and what the `cxl` tool does that the kernel does not. */
import { EBUSY } from '../errno.ts';
import { blockOffline } from '../drivers/base/block-state.ts';
import { blocksIn, blockState, MEM } from '../drivers/base/memory.ts';
import { REGION, regionCommitted, regionEnd, regionsOf, regionStart } from '../drivers/cxl/cxl.ts';
import { createMemdev, type MemdevInput } from '../drivers/cxl/mem.ts';
import { commitStore, createRegion, type RegionInput } from '../drivers/cxl/region.ts';
import { deviceChildren, deviceDriver, DEV } from '../drivers/base/bus.ts';
import { unbindStore } from '../drivers/base/dd.ts';
import { adopt } from '../drivers/nvdimm/region.ts';
import { MEMDEV } from '../drivers/cxl/cxl.ts';
import type { Kernel } from '../kernel.ts';
import { lockDeviceHotplug, unlockDeviceHotplug } from '../mm/memory_hotplug/hotplug.ts';
import { allocResource, insertResource, IORESOURCE_MEM } from '../resource.ts';
import { runStraight, type Path } from '../state/path.ts';

/** A fixed memory window of the host bridge (CFMWS): `CXL Window N` in /proc/iomem. Bytes, half open. */
export function cxlWindow(k: Kernel, index: number, start: number, end: number): void {
  insertResource(k, k.resources.root, allocResource(k, start, end - 1, `CXL Window ${index}`, IORESOURCE_MEM));
}

export const makeMemdev = (k: Kernel, input: MemdevInput): number => runStraight(createMemdev(k, input));
export const makeRegion = (k: Kernel, input: RegionInput): number => runStraight(createRegion(k, input));

/** `cxl disable-memdev`: refuses while a region uses the memdev; with force it unbinds cxl_mem. */
export function cxlDisableMemdev(k: Kernel, memdev: number, force: boolean): number {
  if (!force && regionsOf(k, memdev).some((region) => regionCommitted(k, region))) return -EBUSY;
  const dev = k.heap.load(memdev + MEMDEV.dev);
  return runStraight(unbindStore(k, deviceDriver(k, dev), dev));
}

/** `cxl disable-region`: offlines every block first, then unbinds the dax device's driver, then the region. */
export function* cxlDisableRegion(k: Kernel, region = 0, task = 0): Path<number> {
  yield* lockDeviceHotplug(k);
  for (const id of blocksIn(k, regionStart(k, region), regionEnd(k, region) - regionStart(k, region))) {
    if (blockState(k, id) !== MEM.online) continue;
    const ret = yield* k.call(blockOffline, id, task);
    if (ret >= 0) continue;
    unlockDeviceHotplug(k);
    return ret;
  }
  unlockDeviceHotplug(k);
  const dev = k.heap.load(region + REGION.dev);
  for (const child of deviceChildren(k, dev)) if (k.heap.load(child + DEV.driver) !== 0) yield* k.call(unbindStore, deviceDriver(k, child), child);
  return yield* k.call(commitStore, region, 0);
}

/** A device that somebody else made (a namespace of a pmem region) becomes a child of the region: it goes with it. */
export const adoptByRegion = (k: Kernel, region: number, child: number): void => adopt(k, k.heap.load(region + REGION.dev), child);
