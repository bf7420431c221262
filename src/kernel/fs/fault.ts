/**
 * Fault handlers of file systems and of device-dax: vm_ops->fault, ->huge_fault, ->pfn_mkwrite (fs/ext4/file.c:
 * ext4_dax_huge_fault; fs/xfs/xfs_file.c: __xfs_filemap_fault, __xfs_write_fault; drivers/dax/device.c; 5.10 to 7.2).
 */
import { EIO } from '../errno.ts';
import { devDaxFault } from '../drivers/dax/device.ts';
import { daxAlive } from '../drivers/dax/super.ts';
import type { Kernel } from '../kernel.ts';
import { KERN_CRIT } from '../printk.ts';
import { VM_FAULT_SIGBUS } from '../mm/fault-codes.ts';
import { VMA, VM_DEVDAX, VM_SHARED } from '../mm/mm_struct.ts';
import { AT, BLOCKED, type Path } from '../state/path.ts';
import { daxIomapFault } from './dax-fault.ts';
import { FS_EXT4, INODE, SB, SB_JOURNAL_ABORTED, SB_SHUTDOWN, sbHas, sbSet } from './inode.ts';

/** A fault of a VMA at an order of 0 (PTE), 9 (PMD) or 18 (PUD). `write` 2: a private write that will copy. */
export function* vmOpsFault(k: Kernel, vma: number, vpn: number, write: number, order: number): Path {
  if ((k.heap.load(vma + VMA.flags) & VM_DEVDAX) !== 0) return yield* devDaxFault(k, vma, vpn, write, order);
  const sb = k.heap.load(k.heap.load(vma + VMA.inode) + INODE.sb);
  return k.heap.load(sb + SB.type) === FS_EXT4 ? yield* ext4DaxHugeFault(k, vma, vpn, write, order) : yield* xfsFilemapFault(k, vma, vpn, write, order);
}

/**
 * ext4_journal_start: refuses after a shutdown or an aborted journal. A write fault also updates the inode's times: when
 * the disk has gone and its buffers with it (5.10), the inode cannot be read, and that aborts the journal.
 */
function ext4JournalStart(k: Kernel, sb: number): number {
  if (sbHas(k, sb, SB_SHUTDOWN | SB_JOURNAL_ABORTED)) return -EIO;
  if (!daxAlive(k, k.heap.load(sb + SB.daxDev)) && k.mechanism('fsdax.disk-gone-drops-buffers') === true) {
    k.log.write(KERN_CRIT, `EXT4-fs error (device ${k.names.text(k.heap.load(sb + SB.name))}): __ext4_get_inode_loc: unable to read itable block`);
    sbSet(k, sb, SB_JOURNAL_ABORTED);
    return -EIO;
  }
  return 0;
}

const isSharedWrite = (k: Kernel, vma: number, write: number): boolean => write === 1 && (k.heap.load(vma + VMA.flags) & VM_SHARED) !== 0;

/** sb_start_pagefault: a write fault waits while the file system is frozen. */
function* startPagefault(k: Kernel, sb: number): Path<void> {
  while (k.heap.load(sb + SB.frozen) !== 0) yield BLOCKED('D sb_start_pagefault: the file system is frozen');
}

/** down_read(invalidate_lock), or i_mmap_sem before 5.15: held over the fault, excludes truncate and hole punching. */
function* invalidateLockShared(k: Kernel, inode: number): Path<void> {
  while (k.heap.load(inode + INODE.invalidateLock) < 0) yield BLOCKED('D filemap_invalidate_lock_shared');
  k.heap.add(inode + INODE.invalidateLock, 1);
}
function invalidateUnlockShared(k: Kernel, inode: number): void {
  k.heap.add(inode + INODE.invalidateLock, -1);
}

function* ext4DaxHugeFault(k: Kernel, vma: number, vpn: number, write: number, order: number): Path {
  const inode = k.heap.load(vma + VMA.inode);
  const sb = k.heap.load(inode + INODE.sb);
  if (isSharedWrite(k, vma, write)) {
    yield* startPagefault(k, sb);
    if (k.concurrent) yield AT('ext4_dax_huge_fault: start the journal');
    if (ext4JournalStart(k, sb) < 0) return VM_FAULT_SIGBUS;
  }
  yield* invalidateLockShared(k, inode);
  const ret = yield* k.call(daxIomapFault, vma, vpn, write, order);
  invalidateUnlockShared(k, inode);
  return ret;
}

function* xfsFilemapFault(k: Kernel, vma: number, vpn: number, write: number, order: number): Path {
  const inode = k.heap.load(vma + VMA.inode);
  if (isSharedWrite(k, vma, write)) yield* startPagefault(k, k.heap.load(inode + INODE.sb));
  yield* invalidateLockShared(k, inode);
  const ret = yield* k.call(daxIomapFault, vma, vpn, write, order);
  invalidateUnlockShared(k, inode);
  return ret;
}
