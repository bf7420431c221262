/**
 * Inodes, their address_space and super blocks, as far as DAX needs them (include/linux/fs.h, fs/inode.c, fs/super.c;
 * 5.10 to 7.2). An inode's address_space is the inode here: `i_mmap` is a list of VMAs, `i_pages` a table of DAX entries
 * (fs/dax.ts), one pair of words for each 2 MiB of the file, which may point to a table of 512 single pages.
 */
import type { Kernel } from '../kernel.ts';
import { kfree, kmalloc } from '../mm/slab.ts';
import { Slab } from '../state/slab.ts';

export const INODE = {
  ino: 0, kind: 1, sb: 2, count: 3, nlink: 4, pages: 5, iMmap: 6, iPages: 7, slots: 8, extents: 9, invalidateLock: 10, pagesLock: 11,
  next: 12, dev: 13, domain: 14, name: 15, dirty: 16, synced: 17, words: 18,
} as const;

export const INODE_REG = 1;
export const INODE_CHR = 2;
export const INODE_BLK = 3;

/** Words of a super block. `daxDev`: the dax_device that it sits on; `files`: what keeps its mounts busy (open files, VMAs, directories). */
export const SB = {
  type: 0, flags: 1, daxDev: 2, disk: 3, inodes: 4, mounts: 5, frozen: 6, data: 7, pages: 8, groupPages: 9, nextIno: 10, nextFree: 11,
  domain: 12, sUmount: 13, next: 14, features: 15, dying: 16, name: 17, logDev: 18, extraDevs: 19, files: 20, words: 21,
} as const;

export const FS_EXT4 = 1;
export const FS_XFS = 2;
/** A file system over several devices, one extent here, one there (3e). */
export const FS_MULTI = 3;

/** Super block flags: ext4's EXT4_FLAGS_SHUTDOWN and XFS's XFS_OPSTATE_SHUTDOWN are one bit here. */
export const SB_SHUTDOWN = 1;
export const SB_RDONLY = 2;
export const SB_BORN = 4;
export const SB_JOURNAL_ABORTED = 8;
/** Shut down by ioctl with NOLOGFLUSH (flag 2): what was not synced before is lost at the next mount. */
export const SB_NOLOGFLUSH = 16;
/** It was shut down because metadata is corrupt (SHUTDOWN_CORRUPT_ONDISK). */
export const SB_CORRUPT = 32;

export const FEATURE_RMAPBT = 1;
export const FEATURE_REFLINK = 2;

export class FsPart {
  readonly inodes: Slab;
  readonly supers: Slab;
  /** Word: first super block. */
  readonly head: number;

  constructor(k: Kernel) {
    this.inodes = new Slab(k.heap, 'inode', INODE.words);
    this.supers = new Slab(k.heap, 'super_block', SB.words, 8);
    this.head = k.heap.reserve(1);
  }
}
const makeFsPart = (k: Kernel): FsPart => new FsPart(k);
export const fsPart = (k: Kernel): FsPart => k.part(makeFsPart);

/** Pages of one slot of `i_pages`. */
export const SLOT_PAGES = 512;

/** new_inode: an inode with room for DAX entries of `pages` pages, on no list. */
export function newInode(k: Kernel, kind: number, pages: number): number {
  const inode = fsPart(k).inodes.alloc();
  const slots = Math.ceil(pages / SLOT_PAGES);
  k.heap.store(inode + INODE.kind, kind);
  k.heap.store(inode + INODE.pages, pages);
  k.heap.store(inode + INODE.nlink, 1);
  k.heap.store(inode + INODE.slots, slots);
  if (slots > 0) k.heap.store(inode + INODE.iPages, kmalloc(k.heap, 2 * slots));
  return inode;
}

/** i_size grows to `pages`: more room for DAX entries. */
export function growInode(k: Kernel, inode: number, pages: number): void {
  const [old, slots] = [k.heap.load(inode + INODE.slots), Math.ceil(pages / SLOT_PAGES)];
  if (slots > old) {
    const [from, to] = [k.heap.load(inode + INODE.iPages), kmalloc(k.heap, 2 * slots)];
    for (let at = 0; at < 2 * old; at += 1) k.heap.store(to + at, k.heap.load(from + at));
    if (old > 0) kfree(k.heap, from, 2 * old);
    k.heap.store(inode + INODE.iPages, to);
    k.heap.store(inode + INODE.slots, slots);
  }
  k.heap.store(inode + INODE.pages, pages);
}

/** Links a new inode into its super block (inode_sb_list_add). */
export function sbAddInode(k: Kernel, sb: number, inode: number): void {
  k.heap.store(inode + INODE.sb, sb);
  k.heap.store(inode + INODE.ino, k.heap.add(sb + SB.nextIno, 1) - 1);
  k.heap.store(inode + INODE.next, k.heap.load(sb + SB.inodes));
  k.heap.store(sb + SB.inodes, inode);
}

/** I_FREEING: eviction has begun, nobody may take it any more. Kept as a link count below 0. */
export const inodeFreeing = (k: Kernel, inode: number): boolean => k.heap.load(inode + INODE.nlink) < 0;

/** sb->s_inodes, newest first. */
export function* inodesOf(k: Kernel, sb: number): Generator<number> {
  for (let inode = k.heap.load(sb + SB.inodes); inode !== 0; inode = k.heap.load(inode + INODE.next)) yield inode;
}

