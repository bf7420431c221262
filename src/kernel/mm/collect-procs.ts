/**
 * Who is told of a failed page of a file, and how (mm/memory-failure.c: task_early_kill, collect_procs_file,
 * collect_procs_fsdax, unmap_and_kill, kill_procs; 5.10, 6.1, 6.12, 7.2).
 */
import { INODE } from '../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import { AT, type Path } from '../state/path.ts';
import { BUS_MCEERR_AO, BUS_MCEERR_AR, eachProcess, isAlive, PF_MCE_EARLY, PF_MCE_PROCESS, sendSigbus, TASK, taskPid, tasksOf } from '../task.ts';
import { KERN_ERR } from '../printk.ts';
import { costsOf } from './costs.ts';
import { unmapMappingRange, vmaVpnOf } from './memory.ts';
import { MF_ACTION_REQUIRED, MF_MASS, MF_MEM_PRE_REMOVE } from './mf-flags.ts';
import { MM, regionPage, VMA } from './mm_struct.ts';
import { threadsOf } from '../thread-group.ts';
import { levelPages, PTE_PRESENT, walk } from './pgtable.ts';

/** One process to be told: where it maps the page, by an entry of how many pages. */
export interface ToKill {
  readonly task: number;
  readonly vpn: number;
  readonly pages: number;
}

/** task_early_kill: whether a task is to be told now. `current` is the task that runs (0 for a kernel thread or a shell). */
function isCollected(k: Kernel, task: number, flags: number, current: number): boolean {
  if (!isAlive(k, task) || k.heap.load(task + TASK.mm) === 0) return false;
  if ((flags & MF_MEM_PRE_REMOVE) !== 0) return true;
  if ((flags & MF_MASS) !== 0 && k.mechanism('fsdax.mass-failure-collects-all') === true) return true;
  const mine = current !== 0 && k.heap.load(task + TASK.mm) === k.heap.load(current + TASK.mm);
  if (mine) return true;
  if (k.mechanism('fsdax.memory-failure-collects') === 'current-only') return false;
  if (k.mechanism('fsdax.memory-failure-honours-late') === false) return true;
  const own = k.heap.load(task + TASK.flags);
  if ((own & PF_MCE_PROCESS) !== 0) return (own & PF_MCE_EARLY) !== 0;
  return k.heap.load(tasksOf(k).earlyKill) !== 0;
}

/** find_early_kill_thread: one thread of a process is told, the first that wants to be; 0 where none does. */
function threadToTell(k: Kernel, process: number, flags: number, current: number): number {
  const mm = k.heap.load(process + TASK.mm);
  if (mm === 0 || k.heap.load(mm + MM.users) === 1) return isCollected(k, process, flags, current) ? process : 0;
  for (const thread of threadsOf(k, process)) if (isCollected(k, thread, flags, current)) return thread;
  return 0;
}

/** collect_procs_file / collect_procs_fsdax: the tasks that map file page `index` now, with the size of their entry. */
export function collectProcs(k: Kernel, inode: number, index: number, flags: number, current: number): ToKill[] {
  const found: ToKill[] = [];
  const costs = costsOf(k);
  const byMm = new Map<number, ToKill[]>();
  for (let vma = k.heap.load(inode + INODE.iMmap); vma !== 0; vma = k.heap.load(vma + VMA.nextInMapping)) {
    const vpn = vmaVpnOf(k, vma, index);
    if (vpn < 0) continue;
    const entry = walk(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn));
    if (entry.level === 0 || (entry.flags & PTE_PRESENT) === 0) continue;
    const mm = k.heap.load(vma + VMA.mm);
    const list = byMm.get(mm);
    const kill = { task: 0, vpn, pages: levelPages(entry.level) };
    if (list === undefined) byMm.set(mm, [kill]);
    else list.push(kill);
  }
  for (const process of eachProcess(k)) {
    if (costs !== null) costs.tasksVisited += 1;
    const task = threadToTell(k, process, flags, current);
    if (task === 0) continue;
    for (const kill of byMm.get(k.heap.load(task + TASK.mm)) ?? []) found.push({ ...kill, task });
  }
  return found;
}

/** unmap_and_kill: unmaps the largest mapping found, in every process, then sends the signals. */
export function* unmapAndKill(k: Kernel, kills: readonly ToKill[], inode: number, index: number, flags: number, current: number): Path {
  const largest = kills.reduce((size, kill) => Math.max(size, kill.pages), 0);
  if (largest > 0) {
    const size = k.mechanism('fsdax.memory-failure-unmap-size') === 'page' ? 1 : largest;
    yield* k.call(unmapMappingRange, inode, index - (index % size), size, 0);
  }
  if (k.concurrent) yield AT('kill_procs');
  signalKills(k, kills, flags, current);
  return kills.length;
}

/** kill_procs: action required for the task that runs into the page now, action optional for all others. */
export function signalKills(k: Kernel, kills: readonly ToKill[], flags: number, current: number): void {
  for (const kill of kills) {
    // One line a process, as kill_proc() has it; what is looked at there is that it came, so the frame number is left out.
    if (!k.concurrent && (flags & MF_MASS) === 0) k.log.write(KERN_ERR, `Memory failure: Sending SIGBUS to pid ${taskPid(k, kill.task)} due to hardware memory corruption`);
    const required = (flags & MF_ACTION_REQUIRED) !== 0 && kill.task === current;
    sendSigbus(k, kill.task, required ? BUS_MCEERR_AR : BUS_MCEERR_AO, kill.vpn * 4096);
  }
  const costs = costsOf(k);
  if (costs !== null) costs.signalsSent += kills.length;
}
