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
  const zonesOf = zonesByText();
  const removableOf = removableBy(reader);
  const blocks: MemoryBlock[] = [];
  for (const index of numbered(reader.list(MEMORY), 'memory')) {
    const block = readBlock(reader, index, blockSize, { finder, nodes, zonesOf, removableOf });
    if (block !== null) blocks.push(block);
  }
  return blocks;
}

/** There may be 65,536 blocks and they have a handful of zone lists: each list is made once. */
function zonesByText(): (text: string) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const zones = text.split(/\s+/).filter((zone) => zone !== '');
    known.set(text, zones);
    return zones;
  };
}

/**
 * Since 5.7 `removable` says of every block whether the kernel can remove memory at all (removable_show(),
 * drivers/base/memory.c): on a live machine one block is asked for all. A capture or dump is read as it is.
 */
function removableBy(reader: Reader): (directory: string) => boolean | null {
  const { host } = reader;
  const { release } = host.identity;
  const [major = 0, minor = 0] = typeof release === 'string' ? release.split('.').map((part) => Number.parseInt(part, 10)) : [];
  const each = (directory: string): boolean | null => reader.flag(`${directory}/removable`);
  if (host.kind !== 'live' || !(major > 5 || (major === 5 && minor >= 7))) return each;
  let all: boolean | null = null;
  return (directory) => (all ??= each(directory));
}

/** What is the same for all blocks, found out once. */
interface Ways {
  readonly finder: ForeignFinder;
  readonly nodes: ReadonlyMap<number, readonly number[]>;
  readonly zonesOf: (text: string) => readonly string[];
  readonly removableOf: (directory: string) => boolean | null;
}

/** N of memoryN is the number of the block (memory_block's dev.id); `phys_index` says the same in hexadecimal and is not read. */
function readBlock(reader: Reader, index: number, blockSize: number, { finder, nodes, zonesOf, removableOf }: Ways): MemoryBlock | null {
  const directory = `${MEMORY}/memory${index}`;
  const range = { start: index * blockSize, end: (index + 1) * blockSize };
  if (!Number.isSafeInteger(range.end)) {
    reader.malformed(directory, String(index), 'the number of a block that can exist');
    return null;
  }
  const text = reader.text(`${directory}/valid_zones`);
  const zones = text === null ? null : zonesOf(text);
  return {
    index,
    ...range,
    state: reader.host.kind === 'live' && zones !== null && isZoneOfOnline(zones) ? 'online' : readState(reader, `${directory}/state`),
    validZones: zones,
    nodes: nodes.get(index) ?? numbered(reader.list(directory), 'node'),
    removable: removableOf(directory),
    foreign: finder.in(range),
  };
}

/**
 * The kernel prints one zone for an online block alone; for any other it prints two, the one that it would join and what else it
 * could (valid_zones_show(), drivers/base/memory.c, since 4.13), and `none` may be either. On a live machine that saves every second file
 * of the start; a capture or dump may have been made of files of different moments, and is read as it is.
 */
const isZoneOfOnline = (zones: readonly string[]): boolean => zones.length === 1 && ZONES.has(zones[0] ?? '');
const ZONES: ReadonlySet<string> = new Set(['DMA', 'DMA32', 'Normal', 'HighMem', 'Movable', 'Device']);

function readState(reader: Reader, path: string): BlockState {
  const state = reader.text(path);
  if (state === null || STATES.has(state)) return (state ?? 'unknown') as BlockState;
  reader.malformed(path, state, 'online, offline or going-offline');
  return 'unknown';
}

/** From the nodes' own directories: one listing for each node instead of one for each block. A block of two nodes is in both. */
function nodesByBlock(reader: Reader): Map<number, readonly number[]> {
  const found = new Map<number, readonly number[]>();
  for (const node of numbered(reader.list(NODES), 'node')) {
    const alone = [node];
    for (const block of numbered(reader.list(`${NODES}/node${node}`), 'memory')) {
      const before = found.get(block);
      found.set(block, before ? [...before, node] : alone);
    }
  }
  return found;
}
