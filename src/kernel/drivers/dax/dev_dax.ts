/** `struct dev_dax` (drivers/dax/dax-private.h, 6.12): a dax device with its ranges, as the dax bus has it. */
import type { PhysRange } from '../../../range/phys-range.ts';
import type { Kernel } from '../../kernel.ts';
import { Arrays } from '../../state/array.ts';
import { loadLong, storeLong } from '../../state/long.ts';
import type { Path } from '../../state/path.ts';
import { Slab } from '../../state/slab.ts';
import { ENOMEM } from '../../errno.ts';
import { DEV, deviceAlloc, deviceData } from '../base/bus.ts';
import { deviceAdd } from '../base/dd.ts';
import { DEVDAX, devDaxEnd, devDaxStart, newDevDax } from './bus.ts';

/** Words of what kmem keeps of a dax device. `ranges`: an array of two longs each (bytes, half open); `kmem`: requested resources. */
export const DEV_DAX = { targetNode: 0, nrRange: 1, ranges: 2, memmapOnMemory: 3, kmem: 4, words: 5 } as const;

interface DevDaxes {
  readonly slab: Slab;
  readonly arrays: Arrays;
}
const makeDevDaxes = (k: Kernel): DevDaxes => ({ slab: new Slab(k.heap, 'dev_dax_kmem', DEV_DAX.words, 8), arrays: new Arrays(k.heap) });
export const devDaxes = (k: Kernel): DevDaxes => k.part(makeDevDaxes);

export interface DevDaxInput {
  readonly name: string;
  readonly ranges: readonly PhysRange[];
  /** Node that the memory becomes part of as System RAM; -1 unknown. */
  readonly targetNode: number;
  /** /sys/bus/dax/devices/NAME/memmap_on_memory; 1 by default on CXL dax devices only. */
  readonly memmapOnMemory?: boolean;
  readonly parent?: number;
  /** kmem takes it by itself, device_dax does not (IORESOURCE_DAX_KMEM: CXL ram regions). */
  readonly kmemType?: boolean;
}

/** What kmem keeps of the dax device `dev`; a device made without it has one range and no memmap_on_memory. */
export function kmemOf(k: Kernel, dev: number): number {
  const data = deviceData(k, dev);
  const known = k.heap.load(data + DEVDAX.kmem);
  if (known !== 0) return known;
  const range = { start: devDaxStart(k, data) * k.geo.pageSize, end: devDaxEnd(k, data) * k.geo.pageSize };
  return attach(k, data, [range], k.heap.load(data + DEVDAX.node), false);
}

function attach(k: Kernel, data: number, list: readonly PhysRange[], targetNode: number, memmapOnMemory: boolean): number {
  const { slab, arrays } = devDaxes(k);
  const kmem = slab.alloc();
  const ranges = arrays.alloc(list.length * 4);
  list.forEach((range, i) => {
    storeLong(k.heap, ranges + i * 4, range.start);
    storeLong(k.heap, ranges + i * 4 + 2, range.end);
  });
  k.heap.store(kmem + DEV_DAX.targetNode, targetNode);
  k.heap.store(kmem + DEV_DAX.nrRange, list.length);
  k.heap.store(kmem + DEV_DAX.ranges, ranges);
  k.heap.store(kmem + DEV_DAX.memmapOnMemory, memmapOnMemory && k.mechanism('ram.memmap-on-memory-attribute') ? 1 : 0);
  k.heap.store(data + DEVDAX.kmem, kmem);
  return kmem;
}

/** devm_create_dev_dax: a device on the dax bus. Drivers that take such a device by themselves are tried. Its address, or -ENOMEM. */
export function* createDevDax(k: Kernel, input: DevDaxInput): Path<number> {
  const page = k.geo.pageSize;
  const first = input.ranges[0] as PhysRange;
  const dev = deviceAlloc(k, { bus: 'dax', name: input.name, numaNode: input.targetNode, parent: input.parent ?? 0 });
  if (dev === 0) return -ENOMEM;
  const data = newDevDax(k, input.name, first.start / page, first.end / page, first.start / page, 512, Math.max(0, input.targetNode));
  attach(k, data, input.ranges, input.targetNode, input.memmapOnMemory ?? false);
  k.heap.store(data + DEVDAX.kmemType, input.kmemType ? 1 : 0);
  k.heap.store(dev + DEV.data, data);
  yield* deviceAdd(k, dev);
  return dev;
}

/** Range `i` of the dax device `dev`; bytes, half open. */
export function devDaxRange(k: Kernel, dev: number, i: number): PhysRange {
  const ranges = k.heap.load(kmemOf(k, dev) + DEV_DAX.ranges) + i * 4;
  return { start: loadLong(k.heap, ranges), end: loadLong(k.heap, ranges + 2) };
}

export const devDaxRanges = (k: Kernel, dev: number): PhysRange[] =>
  Array.from({ length: k.heap.load(kmemOf(k, dev) + DEV_DAX.nrRange) }, (_, i) => devDaxRange(k, dev, i));
