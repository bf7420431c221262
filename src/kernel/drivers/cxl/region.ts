/**
 * CXL regions (drivers/cxl/core/region.c; 6.1, 6.12, 7.2): made, committed, taken down. "6f": the way down releases
 * the region's driver, which lets go of the dax device, whose kmem cannot remove memory that is online, and says so in
 * the log. Nobody stops there; the decoders are reset, and the allocator goes on handing out what answers no more.
 */
import { EBUSY, EINVAL, ENXIO, EOPNOTSUPP, EPERM } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { IORESOURCE_MEM, allocResource, insertResource } from '../../resource.ts';
import { AT, type Path } from '../../state/path.ts';
import { DAX_KMEM } from '../dax/kmem.ts';
import { createDevDax } from '../dax/dev_dax.ts';
import { DEV, deviceAlloc, deviceChildren, deviceData, driverCore, type Driver } from '../base/bus.ts';
import { bindStore, deviceAdd, deviceDel, deviceReleaseDriver } from '../base/dd.ts';
import { blocksIn, blockState, MEM } from '../base/memory.ts';
import { commitDecoders, cxl, CXL_DEVICE, regionEnd, REGION, REGION_MODE, regionCommitted, regionStart, resetDecoders, setRegionRange, type RegionMode } from './cxl.ts';

export interface RegionInput {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** `ram`: a dax device that kmem takes by itself. `devdax`, `pmem`: others make the children (`child`). */
  readonly mode: RegionMode;
  readonly targets: readonly number[];
  /** The decoders are locked (set by firmware). */
  readonly locked?: boolean;
  /** What an address that nobody decodes reads: 0 (QEMU), -1 (most hardware). */
  readonly answer?: number;
  /** Node of the memory as System RAM. */
  readonly nid: number;
  /** Name of the dax device of a `ram` or `devdax` region; `dax0.0` unless told. */
  readonly daxName?: string;
}

/**
 * cxl_region_probe: refuses a region that is not committed. A region that is bound again gets its dax device again, and
 * that is for kmem, whatever it was used as before; the first one is made with the region, the children of a pmem
 * region by who owns them.
 */
function* probe(k: Kernel, dev = 0): Path<number> {
  const region = deviceData(k, dev);
  if (!regionCommitted(k, region)) return -ENXIO;
  const name = k.heap.load(region + REGION.daxName);
  if (name !== 0 && deviceChildren(k, dev).length === 0) return yield* daxRegion(k, region, dev, k.names.text(name), 'ram');
  return 0;
}

/** The region's driver lets go: its children (dax device, namespace) are deleted, newest first. */
function* remove(k: Kernel, dev = 0): Path<number> {
  for (const child of deviceChildren(k, dev).reverse()) yield* k.call(deviceDel, child);
  return 0;
}

export const CXL_REGION: Driver = { name: 'cxl_region', probe, remove, matches: (k, dev) => k.heap.load(dev + DEV.value) === CXL_DEVICE.region };

/** create_ram_region / create_pmem_region with its targets, committed. Address of the region, or -errno. */
export function* createRegion(k: Kernel, input: RegionInput): Path<number> {
  const way = k.mechanism('bus.cxl-regions');
  if (way === 'none' || (way === 'pmem' && input.mode !== 'pmem')) return -EOPNOTSUPP;
  driverCore(k).register('cxl', CXL_REGION);
  const region = cxl(k).regions.alloc();
  const targets = cxl(k).arrays.alloc(input.targets.length);
  input.targets.forEach((memdev, i) => k.heap.store(targets + i, memdev));
  k.heap.store(region + REGION.name, k.names.of(input.name));
  setRegionRange(k, region, input.start, input.end);
  k.heap.store(region + REGION.mode, REGION_MODE[input.mode]);
  k.heap.store(region + REGION.locked, input.locked ? 1 : 0);
  k.heap.store(region + REGION.answer, input.answer ?? 0);
  k.heap.store(region + REGION.nrTargets, input.targets.length);
  k.heap.store(region + REGION.targets, targets);
  k.heap.store(region + REGION.next, k.heap.load(cxl(k).head));
  k.heap.store(cxl(k).head, region);
  const res = allocResource(k, input.start, input.end - 1, input.name, IORESOURCE_MEM);
  insertResource(k, k.resources.root, res);
  k.heap.store(region + REGION.res, res);
  if (!commitDecoders(k, region)) return -ENXIO;
  const dev = deviceAlloc(k, { bus: 'cxl', name: input.name, data: region });
  k.heap.store(dev + DEV.value, CXL_DEVICE.region);
  k.heap.store(region + REGION.dev, dev);
  yield* deviceAdd(k, dev);
  if (input.mode === 'pmem') return region;
  const name = input.daxName ?? 'dax0.0';
  k.heap.store(region + REGION.nid, input.nid + 1);
  k.heap.store(region + REGION.daxName, k.names.of(name));
  yield* daxRegion(k, region, dev, name, input.mode);
  return region;
}

/** devm_cxl_add_dax_region: one dax device over the region; kmem takes that of a ram region by itself. */
function* daxRegion(k: Kernel, region: number, dev: number, name: string, mode: RegionMode): Path<number> {
  const ranges = [{ start: regionStart(k, region), end: regionEnd(k, region) }];
  const targetNode = k.heap.load(region + REGION.nid) - 1;
  const dax = yield* createDevDax(k, { name, ranges, targetNode, memmapOnMemory: mode === 'ram', kmemType: mode === 'ram', parent: dev });
  // Whether kmem could use it is not asked for.
  if (dax > 0 && mode === 'ram') yield* k.call(bindStore, driverCore(k).register('dax', DAX_KMEM), dax);
  return Math.min(0, dax);
}

/** Whether a memory block of the region is online: what a kernel that asked would ask. */
function memoryOnline(k: Kernel, region: number): boolean {
  for (const id of blocksIn(k, regionStart(k, region), regionEnd(k, region) - regionStart(k, region))) if (blockState(k, id) === MEM.online) return true;
  return false;
}

/** __cxl_decoder_detach and cxl_region_decode_reset: the driver is released, then the decoders are reset. */
export function* regionDecodeReset(k: Kernel, region = 0, cardGone = 0): Path<number> {
  const dev = k.heap.load(region + REGION.dev);
  if (k.heap.load(dev + DEV.driver) !== 0) yield* k.call(deviceReleaseDriver, dev);
  if (k.concurrent) yield AT('cxl_region_decode_reset');
  if (k.heap.load(region + REGION.locked) !== 0 && cardGone === 0 && k.mechanism('bus.cxl-region-lock')) return -EPERM;
  resetDecoders(k, region, cardGone !== 0);
  return 0;
}

/** A write of 0 or 1 to regionN/commit: 0, -EBUSY where the kernel asks for online memory (a proposal), -EPERM locked. */
export function* commitStore(k: Kernel, region = 0, on = 0): Path<number> {
  if (on !== 0) return commitDecoders(k, region) ? 0 : -ENXIO;
  if (!regionCommitted(k, region)) return -EINVAL;
  if (k.heap.load(region + REGION.locked) !== 0 && k.mechanism('bus.cxl-region-lock')) return -EPERM;
  if (k.mechanism('bus.cxl-teardown-asks-memory') && memoryOnline(k, region)) return -EBUSY;
  return yield* k.call(regionDecodeReset, region, 0);
}

/** The range of a region whose driver is there, by its device; for `deviceData`. */
export const regionOfDevice = (k: Kernel, dev: number): number => deviceData(k, dev);
