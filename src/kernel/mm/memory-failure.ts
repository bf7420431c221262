/**
 * memory_failure() on device memory (mm/memory-failure.c; 5.10, 6.1, 6.12, 7.2): entered by a machine check on one page,
 * by an administrator (hard_offline_page), or by a driver whose device goes. Who is told, who is unmapped and how much
 * follows from who is collected.
 */
import { EBUSY, EIO, ENXIO, EOPNOTSUPP } from '../errno.ts';
import { daxBase, daxHolderNotifyFailure } from '../drivers/dax/super.ts';
import { daxLockMappingEntry, daxLockPage, DAX_NO_ENTRY } from '../fs/dax.ts';
import { entriesIn, entryPages, entryPfn, entryStart, unlockEntry } from '../fs/dax-entry.ts';
import { pageFileIndex } from '../fs/dax-associate.ts';
import { INODE } from '../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import { KERN_ERR } from '../printk.ts';
import { BUS_MCEERR_AO, BUS_MCEERR_AR, eachTask, isAlive, PF_MCE_EARLY, PF_MCE_PROCESS, sendSigbus, TASK, tasksOf } from '../task.ts';
import { AT, BLOCKED, type Path } from '../state/path.ts';
import { costsOf } from './costs.ts';
import { unmapMappingRange, vmaVpnOf } from './memory.ts';
import { getDevPagemap, MEMORY_DEVICE, pgmapPfnValid, PGMAP, PGMAP_OPS, putDevPagemap } from './memremap.ts';
import { MF_ACTION_REQUIRED, MF_MASS, MF_MEM_PRE_REMOVE } from './mf-flags.ts';
import { regionPage, VMA } from './mm_struct.ts';
import { compoundHead, PAGE, pageLoad, PG, setFlag, testFlag } from './page.ts';
import { levelPages, PTE_PRESENT, walk } from './pgtable.ts';

class MemoryFailurePart {
  /** Word: num_poisoned_pages, in pages (`HardwareCorrupted`, 4 kB each). */
  readonly poisoned: number;
  constructor(k: Kernel) {
    this.poisoned = k.heap.reserve(1);
  }
}
const makePart = (k: Kernel): MemoryFailurePart => new MemoryFailurePart(k);
export const numPoisonedPages = (k: Kernel): number => k.part(makePart).poisoned;

