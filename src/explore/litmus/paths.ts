/**
 * Paths that litmus threads need and no single file of the kernel is: system calls as sequences of kernel paths, and the
 * steps of our own removal. Each is a path like the kernel's own: numbers in, a number out, yields where others may run.
 */
import { EBUSY, ENOENT } from '../../kernel/errno.ts';
import { assignOwner } from '../../kernel/domains.ts';
import { daxBase } from '../../kernel/drivers/dax/super.ts';
import { fdClose, FD, fdsOf } from '../../kernel/fs/file.ts';
import { daxBreakLayout, daxDeleteMappingRange } from '../../kernel/fs/dax.ts';
import { extentsOf, ihold, INODE, SB } from '../../kernel/fs/inode.ts';
import { iput } from '../../kernel/fs/super.ts';
import { sbDax } from '../../kernel/fs/iomap.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { unmapMappingRange } from '../../kernel/mm/memory.ts';
import { hardOfflinePage } from '../../kernel/mm/memory-failure.ts';
import { doMmap, mmapFixed } from '../../kernel/mm/mmap.ts';
import { mmOf, regionPage, VMA, vmaEnd, vmasOf, vmaStart, VM_READ, VM_SHARED, VM_WRITE } from '../../kernel/mm/mm_struct.ts';
import { PTE_ANON, PTE_PRESENT, PTE_SPECIAL, walk } from '../../kernel/mm/pgtable.ts';
import { AT, BLOCKED, type Path } from '../../kernel/state/path.ts';
import { enterKernel, inKernel, leaveKernel } from './in-kernel.ts';
import { continueTask, eachTask, isAlive, stopTask, TASK, TASK_STOPPED, taskState } from '../../kernel/task.ts';

/** ext4_setattr to size 0: no faults from here on, layouts broken, entries deleted; the blocks then belong to somebody else. */
export function* truncateFile(k: Kernel, inode: number): Path {
  if (k.concurrent) yield AT('truncate: down_write invalidate_lock');
  while (k.heap.load(inode + INODE.invalidateLock) !== 0) yield BLOCKED('D truncate: filemap_invalidate_lock');
  k.heap.store(inode + INODE.invalidateLock, -1);
  const pages = k.heap.load(inode + INODE.pages);
  yield* k.call(daxBreakLayout, inode, 0, pages);
  k.heap.store(inode + INODE.pages, 0);
  yield* k.call(unmapMappingRange, inode, 0, 0, 1);
  yield* k.call(daxDeleteMappingRange, inode, 0, pages);
  for (const extent of extentsOf(k, inode)) {
    const base = daxBase(k, sbDax(k, k.heap.load(inode + INODE.sb), extent.dev));
    assignOwner(k, base + extent.device, base + extent.device + extent.pages, 9);
  }
  k.heap.store(inode + INODE.invalidateLock, 0);
  return 0;
}

/** Gives pages [start, end) to a new owner: mkfs by somebody else, a new tenant. */
export function* handOver(k: Kernel, start: number, end: number, domain: number): Path {
  if (k.concurrent) yield AT('hand over to the new owner');
  assignOwner(k, start, end, domain);
  return 0;
}

/** mmap of a file by a process that had no part in set-up. The VMA, or -errno. */
export function* mapLate(k: Kernel, task: number, inode: number, pages: number): Path {
  yield* enterKernel(k, task, 'write');
  if (k.concurrent) yield AT('mmap');
  leaveKernel(k, task, 'write');
  if (!isAlive(k, task)) return -ENOENT;
  const sb = k.heap.load(inode + INODE.sb);
  // A path leads to the file only while it is mounted.
  if (sb !== 0 && k.heap.load(sb + SB.mounts) <= 0) return -ENOENT;
  return doMmap(k, task, { inode, pgoff: 0, pages, flags: VM_READ | VM_WRITE | VM_SHARED });
}

/** open() that installs no descriptor of its own: a use of the inode that somebody else counts. */
export function* openLate(k: Kernel, inode: number): Path {
  if (k.concurrent) yield AT('open');
  ihold(k, inode);
  return 0;
}
export function* closeLate(k: Kernel, inode: number): Path {
  if (k.concurrent) yield AT('close');
  return yield* k.call(iput, inode);
}

