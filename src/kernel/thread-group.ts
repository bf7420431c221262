/**
 * Threads of a process beyond its first (kernel/fork.c: copy_process() with CLONE_THREAD | CLONE_VM; kernel/exit.c:
 * do_group_exit(); 5.10 to 7.2). A thread is a task of its own on the list; descriptors and directories are those of
 * its process where it has none of its own. What needs no threads never looks for them: an mm with one user has none.
 */
import { fdCopy } from './fs/file.ts';
import { ihold } from './fs/inode.ts';
import type { Kernel } from './kernel.ts';
import { MM, mmOf } from './mm/mm_struct.ts';
import { continueTask, eachTask, filesTask, fsTask, isAlive, leaderOf, newTask, stopTask, TASK, taskPid, TF_HANDLES_SIGBUS, TF_OWN_FILES, TF_OWN_FS, TF_THREAD } from './task.ts';

export interface CloneInput {
  /** A table of descriptors of its own, which begins as a copy: without CLONE_FILES, or unshare(CLONE_FILES). */
  readonly files?: boolean;
  /** Directories of its own, which begin as those of its process: without CLONE_FS, or unshare(CLONE_FS). */
  readonly places?: boolean;
}

/** One more thread of the process of `task`. */
export function cloneThread(k: Kernel, task: number, { files = false, places = false }: CloneInput = {}): number {
  const leader = leaderOf(k, task);
  const { heap } = k;
  const flags = TF_THREAD | (files ? TF_OWN_FILES : 0) | (places ? TF_OWN_FS : 0) | (heap.load(leader + TASK.flags) & TF_HANDLES_SIGBUS);
  const thread = newTask(k, k.names.text(heap.load(task + TASK.comm)), flags);
  heap.store(thread + TASK.parent, taskPid(k, leader));
  heap.store(thread + TASK.domain, heap.load(leader + TASK.domain));
  heap.store(thread + TASK.mm, mmOf(k, leader));
  heap.add(mmOf(k, leader) + MM.users, 1);
  if (files) fdCopy(k, filesTask(k, task), thread);
  if (places) {
    for (const word of [TASK.cwd, TASK.root]) heap.store(thread + word, heap.load(fsTask(k, task) + word));
    if (heap.load(thread + TASK.cwd) !== 0) ihold(k, heap.load(thread + TASK.cwd));
  }
  return thread;
}

/** Every thread of the process of `task`, the first one first, in the order of their making. */
export function* threadsOf(k: Kernel, task: number): Generator<number> {
  const leader = leaderOf(k, task);
  yield leader;
  const pid = taskPid(k, leader);
  for (const other of eachTask(k)) if ((k.heap.load(other + TASK.flags) & TF_THREAD) !== 0 && k.heap.load(other + TASK.parent) === pid) yield other;
}

/** SIGSTOP, the freezer, a tracer: all threads of a process. */
export function stopProcess(k: Kernel, task: number): void {
  for (const thread of threadsOf(k, task)) if (isAlive(k, thread)) stopTask(k, thread);
}
export function continueProcess(k: Kernel, task: number): void {
  for (const thread of threadsOf(k, task)) if (isAlive(k, thread)) continueTask(k, thread);
}
