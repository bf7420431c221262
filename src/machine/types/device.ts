import type { PhysRange } from '../../range/phys-range.ts';

/**
 * A removable unit. Units nest: a PCI slot holds a memdev, a memdev serves a region, a region holds namespaces; taking
 * one takes everything in `contains`, and the plan for it starts there.
 */
export type DeviceKind =
  | 'fsdax' | 'devdax' | 'kmem' | 'raw-pmem' | 'btt' | 'virtio-mem' | 'virtio-pmem' | 'dimm' | 'memory-block'
  | 'nvdimm-region' | 'cxl-region' | 'cxl-memdev' | 'pci-slot' | 'unbound';

export interface Device {
  /** Unique on the machine: `fsdax:namespace0.0`, `kmem:dax0.0`, `cxl-region:region0`, `memory-block:32`. */
  readonly id: string;
  readonly kind: DeviceKind;
  /** The name shown to people: `pmem0`, `dax0.0`, `region0`. */
  readonly name: string;
  /** Every other name it goes by: `namespace0.0`, `pfn0.0`, `/dev/pmem0`, `/mnt`, `0000:0d:00.0`. */
  readonly aliases: readonly string[];
  readonly ranges: readonly PhysRange[];
  /** Bytes. */
  readonly size: number;
  /** What it is used for now, a few words: `ext4 on /mnt (dax=always)`, `System RAM, node 1, Movable`, `not in use`. */
  readonly use: string;
  /** Device numbers by which processes hold it: of the file systems on it, of its character device, of stacked devices. */
  readonly deviceNumbers: readonly string[];
  /** Indexes of its memory blocks where it is used as RAM. */
  readonly blocks: readonly number[];
  readonly nodes: readonly number[];
  /** Ids of devices that go when this one goes. Memory blocks are not repeated here: they are in `blocks`. */
  readonly contains: readonly string[];
  /** Ids of devices that this one is part of. */
  readonly partOf: readonly string[];
  readonly driver: string | null;
  /** Sysfs directory of the device that is unbound. */
  readonly path: string;
}
