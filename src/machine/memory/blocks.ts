/**
 * Memory blocks. Source: drivers/base/memory.c; Documentation/ABI/testing/sysfs-devices-memory. `block_size_bytes` and
 * `phys_index` are hexadecimal without 0x. Reads /sys/devices/system/memory only, so that a tree that holds nothing else
 * (util-linux's test dumps) gives the same blocks.
 */
import { numbered, type Reader } from '../reader.ts';
import type { AddressMap } from '../types/address-map.ts';
import type { BlockState, MemoryBlock } from '../types/memory.ts';
import { ForeignFinder } from './foreign.ts';

export const MEMORY = '/sys/devices/system/memory';
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
  return numbered(reader.list(MEMORY), 'memory').map((name) => readBlock(reader, name, blockSize, finder)).filter((block) => block !== null);
}

function readBlock(reader: Reader, name: number, blockSize: number, finder: ForeignFinder): MemoryBlock | null {
  const directory = `${MEMORY}/memory${name}`;
  const index = physIndex(reader, directory) ?? name;
  const range = { start: index * blockSize, end: (index + 1) * blockSize };
  if (!Number.isSafeInteger(range.end)) {
    reader.malformed(`${directory}/phys_index`, String(index), 'the number of a block');
    return null;
  }
  const state = reader.text(`${directory}/state`);
  if (state !== null && !STATES.has(state)) reader.malformed(`${directory}/state`, state, 'online, offline or going-offline');
  const zones = reader.text(`${directory}/valid_zones`);
  return {
    index: name,
    ...range,
    state: state !== null && STATES.has(state) ? (state as BlockState) : 'unknown',
    validZones: zones === null ? null : zones.split(/\s+/).filter((zone) => zone !== ''),
    nodes: numbered(reader.list(directory), 'node'),
    removable: reader.flag(`${directory}/removable`),
    foreign: finder.in(range),
  };
}

/** The block number that the kernel gives; the name says the same on every kernel, and a dump may have been edited. */
function physIndex(reader: Reader, directory: string): number | null {
  const text = reader.text(`${directory}/phys_index`);
  if (text === null || text === '') return null;
  if (!/^[0-9a-f]{1,13}$/i.test(text)) {
    reader.malformed(`${directory}/phys_index`, text, 'a number in hexadecimal');
    return null;
  }
  return parseInt(text, 16);
}
