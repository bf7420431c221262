/**
 * What a simulated machine has beside its kernel's state: names, numbers and places in sysfs that never change after
 * set-up. The heap has what changes.
 */
import { INODE, INODE_CHR, SB } from '../fs/inode.ts';
import { DEVDAX } from '../drivers/dax/bus.ts';
import { deviceData } from '../drivers/base/bus.ts';
import type { Kernel } from '../kernel.ts';
import { parentOf } from '../task.ts';
import { pointOf, type MountTable } from './mount-table.ts';

/** A namespace of persistent memory, with the devices that stand for it on the nd bus. Bytes, half open. */
export interface PmemPlace {
  /** The device that nd_pmem is bound to: heap address. */
  readonly device: number;
  /** `ndbus0`, and its real sysfs directory. */
  readonly bus: string;
  readonly busPath: string;
  /** `ACPI.NFIT`, `e820`, `cxl`, `virtio`. */
  readonly provider: string;
  readonly region: string;
  readonly regionStart: number;
  readonly regionSize: number;
  /** nvdimm behind the region, null for legacy ranges. */
  readonly dimm: string | null;
  readonly namespace: string;
  /** `pfn0.0`; null for a raw namespace, which is bound itself. */
  readonly claimant: string | null;
  readonly start: number;
  readonly size: number;
  readonly dataOffset: number;
  readonly memmap: 'mem' | 'dev';
  readonly align: number;
  readonly uuid: string;
  readonly node: number;
  /** `align` of the region; 16 MiB unless told. */
  readonly regionAlign?: number;
  /** Chosen `sector_size` of the namespace; a namespace without a label has no such file. */
  readonly sectorSize?: number;
  /** `persistence_domain` of the region, where it has that file. */
  readonly persistenceDomain?: string;
  /** `pmem0`. */
  readonly block: string;
  /** `259:0`. */
  readonly dev: string;
  /** In sector mode: the claimant is a BTT, the disk is `pmem0s` and has no DAX. */
  readonly btt?: true;
}

/** A disk that is no memory: of a PCI card. */
export interface DiskPlace {
  /** The PCI device: heap address. */
  readonly device: number;
  /** `vda`, `253:0`. */
  readonly block: string;
  readonly dev: string;
  /** Real sysfs directory of the PCI function, bytes of the disk. */
  readonly path: string;
  readonly size: number;
}

/** A dax device on the dax bus. */
export interface DaxPlace {
  /** Heap address of the device on bus `dax`. */
  readonly device: number;
  readonly name: string;
  /** Character device number. */
  readonly dev: string;
  /** Real sysfs directory. */
  readonly path: string;
  readonly align: number;
  readonly targetNode: number;
  /** `numa_node` where it is not the namespace's or the target node; -1 below a CXL region. */
  readonly numaNode?: number;
  /** The nd namespace that it is made from, where it is. */
  readonly pmem: Omit<PmemPlace, 'device' | 'block' | 'dev'> | null;
}

/** A namespace that a BTT claims and no driver has: in sysfs, and in nobody's memory. */
export type IdlePlace = DaxPlace['pmem'] & object & { readonly sectorSize: number };

/** A CXL memory card, with the region over it where there is one (0: none). */
export interface CardPlace {
  readonly name: string;
  readonly index: number;
  readonly memdev: number;
  /** `0000:0d:00.0` */
  readonly pci: string;
  readonly memory: 'volatile' | 'persistent';
  /** Bytes. */
  readonly size: number;
  readonly region: number;
  readonly regionName: string;
  /** What a twin has as its machine had it: real directory of the PCI function, `endpoint2`, serial number, node, firmware. */
  readonly pciPath?: string;
  readonly endpoint?: string;
  readonly serial?: string;
  readonly numaNode?: number;
  readonly firmware?: string;
}

/** The host bridge that the cards hang on. */
export interface CxlPlaces {
  /** Real directory of `root0`. */
  readonly root: string;
  /** Port below it, `port1`. */
  readonly port: string;
  /** Decoders of the port and of each endpoint. */
  readonly decoders: number;
  /** Window of the root decoder; bytes, half open. */
  readonly window: { readonly start: number; readonly end: number } | null;
}

