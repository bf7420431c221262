/**
 * Mounting, unmounting, eviction, and what a file system is told when its disk goes (fs/super.c, fs/inode.c,
 * block/genhd.c, block/bdev.c; 5.10, 6.1, 6.12, 7.2).
 */
import { EBUSY, EIO, ENODEV, ENXIO } from '../errno.ts';
import { DAXDEV, fsDaxGet, fsPutDax, daxAlive } from '../drivers/dax/super.ts';
import type { Kernel } from '../kernel.ts';
import { bug } from '../oops.ts';
import { KERN_ALERT, KERN_ERR } from '../printk.ts';
import { AT, BLOCKED, type Path } from '../state/path.ts';
import { MAP_PLAIN, PMEM } from '../drivers/nvdimm/pmem-words.ts';
import { diskLoseUnlogged } from './disk.ts';
import { daxBreakLayoutFinal, daxDeleteMappingRange } from './dax.ts';
import { destroyInode, FS_XFS, fsPart, INODE, INODE_CHR, inodeFreeing, inodesOf, SB, SB_BORN, SB_CORRUPT, SB_NOLOGFLUSH, SB_SHUTDOWN, sbHas, sbSet } from './inode.ts';
import { syncFilesystem } from './sync.ts';

export const fsName = (k: Kernel, sb: number): string => (k.heap.load(sb + SB.type) === FS_XFS ? 'XFS' : 'EXT4-fs');

/** fill_super: the file system takes its dax device; -ENODEV from a dead one. */
export function fillSuper(k: Kernel, sb: number): number {
  const xfs = k.heap.load(sb + SB.type) === FS_XFS;
  const registers = k.mechanism(xfs ? 'fsdax.xfs-registers-holder' : 'fsdax.ext4-registers-holder') === true || k.heap.load(sb + SB.type) > FS_XFS;
  const rc = fsDaxGet(k, k.heap.load(sb + SB.daxDev), sb, registers);
  if (rc < 0) return rc;
  sbSet(k, sb, SB_BORN);
  k.heap.store(sb + SB.next, k.heap.load(fsPart(k).head));
  k.heap.store(fsPart(k).head, sb);
  return 0;
}

/** Shuts a file system down, by whatever finds reason to: the ioctl, a corruption, its disk's death. */
export function forceShutdown(k: Kernel, sb: number, flags: number, says: string): void {
  if (sbHas(k, sb, SB_SHUTDOWN)) return;
  sbSet(k, sb, SB_SHUTDOWN | flags);
  k.log.write(KERN_ALERT, `${fsName(k, sb)} (${k.names.text(k.heap.load(sb + SB.name))}): ${says}`);
}

/** EXT4_IOC_SHUTDOWN / XFS_IOC_GOINGDOWN: flag 0 flushes all, 1 the log, 2 nothing. */
export function* goingDown(k: Kernel, sb: number, flag: number): Path {
  if (flag !== 2) yield* k.call(syncFilesystem, sb);
  forceShutdown(k, sb, flag === 2 ? SB_NOLOGFLUSH : 0, k.heap.load(sb + SB.type) === FS_XFS ? 'User initiated shutdown received. Shutting down filesystem' : `shut down requested (${flag})`);
  return 0;
}

/** evict: the inode's last traces go; its DAX entries give their pages back, which reads or writes struct pages. */
export function* evictInode(k: Kernel, inode: number): Path {
  k.heap.store(inode + INODE.nlink, -1);
  if (k.concurrent) yield AT('evict');
  if (k.heap.load(inode + INODE.kind) === INODE_CHR) return cdForget(k, inode);
  if (k.mechanism('fsdax.evict-entries') === 'break-layout-final') yield* k.call(daxBreakLayoutFinal, inode);
  else yield* k.call(daxDeleteMappingRange, inode, 0, k.heap.load(inode + INODE.pages));
  destroyInode(k, inode);
  return 0;
}

/** cd_forget: takes the inode of a device node off the list of its character device, which must still be one. */
function cdForget(k: Kernel, inode: number): number {
  if (k.heap.load(k.heap.load(inode + INODE.dev) + DAXDEV.cdevDamaged) !== 0) bug(k, 'cd_forget', 'lib/list_debug.c');
  return 0;
}

/** evict_inodes: those that nobody uses. */
export function* evictInodes(k: Kernel, sb: number): Path {
  let evicted = 0;
  for (const inode of [...inodesOf(k, sb)]) {
    if (k.heap.load(inode + INODE.count) !== 0 || inodeFreeing(k, inode)) continue;
    yield* k.call(evictInode, inode);
    evicted += 1;
  }
  return evicted;
}

