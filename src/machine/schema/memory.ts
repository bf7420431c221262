/** Schemas of the address map and of memory blocks, nodes and rivals. */
import { z } from 'zod';
import type { AddressMap, Resource } from '../types/address-map.ts';
import type { BlockPages, ForeignRange, MemoryBlock, MemoryInventory, MemoryNode, Rival } from '../types/memory.ts';
import { bytes, count, nullable, rangeShape, text } from './basics.ts';

export const resource: z.ZodType<Resource> = z.lazy(() => z.strictObject({ ...rangeShape, name: text, children: z.array(resource) })).meta({ id: 'Resource' });
export const addressMap: z.ZodType<AddressMap> = z.strictObject({ resources: z.array(resource), hidden: z.boolean() });

const foreign: z.ZodType<ForeignRange> = z.strictObject({ ...rangeShape, what: text, kind: z.enum(['hole', 'pmem', 'reserved', 'kernel', 'other']) });

const pages: z.ZodType<BlockPages> = z.strictObject({
  movable: count, hugetlb: count, kernel: count, slab: count, pageTables: count, reserved: count, poisoned: count, free: count, offline: count,
  unknown: count, memmap: count.exactOptional(), firstUnmovablePfn: count.exactOptional(),
});

export const blockState = z.enum(['online', 'offline', 'going-offline', 'unknown']);
const block: z.ZodType<MemoryBlock> = z.strictObject({
  index: count, ...rangeShape, state: blockState, validZones: nullable(z.array(text)), nodes: z.array(count), removable: nullable(z.boolean()),
  foreign: z.array(foreign), pages: pages.exactOptional(),
});

const node: z.ZodType<MemoryNode> = z.strictObject({
  id: count, online: z.boolean(), hasCpu: z.boolean(), total: nullable(bytes), free: nullable(bytes), hugePagesTotal: nullable(count), hugePagesFree: nullable(count),
  tier: nullable(text),
  zones: z.array(z.strictObject({ name: text, managedPages: count, presentPages: count, spannedPages: count, startPfn: count })),
});

export const memory: z.ZodType<MemoryInventory> = z.strictObject({
  blockSize: nullable(bytes), blocks: z.array(block), nodes: z.array(node), autoOnline: nullable(text), memmapOnMemory: nullable(text),
  hardwareCorruptedBytes: nullable(bytes), swapFreeBytes: nullable(bytes), availableBytes: nullable(bytes),
  memhpDefaultState: nullable(text).exactOptional(), onlinePolicy: nullable(text).exactOptional(),
});

export const rival: z.ZodType<Rival> = z.strictObject({
  kind: z.enum(['auto-online', 'cmdline', 'udev-rule', 'service', 'monitor']), where: text, effect: text, pid: count.exactOptional(),
});
