/**
 * What a DAX fault asks its file system (fs/iomap, fs/ext4/inode.c: ext4_iomap_begin, fs/xfs/xfs_iomap.c: xfs_*_iomap_begin;
 * 5.10 to 7.2): is the file system fit for it, which block holds the page, and make one where a write meets a hole or a
 * shared extent.
 */
import { EIO, ENOSPC } from '../errno.ts';
import { DAXDEV } from '../drivers/dax/super.ts';
import type { Kernel } from '../kernel.ts';
import { assignOwner, writeMemory } from '../domains.ts';
import { daxBase } from '../drivers/dax/super.ts';
import { extentAt, extentsOf, FS_XFS, INODE, SB, SB_SHUTDOWN, sbHas, setExtents, type Extent } from './inode.ts';

/** The dax_device behind device number `dev` of a super block (0: the first or only one). */
export function sbDax(k: Kernel, sb: number, dev: number): number {
  return dev === 0 ? k.heap.load(sb + SB.daxDev) : k.heap.load(k.heap.load(sb + SB.extraDevs) + dev);
}

/**
 * Whether the file system answers a mapping request now: XFS refuses everything after a shutdown (xfs_is_shutdown in
 * iomap_begin); ext4 looks at it in ext4_journal_start only, which DAX reads do not need.
 */
export function iomapBegin(k: Kernel, inode: number): number {
  const sb = k.heap.load(inode + INODE.sb);
  return k.heap.load(sb + SB.type) === FS_XFS && sbHas(k, sb, SB_SHUTDOWN) ? -EIO : 0;
}

/** Takes `pages` free pages of the file system, aligned; the first page of the device's data area, or -ENOSPC. */
export function allocBlocks(k: Kernel, sb: number, pages: number, align: number): number {
  const free = k.heap.load(sb + SB.nextFree);
  const first = Math.ceil(free / align) * align;
  if (first + pages > k.heap.load(sb + SB.pages)) return -ENOSPC;
  k.heap.store(sb + SB.nextFree, first + pages);
  return first;
}

/** ext4_map_blocks / xfs_bmapi_write with allocation: page `index` gets a block of its own. 0 or -errno. */
export function iomapAllocate(k: Kernel, inode: number, index: number): number {
  const sb = k.heap.load(inode + INODE.sb);
  const block = allocBlocks(k, sb, 1, 1);
  if (block < 0) return block;
  const old = extentsOf(k, inode).flatMap((e) => cutOut(e, index));
  setExtents(k, inode, [...old, { file: index, device: block, pages: 1, shared: false, dev: 0 }].sort((a, b) => a.file - b.file));
  const base = daxBase(k, sbDax(k, sb, 0));
  assignOwner(k, base + block, base + block + 1, k.heap.load(inode + INODE.domain));
  return 0;
}

/** ext4_convert_unwritten_extents / xfs_iomap_write_direct with zeroing: pages [from, from + pages) of a reserved file are written, with zeroes. */
export function iomapConvert(k: Kernel, inode: number, from: number, pages: number): void {
  const base = daxBase(k, sbDax(k, k.heap.load(inode + INODE.sb), 0));
  const parts = extentsOf(k, inode).flatMap((e) => (e.unwritten === true ? written(e, from, from + pages) : [e]));
  for (const e of parts) {
    if (e.unwritten === true) continue;
    const [first, end] = [Math.max(from, e.file), Math.min(from + pages, e.file + e.pages)];
    const before = extentsOf(k, inode).filter((o) => o.unwritten === true);
    for (let page = first; page < end; page += 1) if (before.some((o) => page >= o.file && page < o.file + o.pages)) zeroPage(k, base + e.device + page - e.file, inode);
  }
  setExtents(k, inode, joined(parts));
}

const zeroPage = (k: Kernel, pfn: number, inode: number): void => writeMemory(k, pfn, 0, k.heap.load(inode + INODE.domain));

/** An unwritten extent of which [from, end) is written now. */
function written(e: Extent, from: number, end: number): Extent[] {
  const part = (a: number, b: number, unwritten: boolean): Extent[] => {
    const [first, last] = [Math.max(a, e.file), Math.min(b, e.file + e.pages)];
    return last <= first ? [] : [{ file: first, device: e.device + first - e.file, pages: last - first, shared: e.shared, dev: e.dev, ...(unwritten ? { unwritten: true as const } : {}) }];
  };
  return [...part(e.file, from, true), ...part(from, end, false), ...part(end, e.file + e.pages, true)];
}

/** Neighbours that go on where the one before ends become one. */
function joined(extents: readonly Extent[]): Extent[] {
  const found: Extent[] = [];
  for (const e of extents) {
    const last = found.at(-1);
    if (last !== undefined && last.file + last.pages === e.file && last.device + last.pages === e.device && last.shared === e.shared && last.dev === e.dev && last.unwritten === e.unwritten) found[found.length - 1] = { ...last, pages: last.pages + e.pages };
    else found.push(e);
  }
  return found;
}

function cutOut(e: Extent, index: number): Extent[] {
  if (index < e.file || index >= e.file + e.pages) return [e];
  const before = { ...e, pages: index - e.file };
  const after = { ...e, file: index + 1, device: e.device + index + 1 - e.file, pages: e.file + e.pages - index - 1 };
  return [before, after].filter((part) => part.pages > 0);
}

/** Extent that maps page `index`, read under the file system's locks. */
export const iomapExtent = (k: Kernel, inode: number, index: number): Extent | null => extentAt(k, inode, index);

export const daxDevOfExtent = (k: Kernel, inode: number, extent: Extent): number => sbDax(k, k.heap.load(inode + INODE.sb), extent.dev);
export const daxHolderSb = (k: Kernel, dax: number): number => k.heap.load(dax + DAXDEV.holder);
