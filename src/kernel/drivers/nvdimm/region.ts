/**
 * Regions of the nd bus (drivers/nvdimm/region.c, nd_region_remove(); region_devs.c, 6.12): unbinding nd_region takes the
 * namespaces inside away with their drivers, binding it brings them back and drivers try them. Here the same device
 * objects stay, hidden while the region has no driver; a kernel makes new ones, and may name them otherwise.
 */
import type { Kernel } from '../../kernel.ts';
import { runStraight, type Path } from '../../state/path.ts';
import { DEV, DEV_DEAD, deviceAlloc, deviceChildren, deviceDriver, driverCore, findDevice, type Driver } from '../base/bus.ts';
import { deviceAdd, deviceAttach, deviceDel, deviceReleaseDriver } from '../base/dd.ts';

/** Region devices are kept apart from what is in them: drivers of namespaces are not tried on them. */
export const ND_REGION_BUS = 'nd_region';

function* probe(k: Kernel, dev = 0): Path<number> {
  for (const child of deviceChildren(k, dev)) yield* k.call(deviceAttach, child);
  return 0;
}

/** Whatever is in the region is unregistered; where the region itself goes, for good. */
function* remove(k: Kernel, dev = 0): Path<number> {
  const forGood = (k.heap.load(dev + DEV.state) & DEV_DEAD) !== 0;
  for (const child of deviceChildren(k, dev).reverse()) yield* k.call(forGood ? deviceDel : deviceReleaseDriver, child);
  return 0;
}

export const ND_REGION: Driver = { name: 'nd_region', probe, remove };

/** A region with what is in it, bound to nd_region. `parent`: the CXL region that it is made from, or 0. */
export function makeNdRegion(k: Kernel, name: string, children: readonly number[], parent = 0): number {
  driverCore(k).register(ND_REGION_BUS, ND_REGION);
  const dev = deviceAlloc(k, { bus: ND_REGION_BUS, name, parent });
  runStraight(deviceAdd(k, dev));
  for (const child of children) adopt(k, dev, child);
  return dev;
}

/** A device that somebody else made becomes the last child of `parent`: it goes with it. */
export function adopt(k: Kernel, parent: number, child: number): void {
  let link = parent + DEV.child;
  while (k.heap.load(link) !== 0) link = k.heap.load(link) + DEV.sibling;
  k.heap.store(link, child);
  k.heap.store(child + DEV.parent, parent);
}

/** What a region shows: nothing once it is gone, no namespaces while no driver has it. */
export function ndRegionState(k: Kernel, name: string): 'bound' | 'unbound' | 'gone' {
  // A machine that was put together without regions has all its namespaces.
  if (driverCore(k).find(ND_REGION_BUS, ND_REGION.name) === 0) return 'bound';
  const dev = findDevice(k, ND_REGION_BUS, name);
  return dev === 0 ? 'gone' : deviceDriver(k, dev) === 0 ? 'unbound' : 'bound';
}
