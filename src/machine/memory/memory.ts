/** Memory as the kernel's hotplug code sees it: blocks, nodes, and what will happen to memory that is added. */
import type { Reader } from '../reader.ts';
import type { AddressMap } from '../types/address-map.ts';
import type { MemoryInventory } from '../types/memory.ts';
import { MEMORY, readBlocks, readBlockSize } from './blocks.ts';
import { bootParameter, parseCmdline } from './cmdline.ts';
import { parseMeminfo } from './meminfo.ts';
import { readNodes } from './nodes.ts';

const PARAMETERS = '/sys/module/memory_hotplug/parameters';

export function readMemory(reader: Reader, map: AddressMap, cmdline: string | null): MemoryInventory {
  const blockSize = readBlockSize(reader);
  const meminfo = parseMeminfo(reader.text('/proc/meminfo') ?? '');
  return {
    blockSize,
    blocks: readBlocks(reader, blockSize, map),
    nodes: readNodes(reader),
    autoOnline: reader.text(`${MEMORY}/auto_online_blocks`),
    memmapOnMemory: reader.text(`${PARAMETERS}/memmap_on_memory`),
    memhpDefaultState: bootParameter(parseCmdline(cmdline ?? ''), 'memhp_default_state') ?? null,
    onlinePolicy: reader.text(`${PARAMETERS}/online_policy`),
    hardwareCorruptedBytes: meminfo.get('HardwareCorrupted') ?? null,
    swapFreeBytes: meminfo.get('SwapFree') ?? null,
    availableBytes: meminfo.get('MemAvailable') ?? null,
  };
}
