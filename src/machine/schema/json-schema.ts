/** The published JSON Schemas of `scan --json` and `map --json` (draft 2020-12). `schema/*.json` is this, written out by tools/schema.ts. */
import { z } from 'zod';
import type { PhysicalMap } from '../address-map/physical-map.ts';
import type { Machine } from '../machine.ts';
import { bytes, count, host, note, nullable, range, rangeShape, text } from './basics.ts';
import { cxl, dax, dimm, nvdimmBus, slot, virtioMem, virtioPmem } from './buses.ts';
import { blockDevice, device, holder, mount, nfsExport, overlay, swap } from './holders.ts';
import { addressMap, blockState, memory, rival } from './memory.ts';

export const machine: z.ZodType<Machine> = z.strictObject({
  host,
  kernel: z.strictObject({ release: nullable(text), version: nullable(text), arch: nullable(text), pageSize: nullable(bytes), cmdline: nullable(text) }),
  addressMap, memory,
  rivals: z.array(rival), nvdimm: z.array(nvdimmBus), dax: z.array(dax), cxl, virtioMem: z.array(virtioMem), virtioPmem: z.array(virtioPmem),
  dimms: z.array(dimm), slots: z.array(slot), blockDevices: z.array(blockDevice), mounts: z.array(mount), swaps: z.array(swap),
  overlays: z.array(overlay).exactOptional(), exports: z.array(nfsExport).exactOptional(),
  devices: z.array(device), holders: z.record(text, z.array(holder)), notes: z.array(note),
});

export const physicalMap: z.ZodType<PhysicalMap> = z.strictObject({
  host, source: z.enum(['iomem', 'memory-blocks']), range: nullable(range), sectionSize: nullable(bytes), blockSize: nullable(bytes),
  segments: z.array(z.strictObject({
    ...rangeShape,
    kind: z.enum(['ram', 'ram-offline', 'kernel', 'kmem', 'virtio-mem', 'unplugged', 'pmem', 'pmem-free', 'pmem-unbound', 'lost', 'info-block', 'devdax', 'cxl-region', 'cxl-window', 'soft-reserved', 'reserved', 'device']),
    names: z.array(text), device: nullable(text),
  })),
  blocks: z.array(z.strictObject({ ...rangeShape, index: count, state: blockState, zone: nullable(text), nodes: z.array(count) })),
  collisions: z.array(z.strictObject({
    section: count, ...rangeShape, owners: z.array(z.strictObject({ name: text, ranges: z.array(range) })), kind: z.enum(['block', 'section', 'sub-section']),
    blocks: z.array(count), says: text,
  })),
  notes: z.array(note),
});

const publish = (schema: z.ZodType, title: string): Record<string, unknown> => ({ title, ...(z.toJSONSchema(schema, { target: 'draft-2020-12', reused: 'inline' }) as Record<string, unknown>) });

export const machineJsonSchema = (): Record<string, unknown> => publish(machine, 'unseat scan --json: the inventory of a machine');
export const mapJsonSchema = (): Record<string, unknown> => publish(physicalMap, 'unseat map --json: the physical address map');
