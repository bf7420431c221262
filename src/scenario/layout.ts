/** The machine of a scenario: memory, devices, and what they are used as. Nothing here speaks of QEMU. */
import { z } from 'zod';
import { name, node, pages, path, size } from './words.ts';

const GiB = 1024 ** 3;
const deviceNode = node.default(0).describe('NUMA node of the memory.');

export const nvdimm = z.strictObject({
  name,
  size: pages.describe('Usable bytes, without the label area.'),
  labels: size.default(16 * 1024 ** 2).describe('Bytes of label area; 0 for an NVDIMM without labels.'),
  node: deviceNode,
});

export const memmapPmem = z.strictObject({
  name,
  size: pages,
  at: pages.describe('Physical address; boot RAM that memmap=SIZE!ADDRESS turns into legacy persistent memory.'),
});

export const namespace = z.strictObject({
  name,
  on: name.describe('The nvdimm, memmap range or persistent CXL device it lies on.'),
  mode: z.enum(['fsdax', 'devdax', 'sector', 'raw']),
  map: z.enum(['mem', 'dev']).default('mem').describe('Where its struct pages live: RAM or the device itself.'),
  size: pages.optional().describe('Absent: all that is free.'),
  align: size.optional(),
  later: z.boolean().default(false).describe('Not made at the start: a `create` step makes it, or is refused.'),
});

export const dimm = z.strictObject({ name, size: pages, node: deviceNode, plugged: z.boolean().default(true).describe('In its slot from the start.') });

export const virtioMem = z.strictObject({
  name,
  size: pages,
  requested: pages.describe('Bytes that the host asks the guest to have plugged at the start.'),
  block: size.default(2 * 1024 ** 2),
  node: deviceNode,
});

export const virtioPmem = z.strictObject({ name, size: pages });

export const cxlDevice = z.strictObject({
  name,
  size: pages,
  memory: z.enum(['volatile', 'persistent']),
  use: z.enum(['system-ram', 'devdax', 'namespaces', 'none']).describe('What a region over the whole device is used as; none: no region.'),
});

export const disk = z.strictObject({
  name,
  size: pages,
  bytesPerSecond: size.optional().describe('Slows reads down, so that an O_DIRECT transfer stays in flight.'),
  hotplug: z.enum(['none', 'pciehp', 'acpiphp']).default('none').describe('The kind of slot it sits in.'),
});

export const machine = z.strictObject({
  cpus: z.number().int().min(1).max(64).default(2),
  ram: pages.default(2 * GiB).describe('Boot RAM where no nodes are given.'),
  nodes: z.array(z.strictObject({ ram: pages.describe('Boot RAM of the node; 0 for a node that only hot-added memory will have.') })).min(1).max(8).optional(),
  autoOnline: z.enum(['offline', 'online', 'online_kernel', 'online_movable']).default('offline').describe('/sys/devices/system/memory/auto_online_blocks'),
  modules: z.array(z.enum(['kmem'])).default([]).describe('Modules of drivers that no device of the machine asks for at the start.'),
  memmapOnMemory: z.boolean().default(false).describe('memory_hotplug.memmap_on_memory'),
  memmapPmem: z.array(memmapPmem).default([]),
  nvdimms: z.array(nvdimm).default([]),
  namespaces: z.array(namespace).default([]),
  dimms: z.array(dimm).default([]),
  virtioMem: z.array(virtioMem).default([]),
  virtioPmem: z.array(virtioPmem).default([]),
  cxl: z.array(cxlDevice).default([]),
  disks: z.array(disk).default([]),
});

/** A device used as System RAM: kmem for a devdax namespace; for CXL, virtio-mem and DIMMs, how its blocks are brought online. */
export const systemRam = z.strictObject({
  device: name,
  online: z.enum(['movable', 'kernel', 'offline']),
});

export const filesystem = z.strictObject({
  on: name.describe('An fsdax, raw or sector namespace, a virtio-pmem device or a disk.'),
  at: path,
  type: z.enum(['ext4', 'xfs']),
  dax: z.enum(['always', 'inode', 'never']).default('always'),
  readOnly: z.boolean().default(false),
  rmapbt: z.boolean().default(false).describe('XFS reverse-mapping b-tree.'),
  reflink: z.boolean().default(false).describe('XFS shared extents.'),
  aligned: z.boolean().default(true).describe('Extents aligned to 2 MiB, so that files can be mapped by PMD entries (XFS needs it said).'),
  groups: z.number().int().min(1).max(64).default(4).describe('XFS allocation groups.'),
  mkfs: z.array(z.string()).default([]).describe('Further arguments of mkfs.'),
  options: z.array(z.string()).default([]).describe('Further mount options.'),
  mounted: z.boolean().default(true).describe('Mounted at the start.'),
});

export const swap = z.strictObject({ on: name });

export type Machine = z.output<typeof machine>;
export type Namespace = z.output<typeof namespace>;
export type Filesystem = z.output<typeof filesystem>;
export type SystemRam = z.output<typeof systemRam>;
export type Disk = z.output<typeof disk>;

export type DeviceKind = 'nvdimm' | 'memmap-pmem' | 'namespace' | 'dimm' | 'virtio-mem' | 'virtio-pmem' | 'cxl' | 'disk';

/** Every named device of the machine with its kind, in the order of the file. */
export function devicesOf(m: Machine): { name: string; kind: DeviceKind; list: string; index: number }[] {
  const list = (kind: DeviceKind, key: keyof Machine, items: readonly { name: string }[]) =>
    items.map((item, index) => ({ name: item.name, kind, list: key, index }));
  return [
    ...list('memmap-pmem', 'memmapPmem', m.memmapPmem), ...list('nvdimm', 'nvdimms', m.nvdimms), ...list('namespace', 'namespaces', m.namespaces),
    ...list('dimm', 'dimms', m.dimms), ...list('virtio-mem', 'virtioMem', m.virtioMem), ...list('virtio-pmem', 'virtioPmem', m.virtioPmem),
    ...list('cxl', 'cxl', m.cxl), ...list('disk', 'disks', m.disks),
  ];
}
