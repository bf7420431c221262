/**
 * memory_failure() on device memory (mm/memory-failure.c; 5.10, 6.1, 6.12, 7.2): entered by a machine check on one page,
 * by an administrator (hard_offline_page), or by a driver whose device goes. Who is told, who is unmapped and how much
 * follows from who is collected.
 */
import { EBUSY, EIO, ENXIO, EOPNOTSUPP } from '../errno.ts';
import { daxBase, daxHolderNotifyFailure } from '../drivers/dax/super.ts';
import { daxLockMappingEntry, daxLockPage, DAX_NO_ENTRY } from '../fs/dax.ts';
import { entryPfn, entryStart, unlockEntry } from '../fs/dax-entry.ts';
import { pageFileIndex } from '../fs/dax-associate.ts';
import { INODE } from '../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import { KERN_ERR } from '../printk.ts';
import { AT, BLOCKED, type Path } from '../state/path.ts';
import { collectProcs, unmapAndKill } from './collect-procs.ts';
import { costsOf } from './costs.ts';
import { numPoisonedPages, poison } from './hwpoison.ts';
import { failFileRange } from './memory-failure-run.ts';
import { getDevPagemap, MEMORY_DEVICE, pgmapPfnValid, PGMAP, PGMAP_OPS, putDevPagemap } from './memremap.ts';
import { MF_ACTION_REQUIRED, MF_MASS, MF_MEM_PRE_REMOVE } from './mf-flags.ts';
import { compoundHead, PAGE, pageLoad } from './page.ts';

export { numPoisonedPages } from './hwpoison.ts';

/**
 * mf_dax_kill_procs: file pages [index, index + count), each for itself. The count is the caller's: where it wrapped
 * around (XFS 6.18, 7.2) the loop goes on over 2^32 pages of nothing.
 */
export function* mfDaxKillProcs(k: Kernel, inode: number, index: number, count: number, flags: number, current: number): Path {
  const end = index + count;
  const pages = k.heap.load(inode + INODE.pages);
  const last = Math.min(end, pages);
  for (let at = index; at < last;) {
    const alike = k.concurrent || (flags & MF_MEM_PRE_REMOVE) === 0 ? 0 : yield* k.call(failFileRange, inode, at, last - at, flags | MF_ACTION_REQUIRED, current);
    if (alike === 0) yield* killProcsOfPage(k, inode, at, flags, current);
    at += Math.max(1, alike);
  }
  while (end - pages > 0x1000000) yield BLOCKED('R mf_dax_kill_procs: dax_lock_mapping_entry of 2^32 pages');
  return 0;
}

/** One page of that loop: its entry is locked while its processes are unmapped and told. */
function* killProcsOfPage(k: Kernel, inode: number, index: number, flags: number, current: number): Path<void> {
  const costs = costsOf(k);
  if (costs !== null) costs.pagesVisited += 1;
  const entry = yield* k.call(daxLockMappingEntry, inode, index);
  if (entry === DAX_NO_ENTRY) return;
  const pfn = entryPfn(k, entry) + (index - entryStart(k, entry, index));
  if ((flags & MF_MEM_PRE_REMOVE) === 0) poison(k, pfn, pageLoad(k, pfn, PAGE.pgmap, 'mf_dax_kill_procs'));
  const kills = collectProcs(k, inode, index, flags, current);
  yield* unmapAndKill(k, kills, inode, index, flags | MF_ACTION_REQUIRED, current);
  unlockEntry(k, entry);
}

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
