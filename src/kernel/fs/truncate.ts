/**
 * truncate, unlink and reflink of DAX files (mm/truncate.c, fs/ext4/inode.c: ext4_setattr, fs/xfs/xfs_iops.c, fs/read_write.c;
 * 5.10 to 7.2). Blocks may be given away only when nobody holds their pages: the layout break waits for pins.
 */
import type { Kernel } from '../kernel.ts';
import { unmapMappingRange } from '../mm/memory.ts';
import { AT, BLOCKED, type Path } from '../state/path.ts';
import { PMEM } from '../drivers/nvdimm/pmem-words.ts';
import { daxBreakLayout, daxDeleteMappingRange } from './dax.ts';
import { diskRemove } from './disk.ts';
import { extentsOf, INODE, SB, setExtents } from './inode.ts';
import { evictInode } from './super.ts';

/** ftruncate to `pages` (shrinking): under the invalidate lock; layouts broken, entries deleted, blocks freed. */
export function* truncateFile(k: Kernel, inode: number, pages: number): Path {
  if (k.concurrent) yield AT('filemap_invalidate_lock');
  while (k.heap.load(inode + INODE.invalidateLock) !== 0) yield BLOCKED('D filemap_invalidate_lock');
  k.heap.store(inode + INODE.invalidateLock, -1);
  const before = k.heap.load(inode + INODE.pages);
  yield* k.call(daxBreakLayout, inode, pages, before);
  k.heap.store(inode + INODE.pages, pages);
  yield* k.call(unmapMappingRange, inode, pages, 0, 1);
  yield* k.call(daxDeleteMappingRange, inode, pages, before);
  setExtents(k, inode, extentsOf(k, inode).filter((e) => e.file < pages).map((e) => ({ ...e, pages: Math.min(e.pages, pages - e.file) })));
  k.heap.store(inode + INODE.invalidateLock, 0);
  return 0;
}

/** unlink: the name goes; the inode with its last user. */
export function* unlinkFile(k: Kernel, inode: number): Path {
  k.heap.add(inode + INODE.nlink, -1);
  diskRemove(k, k.heap.load(k.heap.load(inode + INODE.sb) + SB.disk) + PMEM.disk, inode);
  if (k.heap.load(inode + INODE.nlink) === 0 && k.heap.load(inode + INODE.count) === 0) yield* k.call(evictInode, inode);
  return 0;
}

/** FICLONE: both files share the blocks from now on; a write to either makes a copy (XFS with reflink). */
export function reflink(k: Kernel, from: number, to: number): void {
  const shared = extentsOf(k, from).map((e) => ({ ...e, shared: true }));
  setExtents(k, from, shared);
  setExtents(k, to, shared);
}