/** Takes an evicted inode off its super block and frees it with its tables. */
export function destroyInode(k: Kernel, inode: number): void {
  const sb = k.heap.load(inode + INODE.sb);
  if (sb !== 0) {
    let link = sb + SB.inodes;
    while (k.heap.load(link) !== inode && k.heap.load(link) !== 0) link = k.heap.load(link) + INODE.next;
    if (k.heap.load(link) === inode) k.heap.store(link, k.heap.load(inode + INODE.next));
  }
  const slots = k.heap.load(inode + INODE.slots);
  if (slots > 0) kfree(k.heap, k.heap.load(inode + INODE.iPages), 2 * slots);
  const extents = k.heap.load(inode + INODE.extents);
  if (extents !== 0) kfree(k.heap, extents, extentTableWords(k.heap.load(extents + 1)));
  fsPart(k).inodes.free(inode);
}

/** An extent of a file: page in the file, page on the device, pages; `shared`: bit 0 reflinked, bit 1 unwritten; `dev`: which device of several. */
export const EXTENT = { file: 0, device: 1, pages: 2, shared: 3, dev: 4, words: 5 } as const;

export interface Extent {
  readonly file: number;
  /** Page of the device's data area. */
  readonly device: number;
  readonly pages: number;
  readonly shared: boolean;
  /** Reserved by fallocate() and never written: reads find a hole. */
  readonly unwritten?: true;
  readonly dev: number;
}

/** Words of an extent table: count, capacity, then the extents. */
export const extentTableWords = (capacity: number): number => 2 + EXTENT.words * capacity;
/** Room for extents that an explored path may add (a copy on write splits one into three), where no path may grow the heap. */
const SPARE_EXTENTS = 6;

export function setExtents(k: Kernel, inode: number, extents: readonly Extent[]): void {
  const old = k.heap.load(inode + INODE.extents);
  let table = old;
  if (old === 0 || k.heap.load(old + 1) < extents.length) {
    if (old !== 0) kfree(k.heap, old, extentTableWords(k.heap.load(old + 1)));
    const capacity = extents.length + (k.concurrent ? SPARE_EXTENTS : 0);
    table = kmalloc(k.heap, extentTableWords(capacity));
    k.heap.store(table + 1, capacity);
  }
  k.heap.store(table, extents.length);
  extents.forEach((e, i) => {
    const at = table + 2 + i * EXTENT.words;
    k.heap.store(at + EXTENT.file, e.file);
    k.heap.store(at + EXTENT.device, e.device);
    k.heap.store(at + EXTENT.pages, e.pages);
    k.heap.store(at + EXTENT.shared, (e.shared ? 1 : 0) | (e.unwritten === true ? 2 : 0));
    k.heap.store(at + EXTENT.dev, e.dev);
  });
  k.heap.store(inode + INODE.extents, table);
}

function sharing(k: Kernel, at: number): Pick<Extent, 'shared' | 'unwritten'> {
  const word = k.heap.load(at + EXTENT.shared);
  return (word & 2) === 0 ? { shared: word === 1 } : { shared: (word & 1) === 1, unwritten: true };
}

/** Extents of a file in file order. */
export function extentsOf(k: Kernel, inode: number): Extent[] {
  const table = k.heap.load(inode + INODE.extents);
  if (table === 0) return [];
  return Array.from({ length: k.heap.load(table) }, (_, i) => {
    const at = table + 2 + i * EXTENT.words;
    return {
      file: k.heap.load(at + EXTENT.file),
      device: k.heap.load(at + EXTENT.device),
      pages: k.heap.load(at + EXTENT.pages),
      ...sharing(k, at),
      dev: k.heap.load(at + EXTENT.dev),
    };
  });
}

/** iomap: the extent that holds page `index` of the file, or null for a hole. */
export function extentAt(k: Kernel, inode: number, index: number): Extent | null {
  const table = k.heap.load(inode + INODE.extents);
  const count = table === 0 ? 0 : k.heap.load(table);
  for (let i = 0; i < count; i += 1) {
    const at = table + 2 + i * EXTENT.words;
    const file = k.heap.load(at + EXTENT.file);
    const pages = k.heap.load(at + EXTENT.pages);
    if (index < file || index >= file + pages) continue;
    return { file, device: k.heap.load(at + EXTENT.device), pages, ...sharing(k, at), dev: k.heap.load(at + EXTENT.dev) };
  }
  return null;
}

/** ihold / the reference that an open file, a VMA or a working directory has on its inode. */
export function ihold(k: Kernel, inode: number): void {
  k.heap.add(inode + INODE.count, 1);
  const sb = k.heap.load(inode + INODE.sb);
  if (sb !== 0) k.heap.add(sb + SB.files, 1);
}

/** Super blocks, newest first. */
export function* superBlocks(k: Kernel): Generator<number> {
  for (let sb = k.heap.load(fsPart(k).head); sb !== 0; sb = k.heap.load(sb + SB.next)) yield sb;
}

export const sbHas = (k: Kernel, sb: number, flag: number): boolean => (k.heap.load(sb + SB.flags) & flag) !== 0;
export function sbSet(k: Kernel, sb: number, flag: number): void {
  k.heap.store(sb + SB.flags, k.heap.load(sb + SB.flags) | flag);
}
