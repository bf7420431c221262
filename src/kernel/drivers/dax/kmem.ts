/**
 * dax_kmem: a dax device as System RAM (drivers/dax/kmem.c; 5.10, 6.1, 6.12, 7.2; 5.2 from sources).
 *
 * Only whole memory blocks are added. The region request of each range is released when its memory could be removed; a
 * block that is online keeps the range until reboot, and the unbind succeeds all the same ("6b").
 */
import { alignInward, rangeSize, type PhysRange } from '../../../range/phys-range.ts';
import { formatBytes } from '../../../range/units.ts';
import { EBUSY, EINVAL, ENOMEM } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { MHP, addMemoryDriverManaged } from '../../mm/memory_hotplug/add.ts';
import { removeMemory } from '../../mm/memory_hotplug/remove.ts';
import { devPrintk, hex, KERN_ERR, KERN_INFO, KERN_WARNING } from '../../printk.ts';
import { IORESOURCE_SYSTEM_RAM, RES, releaseResource, requestRegion } from '../../resource.ts';
import type { Path } from '../../state/path.ts';
import { DEV, deviceName, driverCore, type Driver } from '../base/bus.ts';
import { DEV_DAX, devDaxes, devDaxRange, kmemOf } from './dev_dax.ts';

/** dax_kmem_range: the whole memory blocks inside range `i`; empty where there is none. */
export function kmemRange(k: Kernel, dev: number, i: number): PhysRange {
  const range = devDaxRange(k, dev, i);
  return k.mechanism('ram.kmem-whole-blocks-only') ? alignInward(range, k.geo.memoryBlockSize) : range;
}

const nrRange = (k: Kernel, dev: number): number => k.heap.load(kmemOf(k, dev) + DEV_DAX.nrRange);
const say = (k: Kernel, level: number, dev: number, text: string): void => devPrintk(k, level, 'kmem', deviceName(k, dev), text);
const span = (range: PhysRange): string => `${hex(range.start)}-${hex(range.end - 1)}`;

/** Bytes of the device that kmem can take, and that it has. */
function sizes(k: Kernel, dev: number): readonly [number, number] {
  let total = 0;
  let whole = 0;
  for (let i = 0; i < nrRange(k, dev); i += 1) {
    const range = kmemRange(k, dev, i);
    whole += rangeSize(devDaxRange(k, dev, i));
    total += rangeSize(range);
    if (rangeSize(range) === 0) say(k, KERN_INFO, dev, `mapping${i}: ${span(devDaxRange(k, dev, i))} too small after alignment`);
  }
  return [total, whole];
}

function* probe(k: Kernel, dev = 0): Path<number> {
  const dax = kmemOf(k, dev);
  const node = k.heap.load(dax + DEV_DAX.targetNode);
  if (node < 0) {
    say(k, KERN_WARNING, dev, `rejecting DAX region with invalid node: ${node}`);
    return -EINVAL;
  }
  const [total, whole] = sizes(k, dev);
  if (total === 0) {
    say(k, KERN_WARNING, dev, 'rejecting DAX region without any memory after alignment');
    return -EINVAL;
  }
  if (total !== whole && k.mechanism('ram.kmem-says-truncated')) say(k, KERN_WARNING, dev, `DAX region truncated by ${formatBytes(whole - total)} due to alignment`);
  if (!k.mayAllocate()) return -ENOMEM;
  const regions = devDaxes(k).arrays.alloc(nrRange(k, dev));
  k.heap.store(dax + DEV_DAX.kmem, regions);
  k.heap.store(dev + DEV.drvdata, regions);
  const ret = yield* k.call(addRanges, dev, regions);
  if (ret < 0) {
    devDaxes(k).arrays.free(regions, nrRange(k, dev));
    k.heap.store(dax + DEV_DAX.kmem, 0);
  }
  return ret;
}

/** Requests and adds each range. The first failure ends it, unless something has been added before. */
export function* addRanges(k: Kernel, dev = 0, regions = 0): Path<number> {
  const dax = kmemOf(k, dev);
  const flags = k.heap.load(dax + DEV_DAX.memmapOnMemory) !== 0 ? MHP.memmapOnMemory : MHP.none;
  let mapped = 0;
  for (let i = 0; i < nrRange(k, dev); i += 1) {
    const range = kmemRange(k, dev, i);
    if (rangeSize(range) === 0) continue;
    const res = requestRegion(k, range.start, rangeSize(range), deviceName(k, dev));
    if (res === 0) {
      say(k, KERN_WARNING, dev, `mapping${i}: ${span(range)} could not reserve region`);
      if (mapped > 0) continue;
      return -EBUSY;
    }
    // Not busy, so that add_memory() can put its own resource inside.
    k.heap.store(res + RES.flags, IORESOURCE_SYSTEM_RAM);
    k.heap.store(regions + i, res);
    const rc = yield* k.call(addMemoryDriverManaged, k.heap.load(dax + DEV_DAX.targetNode), range.start, rangeSize(range), k.names.of('System RAM (kmem)'), flags);
    if (rc < 0) {
      say(k, KERN_WARNING, dev, `mapping${i}: ${span(range)} memory add failed`);
      releaseResource(k, res);
      k.heap.store(regions + i, 0);
      if (mapped > 0) continue;
      return rc;
    }
    mapped += 1;
  }
  return 0;
}

/** dev_dax_kmem_remove. What it returns is nobody's business. */
function* remove(k: Kernel, dev = 0): Path<number> {
  const dax = kmemOf(k, dev);
  const regions = k.heap.load(dax + DEV_DAX.kmem);
  if (k.mechanism('ram.kmem-remove') === 'none' || regions === 0) return 0;
  let kept = 0;
  for (let i = 0; i < nrRange(k, dev); i += 1) {
    const res = k.heap.load(regions + i);
    const range = kmemRange(k, dev, i);
    if (res === 0) continue;
    const rc = yield* k.call(removeMemory, range.start, rangeSize(range));
    if (rc === 0) {
      releaseResource(k, res);
      k.heap.store(regions + i, 0);
      continue;
    }
    kept += 1;
    say(k, KERN_ERR, dev, `mapping${i}: ${span(range)} cannot be hotremoved until the next reboot`);
    if (!k.mechanism('ram.kmem-keeps-request-when-online')) releaseResource(k, res);
  }
  if (kept === 0) {
    devDaxes(k).arrays.free(regions, nrRange(k, dev));
    k.heap.store(dax + DEV_DAX.kmem, 0);
  }
  return kept > 0 ? -EBUSY : 0;
}

export const DAX_KMEM: Driver = { name: 'kmem', probe, remove, manual: true };

/** Loads the module; the driver's number. CXL dax devices are bound by themselves, others by new_id. */
export const daxKmemInit = (k: Kernel): number => driverCore(k).register('dax', DAX_KMEM);
