/**
 * Set-up of persistent memory in fsdax mode: namespaces, file systems, files, and processes that hold them. Sizes in
 * bytes or pages as named; every function may be called on a running machine too.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import { addMedium, assignOwner, mediumOf } from '../domains.ts';
import { deviceAlloc, deviceData } from '../drivers/base/bus.ts';
import { bindStore, deviceAdd, unbindStore } from '../drivers/base/dd.ts';
import { MAP_DEV, MAP_MEM, ndPmemDriver, newPmem, PMEM, pmemData, pmemDax, pmemEnd } from '../drivers/nvdimm/pmem.ts';
import { daxBase, fsDaxGet } from '../drivers/dax/super.ts';
import { kmalloc } from '../mm/slab.ts';
import { diskAdd, diskLoad } from '../fs/disk.ts';
import { FEATURE_REFLINK, FEATURE_RMAPBT, FS_EXT4, FS_XFS, fsPart, INODE, INODE_REG, newInode, SB, SB_RDONLY, sbAddInode, sbSet, extentsOf, growInode, setExtents, type Extent } from '../fs/inode.ts';
import { allocBlocks, sbDax } from '../fs/iomap.ts';
import { fillSuper } from '../fs/super.ts';
import { GROUP_METADATA_PAGES } from '../fs/xfs/notify-failure.ts';
import type { Kernel } from '../kernel.ts';
import { unmapMappingRange } from '../mm/memory.ts';
import { memmapPages } from '../mm/sparse-vmemmap.ts';
import { allocResource, insertResource, IORESOURCE_MEM } from '../resource.ts';
import { prepareEntries } from '../fs/dax-entry.ts';
import { makeTable } from '../mm/page.ts';
import { must, run, type Ran } from './run.ts';

export interface PmemInput {
  /** `pfn0.0` for a namespace with an info block, as sysfs names it. */
  readonly name?: string;
  /** `namespace0.4` in /proc/iomem; of the same numbers as the device unless told. */
  readonly namespace?: string;
  /** First byte and bytes of the namespace; 2 MiB aligned. */
  readonly start: number;
  readonly size: number;
  /** Where the memmap lies. */
  readonly map?: 'mem' | 'dev';
  /** Bytes from the start to the data; 2 MiB for map=mem unless told. */
  readonly dataOffset?: number;
  readonly node?: number;
  /** Line of /proc/iomem for the range; null where it is there already. */
  readonly resource?: string | null;
}

/** A namespace in fsdax mode, bound to nd_pmem. Returns the device. */
export function addPmem(k: Kernel, input: PmemInput): number {
  const page = k.geo.pageSize;
  const startPfn = input.start / page;
  const endPfn = (input.start + input.size) / page;
  const memmap = input.map === 'dev' ? memmapPages(k, endPfn - startPfn) + 2 : 2;
  const dataPfn = startPfn + (input.dataOffset === undefined ? Math.ceil(memmap / 512) * 512 : input.dataOffset / page);
  const name = input.name ?? 'pfn0.0';
  const line = input.resource === undefined ? 'Persistent Memory' : input.resource;
  if (line !== null) insertResource(k, k.resources.root, allocResource(k, input.start, input.start + input.size - 1, line, IORESOURCE_MEM));
  addMedium(k, name, startPfn, endPfn);
  const pmem = newPmem(k, input.namespace ?? name.replace('pfn', 'namespace'), startPfn, endPfn, dataPfn, input.map === 'dev' ? MAP_DEV : MAP_MEM, input.node ?? 0);
  const dev = deviceAlloc(k, { bus: 'nd', name, data: pmem, numaNode: input.node ?? 0 });
  ndPmemDriver(k);
  must(k, deviceAdd(k, dev), `device ${name}`);
  if (pmemDax(k, dev) === 0) throw new UnseatError('INTERNAL', `simulated set-up failed: ${name} was not taken by nd_pmem`);
  if (k.concurrent) for (let pfn = dataPfn; pfn < endPfn; pfn += 512) makeTable(k, pfn);
  return dev;
}