/** Devices that come and go with hardware: heap addresses and names. */
export interface HotplugPlaces {
  readonly cards: readonly CardPlace[];
  readonly cxl?: CxlPlaces;
  readonly slots: readonly { readonly name: string; readonly slot: number; readonly address: string }[];
  readonly dimms: readonly { readonly name: string; readonly dimm: number }[];
  /** `path`: its real sysfs directory, where it is not the usual one. */
  readonly virtioMems: readonly { readonly name: string; readonly vm: number; readonly path?: string }[];
}

export interface World {
  readonly hotplug?: HotplugPlaces;
  readonly k: Kernel;
  readonly label: string;
  readonly release: string;
  readonly version: string;
  readonly cmdline: string;
  readonly pmems: readonly PmemPlace[];
  readonly daxes: readonly DaxPlace[];
  readonly disks?: readonly DiskPlace[];
  readonly idle?: readonly IdlePlace[];
  /** nd buses beside those of the namespaces: of a CXL root without a pmem region. */
  readonly ndBuses?: readonly { readonly name: string; readonly path: string; readonly provider: string }[];
  readonly mounts: MountTable;
  /** Mount namespaces of processes that are not in the first: by heap address of the task. */
  readonly namespaceOf: ReadonlyMap<number, number>;
  /** What each program is called, by heap address of the task: command line with spaces. */
  readonly commandOf: ReadonlyMap<number, string>;
  /** Further lines of /proc/iomem that nothing in the simulated kernel stands for (firmware, PCI windows): in the resource tree. */
  readonly cpus: number;
  /** Device number of devtmpfs, where it is not the usual one. */
  readonly devtmpfs?: string;
  /** False: nobody lets the first sector of a block device be read. */
  readonly blocksUnreadable?: boolean;
}

export const FIRST_NAMESPACE = 4026531841;
export const MEMFD_DEV = '0:1';
export const DEVTMPFS_DEV = '0:5';

export function namespaceOfTask(world: World, task: number): number {
  for (let at = task; at !== 0; at = parentOf(world.k, at)) {
    const own = world.namespaceOf.get(at);
    if (own !== undefined) return own;
  }
  return FIRST_NAMESPACE;
}

export interface BlockPlace {
  /** What stands for the disk in the heap: it outlives its device, as the mounts on it do. */
  readonly record: number;
  readonly block: string;
  readonly dev: string;
}
const known = new WeakMap<World, readonly BlockPlace[]>();

/** Every block device that ever was. First asked for while all devices are there. */
export function blockPlaces(world: World): readonly BlockPlace[] {
  const places = known.get(world) ?? [...world.pmems, ...(world.disks ?? [])].map(({ device, block, dev }) => ({ record: deviceData(world.k, device), block, dev }));
  known.set(world, places);
  return places;
}

export interface InodeView {
  /** `major:minor` of the file system. */
  readonly dev: string;
  readonly ino: number;
  /** Path as the process sees it; ` (deleted)` appended where it is. */
  readonly path: string;
  /** For device nodes. */
  readonly rdev?: string;
  readonly deleted: boolean;
}

/** What /proc shows of an inode that a process in `namespace` uses. */
export function inodeView(world: World, inode: number, namespace: number): InodeView {
  const { k } = world;
  const name = k.names.text(k.heap.load(inode + INODE.name));
  if (k.heap.load(inode + INODE.kind) === INODE_CHR) return charView(world, inode);
  const sb = k.heap.load(inode + INODE.sb);
  const ino = k.heap.load(inode + INODE.ino);
  const deleted = k.heap.load(inode + INODE.nlink) === 0;
  const tail = deleted ? ' (deleted)' : '';
  if (sb === 0) return { dev: MEMFD_DEV, ino, path: `/memfd:${name} (deleted)`, deleted: true };
  const disk = k.heap.load(sb + SB.disk);
  const dev = blockPlaces(world).find((p) => p.record === disk)?.dev ?? '0:0';
  const point = pointOf(world.mounts, sb, namespace) ?? '';
  return { dev, ino, path: `${point}${name === '' ? (point === '' ? '/' : '') : `/${name}`}${tail}`, deleted };
}

function charView(world: World, inode: number): InodeView {
  const { k } = world;
  const dax = world.daxes.find((d) => k.heap.load(deviceData(k, d.device) + DEVDAX.inode) === inode);
  const index = dax === undefined ? 0 : world.daxes.indexOf(dax);
  return { dev: world.devtmpfs ?? DEVTMPFS_DEV, ino: 300 + index, path: `/dev/${dax?.name ?? 'dax'}`, deleted: false, ...(dax === undefined ? {} : { rdev: dax.dev }) };
}
