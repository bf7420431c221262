/**
 * fsdax: file systems on persistent memory (fs/dax.c, drivers/dax/super.c, drivers/nvdimm/pmem.c, mm/memory-failure.c,
 * fs/ext4, fs/xfs/xfs_notify_failure.c, fs/proc/task_mmu.c). Rows "A n" are those of docs/kernel-truth.
 */
import type { Declarations } from '../mechanism.ts';

export const FSDAX = {
  'fsdax.kill-dax-notifies': {
    allowed: ['none', 'failure', 'pre-remove'],
    default: 'pre-remove',
    meaning: 'what kill_dax() tells the holder of a dax device: nothing; notify_failure(whole device, flags 0); the same with MF_MEM_PRE_REMOVE',
    source: 'drivers/dax/super.c, kill_dax(), 6.8: "mm, pmem, xfs: Introduce MF_MEM_PRE_REMOVE for unbind"',
  },
  'fsdax.ext4-registers-holder': {
    allowed: [false, true],
    default: false,
    meaning: 'ext4 gives dax_holder_operations to fs_dax_get_by_bdev()',
    source: 'fs/ext4/super.c, 5.10 to 7.2: fs_dax_get_by_bdev(..., NULL, NULL)',
  },
  'fsdax.xfs-registers-holder': {
    allowed: [false, true],
    default: true,
    meaning: 'XFS gives xfs_dax_holder_operations to fs_dax_get_by_bdev()',
    source: 'fs/xfs/xfs_buf.c and xfs_notify_failure.c, 6.0: "xfs: implement ->notify_failure() for XFS"',
  },
  'fsdax.xfs-notify-needs-rmapbt': {
    allowed: [false, true],
    default: true,
    meaning: 'xfs_dax_notify_failure() returns EOPNOTSUPP at once on a file system without a reverse-mapping btree',
    source: 'fs/xfs/xfs_notify_failure.c, 6.0 to 7.2; measured: A matrix, rmapbt=0',
  },
  'fsdax.xfs-notify-at-metadata': {
    allowed: ['stop', 'go-on'],
    default: 'go-on',
    meaning: 'xfs_dax_failure_fn() at a record of metadata: shuts the file system down and ends the walk, or notes it and goes on to the file extents',
    source: 'fs/xfs/xfs_notify_failure.c, want_shutdown, 6.8',
  },
  'fsdax.xfs-notify-block-count': {
    allowed: ['clamped', 'wraps'],
    default: 'wraps',
    meaning: 'the length handed to each file extent: the part of the group in question, or min(group blocks, rm_startblock + 1) - start in 32 bits with rm_startblock all ones in every group but the last',
    source: 'measured: A 1, cause read from the 7.2 machine code of xfs_dax_notify_dev_failure',
  },
  'fsdax.xfs-notify-after-shutdown': {
    allowed: ['answers', 'eio'],
    default: 'eio',
    meaning: 'xfs_dax_notify_failure() on a file system that is shut down: does its walk, or returns EIO',
    source: 'measured: A 2, "XFS and the shutdown ioctl" (6.12, 7.2)',
  },
  'fsdax.xfs-pre-remove-freezes': {
    allowed: [false, true],
    default: true,
    meaning: 'with MF_MEM_PRE_REMOVE XFS freezes the file system (kernel freeze) around the walk',
    source: 'fs/xfs/xfs_notify_failure.c, xfs_dax_notify_failure_freeze(), 6.8',
  },
  'fsdax.del-gendisk-syncs': {
    allowed: [false, true],
    default: true,
    meaning: 'removing the disk syncs the file system on it, which write-protects the dirty DAX entries',
    source: 'block/genhd.c: fsync_bdev() in invalidate_partition() (5.10), fs_bdev_mark_dead(surprise=false) (6.6); measured: A 1, WRITE by a stale holder',
  },
  'fsdax.sync-skipped-after-shutdown': {
    allowed: [false, true],
    default: true,
    meaning: 'a file system that was shut down by ioctl is not synced when its disk goes, so its entries stay writable',
    source: 'measured: A 1, WRITE by a stale holder, column with the shutdown ioctl',
  },
  'fsdax.mark-dead-shuts-down': {
    allowed: [false, true],
    default: true,
    meaning: 'del_gendisk() tells the file system that its block device is dead, and ext4 and XFS shut down ("shut down requested (2)")',
    source: 'fs/super.c, fs_bdev_mark_dead(), 6.6; measured: A matrix, "fs shut down by the kernel at unbind"',
  },
  'fsdax.unbind-unmaps-page-cache': {
    allowed: [false, true],
    default: false,
    meaning: 'nd_pmem\'s remove unmaps what processes have mapped from the device, whatever the file system does',
    source: 'drivers/nvdimm/pmem.c, nd_pmem_remove(), 5.10 to 7.2: no such call',
  },
  'fsdax.remove-waits-for-holder': {
    allowed: [false, true],
    default: false,
    meaning: 'unbind refuses or waits while a file system holds the dax device',
    source: 'measured: A 1; proposed in <20260107153332.64727-8-john@groves.net>',
  },
  'fsdax.mapping-counts': {
    allowed: ['none', 'folio'],
    default: 'folio',
    meaning: 'what a user mapping of a DAX page counts: nothing, or a folio reference and a map count',
    source: 'fs/dax.c and mm/memory.c, 6.15: "fs/dax: properly refcount fs dax pages"',
  },
  'fsdax.zap-reads-page': {
    allowed: ['no', 'pmd-and-pte'],
    default: 'pmd-and-pte',
    meaning: 'whether unmapping (munmap, exit) looks at the struct page behind a DAX entry to give its counts back',
    source: 'mm/huge_memory.c, zap_huge_pmd() and mm/memory.c, zap_present_pte(), 6.15: vm_normal_folio_pmd(), folio_remove_rmap_*()',
  },
  'fsdax.fault-splits-pmd-reads-page': {
    allowed: [false, true],
    default: true,
    meaning: 'a write fault on a write-protected DAX PMD splits it through its struct page (__split_huge_pmd)',
    source: 'measured: A 1, write by a stale holder on XFS 6.18 and 7.2',
  },
  'fsdax.evict-entries': {
    allowed: ['disassociate', 'break-layout-final'],
    default: 'break-layout-final',
    meaning: 'what evicting an inode does with the DAX entries left in its mapping: dax_disassociate_entry() writes page->mapping of each, or dax_break_layout_final() reads and waits for the folio counts',
    source: 'fs/dax.c, 6.15; measured: A 2, order of umount and rebind',
  },
  'fsdax.unbind-drops-unused-inodes': {
    allowed: [false, true],
    default: true,
    meaning: 'inodes that nobody has open or mapped are dropped when the disk goes, with their DAX entries',
    source: 'measured: A 2, umount while unbound with no file in use',
  },
  'fsdax.memory-failure-unmaps': {
    allowed: [false, true],
    default: true,
    meaning: 'memory_failure() on a DAX page finds the processes that map it and unmaps it from them',
    source: 'measured: A 2, last row (5.10: nothing is unmapped; cause not established)',
  },
  'fsdax.memory-failure-honours-late': {
    allowed: [false, true],
    default: true,
    meaning: 'processes with PR_MCE_KILL_LATE are not collected, and a range that only they map is not unmapped',
    source: 'mm/memory-failure.c, task_early_kill(); measured: A 2, rows "LATE"',
  },
  'fsdax.memory-failure-unmap-size': {
    allowed: ['page', 'largest-mapping'],
    default: 'largest-mapping',
    meaning: 'how much one memory_failure() unmaps in every process: one page, or the largest mapping found around it',
    source: 'mm/memory-failure.c, unmap_and_kill(), size_shift; measured: A 2, "2 MiB + 4 KiB"',
  },
  'fsdax.memory-failure-asks-holder': {
    allowed: [false, true],
    default: true,
    meaning: 'memory_failure() on a pmem page first asks the holder of the dax device (notify_failure) and collects itself where there is none',
    source: 'drivers/nvdimm/pmem.c, pmem_pagemap_memory_failure(), 6.0',
  },
  'fsdax.hwpoison-count-drops-at-unbind': {
    allowed: [false, true],
    default: false,
    meaning: 'HardwareCorrupted goes down by the poisoned pages of the device when its memmap goes',
    source: 'measured: A 7',
  },
  'fsdax.page-struct-gone-at-unbind': {
    allowed: [false, true],
    default: true,
    meaning: 'memunmap_pages() gives the memmap back at unbind without regard to DAX mappings',
    source: 'mm/memremap.c, pageunmap_range(); measured: A 1',
  },
  'fsdax.smaps-reads-dax-pmd-page': {
    allowed: [false, true],
    default: true,
    meaning: 'reading smaps looks at the struct page behind a DAX PMD entry',
    source: 'fs/proc/task_mmu.c, smaps_pmd_entry(); measured: B 1b',
  },
  'fsdax.pagemap-reads-dax-pmd-page': {
    allowed: [false, true],
    default: true,
    meaning: 'reading pagemap looks at the struct page behind a DAX PMD entry (exclusive bit)',
    source: 'fs/proc/task_mmu.c, pagemap_pmd_range(); measured: B 1b (6.1, 6.12, 7.2)',
  },
  'fsdax.walk-reads-dax-pte-page': {
    allowed: [false, true],
    default: true,
    meaning: 'smaps and pagemap look at the struct page behind a DAX PTE (vm_normal_page() returns it; before 6.15 it returned NULL for devmap)',
    source: 'mm/memory.c, vm_normal_page(); measured: B 1b, 4 KiB entries readable on 5.10 and 6.12',
  },
  'fsdax.virtio-pmem-remove': {
    allowed: ['as-nd-pmem'],
    default: 'as-nd-pmem',
    meaning: 'virtio_pmem\'s remove unregisters the nvdimm bus, which unbinds nd_pmem',
    source: 'drivers/nvdimm/virtio_pmem.c, virtio_pmem_remove(); measured: B 6',
  },
} as const satisfies Declarations;