export interface FsInput {
  readonly type: 'ext4' | 'xfs' | 'multi';
  /** `mkfs.xfs -m rmapbt=1`, `reflink=1`, allocation groups. */
  readonly rmapbt?: boolean;
  readonly reflink?: boolean;
  readonly groups?: number;
  readonly readOnly?: boolean;
  /** Security domain of what the file system holds. */
  readonly domain?: number;
}

/** mount -o dax=always on a bound namespace, after mkfs where it has no files yet. Returns the super block. */
export function mountFs(k: Kernel, dev: number, input: FsInput): number {
  const pmem = deviceData(k, dev);
  const sb = fsPart(k).supers.alloc();
  const pages = pmemEnd(k, pmem) - pmemData(k, pmem);
  k.heap.store(sb + SB.type, input.type === 'ext4' ? FS_EXT4 : input.type === 'xfs' ? FS_XFS : FS_XFS + 1);
  k.heap.store(sb + SB.daxDev, pmemDax(k, dev));
  k.heap.store(sb + SB.disk, pmem);
  k.heap.store(sb + SB.data, pmemData(k, pmem));
  k.heap.store(sb + SB.pages, pages);
  k.heap.store(sb + SB.groupPages, Math.ceil(pages / (input.groups ?? (input.type === 'xfs' ? 4 : 1))));
  k.heap.store(sb + SB.features, (input.rmapbt === true ? FEATURE_RMAPBT : 0) | (input.reflink === true ? FEATURE_REFLINK : 0));
  k.heap.store(sb + SB.nextIno, 2);
  k.heap.store(sb + SB.nextFree, GROUP_METADATA_PAGES);
  k.heap.store(sb + SB.domain, input.domain ?? 1);
  k.heap.store(sb + SB.name, k.names.of('pmem0'));
  k.heap.store(sb + SB.mounts, 1);
  if (input.readOnly === true) sbSet(k, sb, SB_RDONLY);
  assignOwner(k, pmemData(k, pmem), pmemData(k, pmem) + GROUP_METADATA_PAGES, input.domain ?? 1);
  diskLoad(k, pmem + PMEM.disk, sb);
  const rc = fillSuper(k, sb);
  if (rc < 0) throw new UnseatError('INTERNAL', `simulated mount failed with ${rc}`, { subject: k.names.text(k.heap.load(pmem + PMEM.name)) });
  return sb;
}

export interface FileInput {
  readonly pages: number;
  /** Allocation group to allocate in; the first unless told. */
  readonly group?: number;
  /** Page alignment of the extents; 512 lets the file be mapped by PMDs (ext4 does so by itself). */
  readonly align?: number;
  /** Pages that the first extent is moved off its alignment (an unaligned XFS layout). */
  readonly offBy?: number;
  readonly name?: string;
  readonly domain?: number;
  readonly unlinked?: boolean;
  /** As fallocate() leaves it: reads find zeroes that are no page of the device, until somebody writes. */
  readonly unwritten?: boolean;
  /** Extents as given, instead of allocating. */
  readonly extents?: readonly Extent[];
}

/** A fallocated file. Returns the inode, which nobody holds yet. */
export function createFile(k: Kernel, sb: number, input: FileInput): number {
  const inode = newInode(k, INODE_REG, input.pages);
  const domain = input.domain ?? k.heap.load(sb + SB.domain);
  const extents = (input.extents ?? allocateExtents(k, sb, input)).map((e): Extent => (input.unwritten === true ? { ...e, unwritten: true } : e));
  setExtents(k, inode, extents);
  k.heap.store(inode + INODE.domain, domain);
  k.heap.store(inode + INODE.name, k.names.of(input.name ?? 'f'));
  if (input.unlinked === true) k.heap.store(inode + INODE.nlink, 0);
  sbAddInode(k, sb, inode);
  if (input.unlinked !== true) diskAdd(k, k.heap.load(sb + SB.disk) + PMEM.disk, inode);
  for (const extent of extents) {
    const base = daxBase(k, sbDax(k, sb, extent.dev));
    if (!extent.shared) assignOwner(k, base + extent.device, base + extent.device + extent.pages, domain);
  }
  if (k.concurrent) prepareEntries(k, inode);
  return inode;
}

