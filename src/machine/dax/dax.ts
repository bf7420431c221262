/** DAX devices, whatever region they come from. Source: drivers/dax/bus.c; Documentation/ABI/testing/sysfs-bus-dax. */
import { alignInward, contains, overlaps, rangeSize, type PhysRange } from '../../range/phys-range.ts';
import { isSystemRam, walkResources } from '../address-map/iomem.ts';
import { numbered, type Reader } from '../reader.ts';
import type { AddressMap } from '../types/address-map.ts';
import type { DaxDevice } from '../types/dax.ts';
import type { MemoryInventory } from '../types/memory.ts';
import { rangeOf } from '../nvdimm/claimant.ts';

const DEVICES = '/sys/bus/dax/devices';

export function readDax(reader: Reader, map: AddressMap, memory: MemoryInventory): DaxDevice[] {
  const names = reader.list(DEVICES).filter((name) => /^dax\d+\.\d+$/.test(name));
  return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).map((name) => readDevice(reader, name, map, memory));
}

function readDevice(reader: Reader, name: string, map: AddressMap, memory: MemoryInventory): DaxDevice {
  const path = reader.real(`${DEVICES}/${name}`);
  const size = reader.unsigned(`${path}/size`);
  const ranges = rangesOf(reader, path, size);
  const driver = reader.linkName(`${path}/driver`);
  const targetNode = reader.integer(`${path}/target_node`);
  const ram = driver === 'kmem' ? ramOf(map, name, ranges) : [];
  return {
    name, driver, ranges, size,
    align: reader.unsigned(`${path}/align`),
    targetNode,
    numaNode: reader.integer(`${path}/numa_node`),
    memmapOnMemory: reader.flag(`${path}/memmap_on_memory`),
    state: reader.text(`${path}/state`),
    dev: reader.text(`${path}/dev`),
    parent: path.split('/').at(-2) ?? null,
    path,
    blocks: driver === 'kmem' ? blocksOf(memory, ram.length > 0 ? ram : ranges.map((r) => (memory.blockSize === null ? r : alignInward(r, memory.blockSize)))) : [],
    systemRam: ram,
    lostBytes: driver === 'kmem' ? lost(ranges, memory.blockSize) : null,
  };
}

/** All mappings in order; before 5.10 there is only `resource` and `size`. */
function rangesOf(reader: Reader, path: string, size: number | null): PhysRange[] {
  const ranges: PhysRange[] = [];
  for (const n of numbered(reader.list(path), 'mapping')) {
    const start = reader.unsigned(`${path}/mapping${n}/start`);
    const last = reader.unsigned(`${path}/mapping${n}/end`);
    // An unprivileged reader sees zeros in both.
    if (start !== null && last !== null && last > start) ranges.push({ start, end: last + 1 });
  }
  if (ranges.length > 0) return ranges;
  // Trees without the dax device's own files: the nd dax device above it has the same range.
  const start = reader.unsigned(`${path}/resource`) ?? ndParent(reader, path);
  const whole = start === 0 ? null : rangeOf(start, size);
  return whole ? [whole] : [];
}

const ndParent = (reader: Reader, path: string): number | null =>
  /\/dax\d+\.\d+\/dax\d+\.\d+$/.test(path) ? reader.unsigned(`${path.slice(0, path.lastIndexOf('/'))}/resource`) : null;

/** System RAM lines below the line of this device; they are what kmem really added. */
function ramOf(map: AddressMap, name: string, ranges: readonly PhysRange[]): PhysRange[] {
  const found: PhysRange[] = [];
  for (const { resource, parent } of walkResources(map.resources)) {
    if (parent?.name !== name || !isSystemRam(resource.name)) continue;
    if (ranges.length === 0 || ranges.some((r) => contains(r, resource))) found.push({ start: resource.start, end: resource.end });
  }
  return found;
}

const blocksOf = (memory: MemoryInventory, ranges: readonly PhysRange[]): number[] =>
  memory.blocks.filter((block) => ranges.some((r) => overlaps(r, block))).map((block) => block.index);

/** dax_kmem takes each range inwards to whole memory blocks (drivers/dax/kmem.c, dax_kmem_range()). */
function lost(ranges: readonly PhysRange[], blockSize: number | null): number | null {
  if (blockSize === null || ranges.length === 0) return null;
  return ranges.reduce((sum, r) => sum + rangeSize(r) - rangeSize(alignInward(r, blockSize)), 0);
}
