/**
 * The end of a task (kernel/exit.c: do_exit, mm/mmap.c: exit_mmap, fs/file.c: exit_files; 5.10 to 7.2). What exit meets
 * in the page tables it gives back: with entries that outlived their memmap this is where recent kernels oops.
 */
import type { Kernel } from '../kernel.ts';
import { iput } from '../fs/super.ts';
import { fdCloseAll } from '../fs/file.ts';
import { AT, type Path } from '../state/path.ts';
import { isAlive, leaderOf, TASK, TASK_DEAD } from '../task.ts';
import { threadsOf } from '../thread-group.ts';
import { mmOf, MM, mmPart, vmasOf } from './mm_struct.ts';
import { unmapVmaKeepFile } from './mmap.ts';

/** do_group_exit: what ends one thread ends all of them; the last one gives the memory back. */
export function* exitTask(k: Kernel, task: number): Path {
  const mm = mmOf(k, task);
  if (mm === 0 || k.heap.load(mm + MM.users) === 1) return yield* k.call(doExit, task);
  const leader = leaderOf(k, task);
  for (const thread of [...threadsOf(k, task)]) if (thread !== leader && isAlive(k, thread)) yield* k.call(doExit, thread);
  return yield* k.call(doExit, leader);
}

/**
 * do_exit: exit_mm, exit_files, then what both have queued (exit_task_work): descriptors are let go before the files of
 * VMAs, since task work runs last in, first out.
 */
function* doExit(k: Kernel, task: number): Path {
  if (k.concurrent) yield AT('do_exit');
  const mm = mmOf(k, task);
  const held: number[] = [];
  if (mm !== 0) {
    if (k.heap.load(mm + MM.users) === 1) for (const vma of [...vmasOf(k, mm)]) held.push(yield* k.call(unmapVmaKeepFile, vma));
    k.heap.store(task + TASK.mm, 0);
    if (k.heap.add(mm + MM.users, -1) === 0) mmPart(k).mms.free(mm);
  }
  yield* k.call(fdCloseAll, task);
  for (const inode of held) if (inode !== 0) yield* k.call(iput, inode);
  const cwd = k.heap.load(task + TASK.cwd);
  if (cwd !== 0) {
    k.heap.store(task + TASK.cwd, 0);
    yield* k.call(iput, cwd);
  }
  k.heap.store(task + TASK.state, TASK_DEAD);
  return 0;
}
