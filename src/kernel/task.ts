/**
 * Tasks and what signals do to them: only what device memory touches (include/linux/sched.h, kernel/signal.c, 6.12).
 * A task is one thread; a process has one task, or more (thread-group.ts). Stopped covers SIGSTOP, the cgroup freezer and a ptrace stop alike: the task runs
 * no instruction and takes no signal but SIGKILL until it goes on.
 */
import type { Kernel } from './kernel.ts';
import { FREED, Slab } from './state/slab.ts';

/** Words of a task. `parent`: the pid that forked it; of a thread (TF_THREAD) that of its process. */
export const TASK = {
  pid: 0, mm: 1, state: 2, flags: 3, domain: 4, next: 5, pending: 6, sigbusCode: 7, sigbusAddr: 8, sigbusTaken: 10,
  aoTaken: 11, files: 12, cwd: 13, comm: 14, parent: 15, root: 16, words: 17,
} as const;

export const TASK_RUNNING = 0;
export const TASK_STOPPED = 1;
/** Ended in an orderly way. */
export const TASK_DEAD = 2;
/** Ended inside the kernel by an oops: its locks stay held, its mm is not torn down. */
export const TASK_OOPSED = 3;

/** PF_MCE_PROCESS: the task has said by prctl(PR_MCE_KILL) what it wants. */
export const PF_MCE_PROCESS = 1;
/** PF_MCE_EARLY: it wants to be told early. */
export const PF_MCE_EARLY = 2;
/** The task has a handler for SIGBUS (with SA_SIGINFO); without one SIGBUS ends it. */
export const TF_HANDLES_SIGBUS = 4;
/** A thread besides the first of its process, whose mm it shares. */
export const TF_THREAD = 8;
/** Its table of descriptors, or its working and root directory, are not those of its process. */
export const TF_OWN_FILES = 16;
export const TF_OWN_FS = 32;

export const PENDING_SIGBUS = 1;
export const PENDING_SIGKILL = 2;

/** si_code of SIGBUS (include/uapi/asm-generic/siginfo.h). */
export const BUS_ADRERR = 2;
export const BUS_MCEERR_AR = 4;
export const BUS_MCEERR_AO = 5;

/** Tasks of a kernel: their slab, the list head, the next pid, sysctl vm.memory_failure_early_kill. */
export class Tasks {
  readonly slab: Slab;
  readonly head: number;
  readonly nextPid: number;
  readonly earlyKill: number;

  constructor(k: Kernel) {
    this.slab = new Slab(k.heap, 'task_struct', TASK.words);
    this.head = k.heap.reserve(1);
    this.nextPid = k.heap.reserve(1);
    this.earlyKill = k.heap.reserve(1);
    k.heap.store(this.nextPid, 100);
  }
}

const makeTasks = (k: Kernel): Tasks => new Tasks(k);
export const tasksOf = (k: Kernel): Tasks => k.part(makeTasks);

/** A new task without an mm; at the end of the task list. */
export function newTask(k: Kernel, comm: string, flags = TF_HANDLES_SIGBUS): number {
  const tasks = tasksOf(k);
  const task = tasks.slab.alloc();
  k.heap.store(task + TASK.pid, k.heap.add(tasks.nextPid, 1) - 1);
  k.heap.store(task + TASK.comm, k.names.of(comm));
  k.heap.store(task + TASK.flags, flags);
  let link = tasks.head;
  while (k.heap.load(link) !== 0) link = k.heap.load(link) + TASK.next;
  k.heap.store(link, task);
  return task;
}

/** for_each_process_thread: every task that has not been reaped, in the order of their making. */
export function* eachTask(k: Kernel): Generator<number> {
  for (let task = k.heap.load(tasksOf(k).head); task !== 0; task = k.heap.load(task + TASK.next)) yield task;
}

/** for_each_process: the first thread of each. */
export function* eachProcess(k: Kernel): Generator<number> {
  for (const task of eachTask(k)) if ((k.heap.load(task + TASK.flags) & TF_THREAD) === 0) yield task;
}

/** The first thread of the process of a task. */
export const leaderOf = (k: Kernel, task: number): number => ((k.heap.load(task + TASK.flags) & TF_THREAD) === 0 ? task : findTask(k, k.heap.load(task + TASK.parent)));
/** The task that has the table of descriptors that this one uses, and the one that has its directories. */
export const filesTask = (k: Kernel, task: number): number => ((k.heap.load(task + TASK.flags) & (TF_THREAD | TF_OWN_FILES)) === TF_THREAD ? leaderOf(k, task) : task);
export const fsTask = (k: Kernel, task: number): number => ((k.heap.load(task + TASK.flags) & (TF_THREAD | TF_OWN_FS)) === TF_THREAD ? leaderOf(k, task) : task);