/** SIGSTOP, freezer or ptrace stop of one process: it stops on its way out of the kernel, never inside. -ENOENT where it is dead. */
export function* stopOne(k: Kernel, task: number): Path {
  if (k.concurrent) yield AT('stop');
  while (isAlive(k, task) && inKernel(k, task)) yield BLOCKED('S stop: the process is in the kernel');
  if (!isAlive(k, task)) return -ENOENT;
  stopTask(k, task);
  return 0;
}
export function* continueOne(k: Kernel, task: number): Path {
  if (k.concurrent) yield AT('continue');
  continueTask(k, task);
  return 0;
}

/** Detach: the stopped process puts an empty file in the place of every mapping of a device, and closes what it has open there. */
export function* detachOne(k: Kernel, task: number): Path {
  while (isAlive(k, task) && inKernel(k, task)) yield BLOCKED('D detach: mmap_lock');
  if (!isAlive(k, task)) return 0;
  for (const vma of [...vmasOf(k, mmOf(k, task))]) {
    if (k.heap.load(vma + VMA.inode) === 0) continue;
    const start = vmaStart(k, vma);
    yield* k.call(mmapFixed, task, start, vmaEnd(k, vma) - start, 0, 0, VM_READ | VM_SHARED);
  }
  for (const fd of [...fdsOf(k, task)]) if (k.heap.load(fd + FD.inode) !== 0) yield* k.call(fdClose, task, fd);
  const cwd = k.heap.load(task + TASK.cwd);
  if (cwd !== 0) {
    k.heap.store(task + TASK.cwd, 0);
    yield* k.call(iput, cwd);
  }
  return 0;
}

/** Whether a process maps a file or has one open; what /proc shows. */
function holds(k: Kernel, task: number): boolean {
  if (!isAlive(k, task) || mmOf(k, task) === 0) return false;
  for (const vma of vmasOf(k, mmOf(k, task))) if (k.heap.load(vma + VMA.inode) !== 0) return true;
  for (const fd of fdsOf(k, task)) if (k.heap.load(fd + FD.inode) !== 0) return true;
  return k.heap.load(task + TASK.cwd) !== 0;
}

/** Looks at every process once: 0 where nobody holds anything any more, -EBUSY otherwise. */
export function* confirmNobody(k: Kernel): Path {
  if (k.concurrent) yield AT('confirm: look at every process');
  for (const task of eachTask(k)) if (holds(k, task)) return -EBUSY;
  return 0;
}

/** Stops and detaches whoever holds something, until a look finds nobody. A process that comes later is found by the next look. */
export function* stopDetachConfirm(k: Kernel): Path {
  for (;;) {
    if (k.concurrent) yield AT('confirm: look at every process');
    let holder = 0;
    for (const task of eachTask(k)) if (holder === 0 && holds(k, task)) holder = task;
    if (holder === 0) return 0;
    yield* k.call(stopOne, holder);
    yield* k.call(detachOne, holder);
  }
}

/** The forced procedure for one process: a write to hard_offline_page for every page that its pagemap still shows. */
export function* forcePages(k: Kernel, task: number, start: number, end: number): Path {
  for (const vma of [...vmasOf(k, mmOf(k, task))]) {
    for (let vpn = vmaStart(k, vma); vpn < vmaEnd(k, vma); vpn += 1) {
      if (k.concurrent) yield AT('read pagemap');
      const found = walk(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn));
      if (found.level === 0 || (found.flags & PTE_PRESENT) === 0 || (found.flags & (PTE_ANON | PTE_SPECIAL)) !== 0) continue;
      if (found.pfn >= start && found.pfn < end) yield* k.call(hardOfflinePage, found.pfn);
    }
  }
  return 0;
}

/** Time goes by, in tenths of a second. */
export function* passTime(k: Kernel, tenths: number): Path {
  if (k.concurrent) yield AT('time passes');
  k.heap.add(k.clock, tenths);
  return 0;
}

/** exit_ptrace of a tracer that died: its tracee goes on, as soon as it is one that was stopped. */
export function* letGo(k: Kernel, task: number): Path {
  while (taskState(k, task) !== TASK_STOPPED && isAlive(k, task)) yield BLOCKED('S the process is not stopped yet');
  if (k.concurrent) yield AT('the tracer dies');
  continueTask(k, task);
  return 0;
}