/** __fput: the last user of an unlinked inode evicts it; the mount is let go after that, so a failure there keeps it busy. */
export function* iput(k: Kernel, inode: number): Path {
  const sb = k.heap.load(inode + INODE.sb);
  if (k.heap.add(inode + INODE.count, -1) === 0 && k.heap.load(inode + INODE.nlink) === 0) yield* k.call(evictInode, inode);
  if (sb !== 0 && k.heap.add(sb + SB.files, -1) === 0 && k.heap.load(sb + SB.mounts) <= 0 && sbHas(k, sb, SB_BORN)) yield* k.call(killSuper, sb);
  return 0;
}

/** True when some inode is open, mapped or a working directory. */
export const sbBusy = (k: Kernel, sb: number): boolean => k.heap.load(sb + SB.files) > 0;

/** umount of one mount; the last one ends the file system. -EBUSY while files are in use (unless lazy: `lazy` 1). */
export function* umount(k: Kernel, sb: number, lazy: number): Path {
  if (k.heap.load(sb + SB.mounts) <= 0) return -ENODEV;
  if (lazy === 0 && sbBusy(k, sb)) return -EBUSY;
  while (k.heap.load(sb + SB.sUmount) !== 0) yield BLOCKED('D deactivate_super: down_write s_umount');
  if (k.heap.add(sb + SB.mounts, -1) > 0) return 0;
  if (sbBusy(k, sb)) return 0;
  return yield* k.call(killSuper, sb);
}

/** generic_shutdown_super: sync, evict everything, let the dax device go. */
export function* killSuper(k: Kernel, sb: number): Path {
  k.heap.store(sb + SB.sUmount, 1);
  yield* k.call(syncFilesystem, sb);
  yield* k.call(evictInodes, sb);
  let link = fsPart(k).head;
  while (k.heap.load(link) !== sb && k.heap.load(link) !== 0) link = k.heap.load(link) + SB.next;
  if (k.heap.load(link) === sb) k.heap.store(link, k.heap.load(sb + SB.next));
  const dax = k.heap.load(sb + SB.daxDev);
  // The unmount record of the log meets a disk that is not there (seen in the lab: fsdax-xfs-idle on 5.10).
  if (!daxAlive(k, dax) && k.heap.load(sb + SB.type) === FS_XFS) forceShutdown(k, sb, 0, 'Log I/O Error Detected. Shutting down filesystem');
  if (k.heap.load(dax + DAXDEV.sb) === sb) fsPutDax(k, dax);
  else if (!daxAlive(k, dax)) k.log.write(KERN_ERR, `${fsName(k, sb)} (${k.names.text(k.heap.load(sb + SB.name))}): I/O error while writing superblock`);
  diskLoseUnlogged(k, sb, k.heap.load(sb + SB.disk) + PMEM.disk);
  k.heap.store(sb + SB.flags, k.heap.load(sb + SB.flags) & ~SB_BORN);
  k.heap.store(sb + SB.sUmount, 0);
  return 0;
}

/**
 * del_gendisk as a file system feels it: its data is written back, inodes that nobody uses are dropped, and from 6.6 on
 * it is told that the device is dead and shuts down (fs_bdev_mark_dead). 5.10 and 6.1: __invalidate_device.
 */
export function* bdevMarkDead(k: Kernel, sb: number): Path {
  if (k.mechanism('fsdax.del-gendisk-syncs') === true) yield* k.call(syncFilesystem, sb);
  if (k.mechanism('fsdax.unbind-drops-unused-inodes') === true) yield* k.call(evictInodes, sb);
  if (k.mechanism('fsdax.mark-dead-shuts-down') === true) forceShutdown(k, sb, 0, k.heap.load(sb + SB.type) === FS_XFS ? 'Shutting down filesystem: device removed' : 'shut down requested (2)');
  return 0;
}

/** A file system without DAX: its files are read and written through the page cache. */
export const isPlain = (k: Kernel, sb: number): boolean => k.heap.load(k.heap.load(sb + SB.disk) + PMEM.map) === MAP_PLAIN;

/**
 * What read(), write() and fsync() of an open file say (dax_iomap_rw, vfs_fsync): 0 or -errno. Without DAX what stands in the page cache
 * is read and written whether the disk is there or not; fsync tells (seen in the lab on 5.10 and 6.1, where nobody shuts ext4 down).
 */
export function fileIo(k: Kernel, inode: number, op: 'read' | 'write' | 'fsync'): number {
  const sb = k.heap.load(inode + INODE.sb);
  if (sbHas(k, sb, SB_SHUTDOWN | SB_CORRUPT)) return -EIO;
  if (!daxAlive(k, k.heap.load(sb + SB.daxDev))) return op === 'fsync' ? -EIO : isPlain(k, sb) ? 0 : -ENXIO;
  return 0;
}
