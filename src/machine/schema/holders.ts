/** Schemas of devices, their holders, and the stack of block devices. */
import { z } from 'zod';
import type { Device } from '../types/device.ts';
import type { Holder } from '../types/holder.ts';
import type { BlockDevice, Mount, NfsExport, OverlayLayer, SwapArea } from '../types/stack.ts';
import { bytes, byteString, count, deviceNumber, nullable, range, text } from './basics.ts';

export const device: z.ZodType<Device> = z.strictObject({
  id: text,
  kind: z.enum(['fsdax', 'devdax', 'kmem', 'raw-pmem', 'btt', 'virtio-mem', 'virtio-pmem', 'dimm', 'memory-block', 'nvdimm-region', 'cxl-region', 'cxl-memdev', 'pci-slot', 'unbound']),
  name: text, aliases: z.array(byteString), ranges: z.array(range), size: bytes, use: text, deviceNumbers: z.array(deviceNumber), blocks: z.array(count),
  nodes: z.array(count), contains: z.array(text), partOf: z.array(text), driver: nullable(text), path: text,
});

const pin = z.strictObject({
  kind: z.enum(['io_uring', 'vfio', 'iommufd', 'rdma', 'af_xdp', 'kvm', 'pipe', 'io-in-flight', 'other']), certainty: z.enum(['seen', 'possible', 'unseen']),
  bytes: nullable(bytes), evidence: text,
});

const processHolder = z.strictObject({
  kind: z.literal('process'), pid: count, startTime: nullable(count), comm: byteString, commandLine: byteString, uid: nullable(count), state: nullable(text),
  threads: nullable(count),
  mappings: z.array(z.strictObject({ start: z.number().nonnegative(), end: z.number().nonnegative(), perms: text, offset: z.number().nonnegative(), dev: deviceNumber, ino: z.number().nonnegative(), file: byteString, deleted: z.boolean() })),
  files: z.array(z.strictObject({ fd: z.int(), thread: count.exactOptional(), file: byteString, deleted: z.boolean(), flags: nullable(text) })),
  cwd: nullable(byteString), root: nullable(byteString), exe: nullable(byteString), pins: z.array(pin),
  vm: nullable(z.strictObject({ program: text, evidence: text })), unit: nullable(text), container: nullable(text), mountNamespace: nullable(count),
  sharesMemoryWith: z.array(count),
});

export const holder: z.ZodType<Holder> = z.discriminatedUnion('kind', [
  processHolder,
  z.strictObject({ kind: z.literal('mount'), namespaceId: count, seenBy: nullable(count), mountPoint: byteString, fsType: text, source: byteString, dax: nullable(text), dev: deviceNumber }),
  z.strictObject({ kind: z.literal('stack'), block: text, what: text }),
  z.strictObject({ kind: z.literal('swap'), path: byteString, usedBytes: bytes }),
  z.strictObject({ kind: z.literal('memory-block'), index: count, zone: nullable(text), node: nullable(count) }),
  z.strictObject({ kind: z.literal('memmap'), describes: text }),
]);

export const blockDevice: z.ZodType<BlockDevice> = z.strictObject({
  name: text, dev: deviceNumber, kind: z.enum(['pmem', 'partition', 'dm', 'md', 'loop', 'zram', 'other']), label: nullable(text), above: z.array(text),
  below: z.array(text), backingFile: nullable(text), sizeBytes: nullable(bytes), dax: nullable(z.boolean()),
});

export const mount: z.ZodType<Mount> = z.strictObject({
  namespaceId: count, seenBy: nullable(count), id: count, parent: count, dev: deviceNumber, root: byteString, mountPoint: byteString, fsType: text,
  source: byteString, options: z.array(text), superOptions: z.array(text), dax: nullable(text), shutdown: z.boolean(),
});

export const swap: z.ZodType<SwapArea> = z.strictObject({ path: byteString, type: z.enum(['partition', 'file']), sizeBytes: bytes, usedBytes: bytes, dev: nullable(deviceNumber), deleted: z.boolean() });
export const overlay: z.ZodType<OverlayLayer> = z.strictObject({ namespaceId: count, mountPoint: byteString, role: z.enum(['lower', 'upper', 'work']), directory: byteString, overlayDev: deviceNumber, onDev: nullable(deviceNumber) });
export const nfsExport: z.ZodType<NfsExport> = z.strictObject({ directory: byteString, clients: z.array(text), onDev: nullable(deviceNumber), file: text });