/** fallocate() of a file that is shorter: what it has stays, the rest is reserved. XFS breaks the file's layout for that, and thereby unmaps it. */
export function extendFile(k: Kernel, sb: number, inode: number, input: FileInput): void {
  const had = k.heap.load(inode + INODE.pages);
  const added = allocateExtents(k, sb, { ...input, pages: input.pages - had });
  const base = daxBase(k, sbDax(k, sb, 0));
  for (const e of added) assignOwner(k, base + e.device, base + e.device + e.pages, k.heap.load(inode + INODE.domain));
  setExtents(k, inode, [...extentsOf(k, inode), ...added.map((e): Extent => ({ ...e, file: e.file + had, unwritten: true }))]);
  growInode(k, inode, input.pages);
  if (k.heap.load(sb + SB.type) === FS_XFS) run(k, unmapMappingRange(k, inode, 0, had, 0));
}

/** Free blocks for a new file: one extent, or one in each allocation group where a group is too small (XFS). */
function allocateExtents(k: Kernel, sb: number, input: FileInput): Extent[] {
  const groupPages = k.heap.load(sb + SB.groupPages);
  const align = input.align ?? (input.pages >= 512 ? 512 : 1);
  const extents: Extent[] = [];
  let group = input.group ?? 0;
  for (let file = 0; file < input.pages; group += 1) {
    const floor = group * groupPages + GROUP_METADATA_PAGES;
    if (k.heap.load(sb + SB.nextFree) < floor) k.heap.store(sb + SB.nextFree, floor);
    const first = Math.ceil(k.heap.load(sb + SB.nextFree) / align) * align + (input.offBy ?? 0);
    const room = Math.min((group + 1) * groupPages, k.heap.load(sb + SB.pages)) - first;
    if (room <= 0 && (group + 1) * groupPages < k.heap.load(sb + SB.pages)) continue;
    const whole = room >= input.pages - file ? input.pages - file : room - (room % align);
    if (whole <= 0 || allocBlocks(k, sb, whole + (input.offBy ?? 0), align) < 0) throw new UnseatError('INTERNAL', 'simulated file system is full');
    extents.push({ file, device: first, pages: whole, shared: false, dev: 0 });
    file += whole;
  }
  return extents;
}

/** `echo NAME > .../nd_pmem/unbind`. */
export const unbindPmem = (k: Kernel, dev: number): Ran => run(k, unbindStore(k, ndPmemDriver(k), dev));
/** `echo NAME > .../nd_pmem/bind`. */
export const bindPmem = (k: Kernel, dev: number): Ran => run(k, bindStore(k, ndPmemDriver(k), dev));

/** Gives the data of a namespace to a new security domain: mkfs by somebody else, a new tenant. Values stay. */
export function handOver(k: Kernel, dev: number, domain: number): void {
  const pmem = deviceData(k, dev);
  assignOwner(k, pmemData(k, pmem), pmemEnd(k, pmem), domain);
}

/** What mkfs does to the files of a namespace: none of them is found any more. */
export function forgetFiles(k: Kernel, dev: number): void {
  k.heap.store(deviceData(k, dev) + PMEM.disk, 0);
}

/** Page frames of a namespace, half open. */
export const pmemRange = (k: Kernel, dev: number): readonly [number, number] => {
  const medium = mediumOf(k, pmemData(k, deviceData(k, dev)));
  return medium === null ? [0, 0] : [medium.startPfn, medium.endPfn];
};

/**
 * A file system over several namespaces (3e): metadata on the first. `devs` are bound namespaces; extents name them by
 * number. Returns the super block.
 */
export function mountMulti(k: Kernel, devs: readonly number[]): number {
  const sb = mountFs(k, devs[0] as number, { type: 'multi' });
  const table = kmalloc(k.heap, devs.length + 1);
  k.heap.store(table, devs.length);
  devs.forEach((dev, i) => {
    const dax = pmemDax(k, dev);
    if (i > 0) {
      k.heap.store(table + i, dax);
      fsDaxGet(k, dax, sb, true);
    }
  });
  k.heap.store(sb + SB.extraDevs, table);
  return sb;
}
