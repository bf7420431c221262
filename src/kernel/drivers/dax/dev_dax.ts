/** `struct dev_dax` (drivers/dax/dax-private.h, 6.12): a dax device with its ranges, as the dax bus has it. */
import type { PhysRange } from '../../../range/phys-range.ts';
import type { Kernel } from '../../kernel.ts';
import { Arrays } from '../../state/array.ts';
import { loadLong, storeLong } from '../../state/long.ts';
import type { Path } from '../../state/path.ts';
import { Slab } from '../../state/slab.ts';
import { deviceAlloc, deviceData } from '../base/bus.ts';
import { deviceAdd } from '../base/dd.ts';

/** Words of a dev_dax. `ranges`: an array of two longs each (bytes, half open). */
export const DEV_DAX = { targetNode: 0, nrRange: 1, ranges: 2, memmapOnMemory: 3, kmem: 4, words: 5 } as const;

interface DevDaxes {
  readonly slab: Slab;
  readonly arrays: Arrays;
}
const makeDevDaxes = (k: Kernel): DevDaxes => ({ slab: new Slab(k.heap, 'dev_dax', DEV_DAX.words, 8), arrays: new Arrays(k.heap) });
export const devDaxes = (k: Kernel): DevDaxes => k.part(makeDevDaxes);

export interface DevDaxInput {
  readonly name: string;
  readonly ranges: readonly PhysRange[];
  /** Node that the memory becomes part of as System RAM; -1 unknown. */
  readonly targetNode: number;
  /** /sys/bus/dax/devices/NAME/memmap_on_memory; 1 by default on CXL dax devices only. */
  readonly memmapOnMemory?: boolean;
  readonly parent?: number;
}

/** devm_create_dev_dax: a device on the dax bus. Drivers that take every dax device are tried. Address of the device. */
export function* createDevDax(k: Kernel, input: DevDaxInput): Path<number> {
  const { slab, arrays } = devDaxes(k);
  const dax = slab.alloc();
  const ranges = arrays.alloc(input.ranges.length * 4);
  input.ranges.forEach((range, i) => {
    storeLong(k.heap, ranges + i * 4, range.start);
    storeLong(k.heap, ranges + i * 4 + 2, range.end);
  });
  k.heap.store(dax + DEV_DAX.targetNode, input.targetNode);
  k.heap.store(dax + DEV_DAX.nrRange, input.ranges.length);
  k.heap.store(dax + DEV_DAX.ranges, ranges);
  k.heap.store(dax + DEV_DAX.memmapOnMemory, input.memmapOnMemory && k.mechanism('ram.memmap-on-memory-attribute') ? 1 : 0);
  const dev = deviceAlloc(k, { bus: 'dax', name: input.name, data: dax, numaNode: input.targetNode, parent: input.parent ?? 0 });
  yield* deviceAdd(k, dev);
  return dev;
}

/** Range `i` of the dax device `dev`; bytes, half open. */
export function devDaxRange(k: Kernel, dev: number, i: number): PhysRange {
  const ranges = k.heap.load(deviceData(k, dev) + DEV_DAX.ranges) + i * 4;
  return { start: loadLong(k.heap, ranges), end: loadLong(k.heap, ranges + 2) };
}

export const devDaxRanges = (k: Kernel, dev: number): PhysRange[] =>
  Array.from({ length: k.heap.load(deviceData(k, dev) + DEV_DAX.nrRange) }, (_, i) => devDaxRange(k, dev, i));