/** One process to be told: where it maps the page, by an entry of how many pages. */
interface ToKill {
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

/** collect_procs_file / collect_procs_fsdax: the tasks that map file page `index` now, with the size of their entry. */
function collectProcs(k: Kernel, inode: number, index: number, flags: number, current: number): ToKill[] {
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
  for (const task of eachTask(k)) {
    if (costs !== null) costs.tasksVisited += 1;
    if (!isCollected(k, task, flags, current)) continue;
    for (const kill of byMm.get(k.heap.load(task + TASK.mm)) ?? []) found.push({ ...kill, task });
  }
  return found;
}

/** unmap_and_kill: unmaps the largest mapping found, in every process, then sends the signals. */
function* unmapAndKill(k: Kernel, kills: readonly ToKill[], inode: number, index: number, flags: number, current: number): Path {
  const largest = kills.reduce((size, kill) => Math.max(size, kill.pages), 0);
  if (largest > 0) {
    const size = k.mechanism('fsdax.memory-failure-unmap-size') === 'page' ? 1 : largest;
    yield* k.call(unmapMappingRange, inode, index - (index % size), size, 0);
  }
  if (k.concurrent) yield AT('kill_procs');
  for (const kill of kills) {
    const required = (flags & MF_ACTION_REQUIRED) !== 0 && kill.task === current;
    sendSigbus(k, kill.task, required ? BUS_MCEERR_AR : BUS_MCEERR_AO, kill.vpn * 4096);
    const costs = costsOf(k);
    if (costs !== null) costs.signalsSent += 1;
  }
  return kills.length;
}

function poison(k: Kernel, pfn: number, pgmap: number): void {
  if (testFlag(k, pfn, PG.hwpoison, 'SetPageHWPoison')) return;
  setFlag(k, pfn, PG.hwpoison, 'SetPageHWPoison');
  if (pgmap !== 0) k.heap.add(pgmap + PGMAP.bind, 1);
}

/**
 * mf_dax_kill_procs: file pages [index, index + count), each for itself. The count is the caller's: where it wrapped
 * around (XFS 6.18, 7.2) the loop goes on over 2^32 pages of nothing.
 */
export function* mfDaxKillProcs(k: Kernel, inode: number, index: number, count: number, flags: number, current: number): Path {
  const end = index + count;
  const pages = k.heap.load(inode + INODE.pages);
  const spelled = k.concurrent ? range(index, Math.min(end, pages)) : [...entriesIn(k, inode, index, Math.min(end, pages))].map(([at, entry]) => Math.max(index, entryStart(k, entry, at)));
  for (const at of spelled) {
    const costs = costsOf(k);
    const entry = yield* k.call(daxLockMappingEntry, inode, at);
    if (costs !== null) costs.pagesVisited += entry === DAX_NO_ENTRY ? 1 : entryPages(k, entry);
    if (entry === DAX_NO_ENTRY) continue;
    const pfn = entryPfn(k, entry) + (at - entryStart(k, entry, at));
    if ((flags & MF_MEM_PRE_REMOVE) === 0) poison(k, pfn, pageLoad(k, pfn, PAGE.pgmap, 'mf_dax_kill_procs'));
    const kills = collectProcs(k, inode, at, flags, current);
    yield* unmapAndKill(k, kills, inode, at, flags | MF_ACTION_REQUIRED, current);
    unlockEntry(k, entry);
  }
  while (end - pages > 0x1000000) yield BLOCKED('R mf_dax_kill_procs: dax_lock_mapping_entry of 2^32 pages');
  return 0;
}

const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

/** mf_generic_kill_procs, memory_failure_dev_pagemap before 6.0: by page->mapping and page->index. */
function* mfGenericKillProcs(k: Kernel, pfn: number, flags: number, pgmap: number, current: number): Path {
  const entry = yield* k.call(daxLockPage, pfn);
  if (entry === 0) return -EBUSY;
  const type = k.heap.load(pgmap + PGMAP.type);
  let rc = 0;
  if (type === MEMORY_DEVICE.private || type === MEMORY_DEVICE.coherent) rc = -EOPNOTSUPP;
  else {
    poison(k, pfn, pgmap);
    const inode = pageLoad(k, compoundHead(k, pfn, 'mf_generic_kill_procs'), PAGE.mapping, 'mf_generic_kill_procs');
    const index = pageFileIndex(k, pfn, 'mf_generic_kill_procs');
    if (k.concurrent) yield AT('mf_generic_kill_procs: collect_procs');
    const kills = collectProcs(k, inode, index, flags, current);
    yield* unmapAndKill(k, kills, inode, index, flags | MF_ACTION_REQUIRED, current);
  }
  if (entry !== DAX_NO_ENTRY) unlockEntry(k, entry);
  return rc;
}

/** memory_failure() of one page frame. `current` 0: nobody consumed it. 0 or -errno. */
export function* memoryFailure(k: Kernel, pfn: number, flags: number, current: number): Path {
  const costs = costsOf(k);
  if (costs !== null) costs.pagesVisited += 1;
  const pgmap = getDevPagemap(k, pfn);
  if (pgmap === 0) {
    k.log.write(KERN_ERR, `Memory failure: 0x${pfn.toString(16)}: memory outside kernel control`);
    return -ENXIO;
  }
  let rc = -ENXIO;
  if (pgmapPfnValid(k, pgmap, pfn)) {
    rc = -EOPNOTSUPP;
    const asks = k.mechanism('fsdax.memory-failure-asks-holder') === true && (k.heap.load(pgmap + PGMAP.ops) & PGMAP_OPS.memoryFailure) !== 0;
    const dax = k.heap.load(pgmap + PGMAP.owner);
    if (asks && dax !== 0) rc = yield* k.call(daxHolderNotifyFailure, dax, pfn - daxBase(k, dax), 1, flags);
    if (rc === -EOPNOTSUPP) rc = yield* k.call(mfGenericKillProcs, pfn, flags, pgmap, current);
  }
  putDevPagemap(k, pgmap);
  if (k.mechanism('fsdax.memory-failure-counts') === true) k.heap.add(numPoisonedPages(k), 1);
  if ((flags & MF_MASS) === 0 || k.mechanism('fsdax.mass-failure-rate-limited') !== true) k.log.write(KERN_ERR, `Memory failure: 0x${pfn.toString(16)}: recovery action for dax page: ${rc === 0 ? 'Recovered' : 'Failed'}`);
  return rc;
}

/** /sys/devices/system/memory/hard_offline_page: what the write says. */
export function* hardOfflinePage(k: Kernel, pfn: number): Path {
  const rc = yield* k.call(memoryFailure, pfn, 0, 0);
  return rc === -EOPNOTSUPP ? 0 : rc;
}

/**
 * unpoison_memory (hwpoison-inject): takes the mark off System RAM only; for a device page it says EIO and changes
 * nothing (measured: A 7).
 */
export function unpoisonMemory(k: Kernel, pfn: number): number {
  const pgmap = getDevPagemap(k, pfn);
  if (pgmap === 0) return -ENXIO;
  putDevPagemap(k, pgmap);
  return -EIO;
}

/** A machine check on a page that `task` consumes now (do_machine_check, kill_me_maybe): action required. */
export function* machineCheck(k: Kernel, pfn: number, task: number): Path {
  return yield* k.call(memoryFailure, pfn, MF_ACTION_REQUIRED, task);
}