/** The task with this pid or thread id, or 0. */
export function findTask(k: Kernel, pid: number): number {
  for (const task of eachTask(k)) if (k.heap.load(task + TASK.pid) === pid) return task;
  return 0;
}

/** The task that forked this one; 0 where that one is gone, and its children belong to init. */
export const parentOf = (k: Kernel, task: number): number => findTask(k, k.heap.load(task + TASK.parent));

/** Takes a dead process off the list and frees it (release_task); its other threads, which nobody waits for, go with it. */
export function reapTask(k: Kernel, task: number): void {
  const pid = taskPid(k, task);
  for (const other of [...eachTask(k)]) if ((k.heap.load(other + TASK.flags) & TF_THREAD) !== 0 && k.heap.load(other + TASK.parent) === pid) unlink(k, other);
  unlink(k, task);
}

function unlink(k: Kernel, task: number): void {
  const tasks = tasksOf(k);
  let link = tasks.head;
  while (k.heap.load(link) !== task && k.heap.load(link) !== 0) link = k.heap.load(link) + TASK.next;
  if (k.heap.load(link) === task) k.heap.store(link, k.heap.load(task + TASK.next));
  if (k.heap.load(task + 1) !== FREED) tasks.slab.free(task);
}

export const taskState = (k: Kernel, task: number): number => k.heap.load(task + TASK.state);
export const taskPid = (k: Kernel, task: number): number => k.heap.load(task + TASK.pid);
export const isAlive = (k: Kernel, task: number): boolean => taskState(k, task) < TASK_DEAD;

/** send_sig_mceerr / force_sig_mceerr / force_sig_fault: SIGBUS becomes pending; a running task takes it at once. */
export function sendSigbus(k: Kernel, task: number, code: number, address: number): void {
  const { heap } = k;
  heap.store(task + TASK.pending, heap.load(task + TASK.pending) | PENDING_SIGBUS);
  heap.store(task + TASK.sigbusCode, code);
  heap.store(task + TASK.sigbusAddr, address % 0x100000000);
  heap.store(task + TASK.sigbusAddr + 1, Math.floor(address / 0x100000000));
}

/** What a task does with its pending signals when it next runs: true when it lives on, false when it must exit. */
export function takeSignals(k: Kernel, task: number): boolean {
  const { heap } = k;
  const pending = heap.load(task + TASK.pending);
  if ((pending & PENDING_SIGKILL) !== 0) return false;
  if ((pending & PENDING_SIGBUS) === 0) return true;
  heap.store(task + TASK.pending, pending & ~PENDING_SIGBUS);
  if ((heap.load(task + TASK.flags) & TF_HANDLES_SIGBUS) === 0) return false;
  heap.add(task + TASK.sigbusTaken, 1);
  if (heap.load(task + TASK.sigbusCode) === BUS_MCEERR_AO) heap.add(task + TASK.aoTaken, 1);
  return true;
}

/** SIGSTOP, freezer or ptrace stop; SIGCONT, thaw or detach. A dead task stays dead. */
export function stopTask(k: Kernel, task: number): void {
  if (taskState(k, task) === TASK_RUNNING) k.heap.store(task + TASK.state, TASK_STOPPED);
}
export function continueTask(k: Kernel, task: number): void {
  if (taskState(k, task) === TASK_STOPPED) k.heap.store(task + TASK.state, TASK_RUNNING);
}

/** prctl(PR_MCE_KILL, PR_MCE_KILL_SET, early or late); null: PR_MCE_KILL_CLEAR. */
export function setMceKill(k: Kernel, task: number, policy: 'early' | 'late' | null): void {
  const rest = k.heap.load(task + TASK.flags) & ~(PF_MCE_PROCESS | PF_MCE_EARLY);
  const set = policy === null ? 0 : policy === 'early' ? PF_MCE_PROCESS | PF_MCE_EARLY : PF_MCE_PROCESS;
  k.heap.store(task + TASK.flags, rest | set);
}

/** Domain of the process that has this mm. */
export function domainOfMm(k: Kernel, mm: number): number {
  for (let task = k.heap.load(tasksOf(k).head); task !== 0; task = k.heap.load(task + TASK.next)) {
    if (k.heap.load(task + TASK.mm) === mm) return k.heap.load(task + TASK.domain);
  }
  return 0;
}
