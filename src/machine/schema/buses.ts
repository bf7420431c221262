/** Schemas of nvdimm, dax, CXL, virtio, ACPI and PCI. */
import { z } from 'zod';
import type { AcpiMemoryDevice, PciSlot, VirtioMem, VirtioPmem } from '../types/bus.ts';
import type { CxlInventory } from '../types/cxl.ts';
import type { DaxDevice } from '../types/dax.ts';
import type { NvdimmBus, NvdimmNamespace } from '../types/nvdimm.ts';
import { bytes, count, deviceNumber, nullable, range, rangeShape, text } from './basics.ts';

const signed = nullable(z.int());

const namespace: z.ZodType<NvdimmNamespace> = z.strictObject({
  name: text, region: text, mode: z.enum(['raw', 'fsdax', 'devdax', 'sector', 'unknown']), memmap: z.enum(['mem', 'dev', 'none', 'unknown']),
  range: nullable(range), size: nullable(bytes), dataRange: nullable(range).exactOptional(), path: nullable(text).exactOptional(), uuid: nullable(text),
  sectorSize: nullable(count), align: nullable(count), holder: nullable(text), bindName: text, driver: nullable(text), block: nullable(text),
  chardev: nullable(text), numaNode: signed, badblocks: z.array(range),
});

export const nvdimmBus: z.ZodType<NvdimmBus> = z.strictObject({
  name: text, provider: nullable(text), path: text,
  regions: z.array(z.strictObject({
    name: text, type: text, range: nullable(range), size: nullable(bytes), align: nullable(count), numaNode: signed, dimms: z.array(text),
    persistenceDomain: nullable(text), namespaces: z.array(namespace), path: text,
  })),
});

export const dax: z.ZodType<DaxDevice> = z.strictObject({
  name: text, driver: nullable(text), ranges: z.array(range), size: nullable(bytes), align: nullable(count), targetNode: signed, numaNode: signed,
  memmapOnMemory: nullable(z.boolean()), state: nullable(text), dev: nullable(deviceNumber), parent: nullable(text), path: text, blocks: z.array(count),
  systemRam: z.array(range).exactOptional(), lostBytes: nullable(bytes).exactOptional(),
});

const decoder = z.strictObject({
  name: text, kind: z.enum(['root', 'switch', 'endpoint', 'unknown']), port: text, range: nullable(range), locked: nullable(z.boolean()), committed: nullable(z.boolean()).exactOptional(), targetType: nullable(text),
  mode: nullable(text), region: nullable(text), interleaveWays: nullable(count), interleaveGranularity: nullable(count),
});

export const cxl: z.ZodType<CxlInventory> = z.strictObject({
  memdevs: z.array(z.strictObject({ name: text, serial: nullable(text), ramSize: nullable(bytes), pmemSize: nullable(bytes), numaNode: signed, pci: nullable(text), driver: nullable(text), firmware: nullable(text), path: text })),
  ports: z.array(z.strictObject({ name: text, parent: nullable(text), depth: nullable(count), decoders: z.array(decoder) })),
  regions: z.array(z.strictObject({
    name: text, range: nullable(range), size: nullable(bytes), mode: nullable(text), committed: nullable(z.boolean()), interleaveWays: nullable(count),
    interleaveGranularity: nullable(count), targets: z.array(z.strictObject({ decoder: text, memdev: nullable(text) })), daxDevices: z.array(text),
    nvdimmRegion: nullable(text), path: text,
  })),
  softReserved: z.array(z.strictObject({ ...rangeShape, owner: text })),
});

export const virtioMem: z.ZodType<VirtioMem> = z.strictObject({ name: text, driver: nullable(text), range: nullable(range), plugged: z.array(range), blocks: z.array(count), pci: nullable(text), path: text });
export const virtioPmem: z.ZodType<VirtioPmem> = z.strictObject({ name: text, driver: nullable(text), region: nullable(text), pci: nullable(text), path: text });
export const dimm: z.ZodType<AcpiMemoryDevice> = z.strictObject({ name: text, status: nullable(z.int()), blocks: z.array(count), range: nullable(range), ejectable: z.boolean(), path: text });
export const slot: z.ZodType<PciSlot> = z.strictObject({
  name: text, address: nullable(text), power: nullable(z.boolean()), attention: nullable(z.int()), adapter: nullable(z.boolean()), latch: nullable(z.boolean()),
  driver: nullable(z.enum(['pciehp', 'acpiphp'])), functions: z.array(text),
  card: nullable(z.strictObject({ ids: nullable(text), class: nullable(text), serial: nullable(text), partNumber: nullable(text), location: nullable(text) })).exactOptional(),
  powerOffPending: z.strictObject({ line: text, secondsAgo: nullable(z.number().nonnegative()) }).exactOptional(), path: text,
});
