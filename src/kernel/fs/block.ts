/**
 * The block device beside DAX: raw writes, exclusive opens, swap, read() and write() of files (block/bdev.c, block/fops.c,
 * mm/swapfile.c, fs/dax.c: dax_iomap_rw; 5.10 to 7.2). What they say once the disk has gone.
 */
import { EBUSY, EIO, ENOENT, ENOSPC, EROFS } from '../errno.ts';
import { writeMemory } from '../domains.ts';
import { daxBase } from '../drivers/dax/super.ts';
import { PMEM } from '../drivers/nvdimm/pmem-words.ts';
import type { Kernel } from '../kernel.ts';
import { mmOf, VMA, vmasOf, VM_SHARED, VM_WRITE } from '../mm/mm_struct.ts';
import type { Path } from '../state/path.ts';
import { eachTask } from '../task.ts';
import { extentAt, INODE, SB, SB_RDONLY, sbSet, superBlocks } from './inode.ts';
import { iomapConvert, sbDax } from './iomap.ts';
import { fileIo } from './super.ts';
import { syncInode } from './sync.ts';

/** O_DIRECT write to /dev/pmemN: 0 or -errno; a disk that has gone has no size (from 6.x on) or no queue. */
export function rawWrite(k: Kernel, pmem: number): number {
  if (k.heap.load(pmem + PMEM.diskGone) === 0) return 0;
  return k.mechanism('fsdax.dead-disk-write') === 'eio' ? -EIO : -ENOSPC;
}

/** open(O_EXCL) of the block device, as ndctl does before it disables a namespace: -EBUSY while anybody holds it. */
export function openExclusive(k: Kernel, pmem: number): number {
  if (k.heap.load(pmem + PMEM.swap) === 1) return -EBUSY;
  for (const sb of superBlocks(k)) if (k.heap.load(sb + SB.disk) === pmem) return -EBUSY;
  return 0;
}

/** @param usedKiB what is swapped out to it */
export function swapon(k: Kernel, pmem: number, usedKiB = 0): void {
  k.heap.store(pmem + PMEM.used, usedKiB);
  k.heap.store(pmem + PMEM.swap, 1);
}

/** swapoff by path: a disk that has gone has no node any more. */
export function swapoff(k: Kernel, pmem: number): number {
  if (k.heap.load(pmem + PMEM.swap) !== 1) return -ENOENT;
  k.heap.store(pmem + PMEM.swap, 0);
  return 0;
}

/** A read of a swapped page. */
export const swapRead = (k: Kernel, pmem: number): number => (k.heap.load(pmem + PMEM.swap) === 1 ? 0 : -EIO);

/** write() of `value` to page `index` of a DAX file: memory itself is written; 0 or -errno. */
export function fileWrite(k: Kernel, inode: number, index: number, value: number): number {
  const rc = fileIo(k, inode, 'write');
  if (rc < 0) return rc;
  if (extentAt(k, inode, index)?.unwritten === true) iomapConvert(k, inode, index, 1);
  const extent = extentAt(k, inode, index);
  if (extent === null) return -ENOSPC;
  const sb = k.heap.load(inode + INODE.sb);
  if ((k.heap.load(sb + SB.flags) & SB_RDONLY) !== 0) return -EROFS;
  writeMemory(k, daxBase(k, sbDax(k, sb, extent.dev)) + extent.device + index - extent.file, value, k.heap.load(inode + INODE.domain));
  return 0;
}

/** fsync() of an open file. */
export function* fileSync(k: Kernel, inode: number): Path {
  const rc = fileIo(k, inode, 'fsync');
  return rc < 0 ? rc : yield* k.call(syncInode, inode, 0);
}

/** mount -o remount,ro: -EBUSY while a shared mapping may write (mnt_hold_writers, sb_prepare_remount_readonly). */
export function remountReadOnly(k: Kernel, sb: number): number {
  for (const task of eachTask(k)) {
    if (mmOf(k, task) === 0) continue;
    for (const vma of vmasOf(k, mmOf(k, task))) {
      const inode = k.heap.load(vma + VMA.inode);
      const writes = VM_SHARED | VM_WRITE;
      if (inode !== 0 && k.heap.load(inode + INODE.sb) === sb && (k.heap.load(vma + VMA.flags) & writes) === writes) return -EBUSY;
    }
  }
  sbSet(k, sb, SB_RDONLY);
  return 0;
}
