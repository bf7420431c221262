/**
 * Write-back of DAX files (fs/dax.c: dax_writeback_mapping_range, dax_writeback_one; fs/ext4/inode.c: ext4_dax_writepages;
 * fs/xfs/xfs_aops.c: xfs_dax_writepages; fs/sync.c; 5.10 to 7.2). What matters for a removal: writing an entry back
 * write-protects it in every process, and a file system that was shut down by ioctl may not write back at all.
 */
import { EIO } from '../errno.ts';
import { daxAlive } from '../drivers/dax/super.ts';
import type { Kernel } from '../kernel.ts';
import { mkcleanRange } from '../mm/memory.ts';
import { AT, type Path } from '../state/path.ts';
import { DAX_DIRTY, DAX_LOCKED, entriesIn, entryFlags, entryHasPages, entryPages, unlockedEntry, unlockEntry } from './dax-entry.ts';
import { diskLogged } from './disk.ts';
import { FS_EXT4, FS_XFS, INODE, inodesOf, SB, SB_SHUTDOWN, sbHas } from './inode.ts';

/** ext4 asks for its shutdown flag before it writes back; XFS does not. */
function writepagesRefused(k: Kernel, sb: number): boolean {
  return k.heap.load(sb + SB.type) === FS_EXT4 && sbHas(k, sb, SB_SHUTDOWN) && k.mechanism('fsdax.sync-skipped-after-shutdown') === true;
}

/** dax_writeback_mapping_range: every dirty entry is locked, write-protected everywhere, flushed, and clean again. */
export function* daxWritebackMapping(k: Kernel, inode: number): Path {
  if (!k.concurrent) return yield* writebackRuns(k, inode);
  for (const [index, pair] of [...entriesIn(k, inode, 0, k.heap.load(inode + INODE.pages))]) {
    if ((entryFlags(k, pair) & DAX_DIRTY) === 0 || !entryHasPages(k, pair)) continue;
    if (k.concurrent) yield AT('dax_writeback_one: lock the entry');
    const entry = yield* k.call(unlockedEntry, inode, index);
    if (entry === 0 || (entryFlags(k, entry) & DAX_DIRTY) === 0) continue;
    k.heap.store(entry + 1, entryFlags(k, entry) | DAX_LOCKED);
    yield* k.call(mkcleanRange, inode, index, entryPages(k, entry));
    k.heap.store(entry + 1, entryFlags(k, entry) & ~DAX_DIRTY);
    unlockEntry(k, entry);
  }
  return 0;
}

/** The same with nobody else about: neighbouring dirty entries are write-protected in one go. */
function* writebackRuns(k: Kernel, inode: number): Path {
  let [start, end] = [0, 0];
  for (const [index, pair] of entriesIn(k, inode, 0, k.heap.load(inode + INODE.pages))) {
    if ((entryFlags(k, pair) & DAX_DIRTY) === 0 || !entryHasPages(k, pair)) continue;
    if ((entryFlags(k, pair) & DAX_LOCKED) !== 0) yield* k.call(unlockedEntry, inode, index);
    if (index !== end) {
      if (end > start) yield* k.call(mkcleanRange, inode, start, end - start);
      start = index;
    }
    end = index + entryPages(k, pair);
    k.heap.store(pair + 1, entryFlags(k, pair) & ~DAX_DIRTY);
  }
  if (end > start) yield* k.call(mkcleanRange, inode, start, end - start);
  return 0;
}

/** vfs_fsync_range: data, then the metadata that leads to it. `metadata` 1: only that (a MAP_SYNC fault). */
export function* syncInode(k: Kernel, inode: number, metadata: number): Path {
  const sb = k.heap.load(inode + INODE.sb);
  if (sbHas(k, sb, SB_SHUTDOWN)) {
    if (writepagesRefused(k, sb)) return -EIO;
    if (metadata === 0) yield* k.call(daxWritebackMapping, inode);
    return -EIO;
  }
  if (metadata === 0) yield* k.call(daxWritebackMapping, inode);
  diskLogged(k, inode);
  k.heap.store(inode + INODE.dirty, 0);
  return 0;
}

/** sync_filesystem: every inode of the file system. */
export function* syncFilesystem(k: Kernel, sb: number): Path {
  if (!writepagesRefused(k, sb)) for (const inode of [...inodesOf(k, sb)]) yield* k.call(syncInode, inode, 0);
  if (sbHas(k, sb, SB_SHUTDOWN)) return tellsShutdown(k, sb) ? -EIO : 0;
  // The journal of ext4 meets a disk that is not there (seen in the lab: truth-a-forced-ext4 on 5.10).
  return k.heap.load(sb + SB.type) === FS_EXT4 && !daxAlive(k, k.heap.load(sb + SB.daxDev)) ? -EIO : 0;
}

/** Whether ->sync_fs() of a file system that is shut down says so, and syncfs() hands it on. */
function tellsShutdown(k: Kernel, sb: number): boolean {
  const who = k.mechanism('fsdax.syncfs-tells-shutdown');
  return who === 'all' || (who === 'xfs' && k.heap.load(sb + SB.type) === FS_XFS);
}
