/**
 * Memory blocks. Source: drivers/base/memory.c; Documentation/ABI/testing/sysfs-devices-memory. `block_size_bytes`
 * is hexadecimal without 0x. A tree that holds nothing but /sys/devices/system/memory (util-linux's test dumps) is enough.
 */
import { numbered, type Reader } from '../reader.ts';
import type { AddressMap } from '../types/address-map.ts';
import type { BlockState, MemoryBlock } from '../types/memory.ts';
import { ForeignFinder } from './foreign.ts';

export const MEMORY = '/sys/devices/system/memory';
const NODES = '/sys/devices/system/node';
const STATES: ReadonlySet<string> = new Set(['online', 'offline', 'going-offline']);

/** Bytes of a memory block; null where the kernel has no memory hotplug or the file makes no sense (noted). */
export function readBlockSize(reader: Reader): number | null {
  const text = reader.text(`${MEMORY}/block_size_bytes`);
  if (text === null) return null;
  const size = /^[0-9a-f]+$/i.test(text) ? parseInt(text, 16) : NaN;
  if (Number.isSafeInteger(size) && size >= 4096) return size;
  reader.malformed(`${MEMORY}/block_size_bytes`, text, 'a size in hexadecimal');
  return null;
}

export function readBlocks(reader: Reader, blockSize: number | null, map: AddressMap): MemoryBlock[] {
  if (blockSize === null) return [];
  const finder = new ForeignFinder(map);
  const nodes = nodesByBlock(reader);
  const indexes = numbered(reader.list(MEMORY), 'memory');
  return indexes.map((index) => readBlock(reader, index, blockSize, finder, nodes)).filter((block) => block !== null);
}

/** N of memoryN is the number of the block (memory_block's dev.id); `phys_index` says the same in hexadecimal and is not read. */
function readBlock(reader: Reader, index: number, blockSize: number, finder: ForeignFinder, nodes: ReadonlyMap<number, number[]>): MemoryBlock | null {
  const directory = `${MEMORY}/memory${index}`;
  const range = { start: index * blockSize, end: (index + 1) * blockSize };
  if (!Number.isSafeInteger(range.end)) {
    reader.malformed(directory, String(index), 'the number of a block that can exist');
    return null;
  }
  const state = reader.text(`${directory}/state`);
  if (state !== null && !STATES.has(state)) reader.malformed(`${directory}/state`, state, 'online, offline or going-offline');
  const zones = reader.text(`${directory}/valid_zones`);
  return {
    index,
    ...range,
    state: state !== null && STATES.has(state) ? (state as BlockState) : 'unknown',
    validZones: zones === null ? null : zones.split(/\s+/).filter((zone) => zone !== ''),
    nodes: nodes.get(index) ?? numbered(reader.list(directory), 'node'),
    removable: reader.flag(`${directory}/removable`),
    foreign: finder.in(range),
  };
}

/** From the nodes' own directories: one listing for each node instead of one for each block. A block of two nodes is in both. */
function nodesByBlock(reader: Reader): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const node of numbered(reader.list(NODES), 'node')) {
    for (const block of numbered(reader.list(`${NODES}/node${node}`), 'memory')) {
      const before = found.get(block);
      if (before) before.push(node);
      else found.set(block, [node]);
    }
  }
  return found;
}
