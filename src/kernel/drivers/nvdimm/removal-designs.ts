/**
 * What a removal of persistent memory may do to its users (SYSTEMS.md 1b, 3). No release does anything here. The designs
 * are those that were proposed or discussed: dev_pagemap_failure() (Dan Williams, 2021), ->corrupt_range() (Shiyang Ruan,
 * 2020 and 2021), a walk of all inodes as fs/drop_caches.c does it, a walk of the memmap, a walk of all page tables.
 *
 * Straight runs count what each visits (mm/costs.ts) and take runs of pages that are alike in one step.
 */
import { DAXDEV, daxBase } from '../dax/super.ts';
import { daxDeleteMappingRange } from '../../fs/dax.ts';
import { corruptRange } from '../../fs/corrupt-range.ts';
import { INODE, inodeFreeing, inodesOf, SB, superBlocks } from '../../fs/inode.ts';
import { deviceNumber } from '../../fs/multi.ts';
import type { Kernel } from '../../kernel.ts';
import { costsOf } from '../../mm/costs.ts';
import { memoryFailure } from '../../mm/memory-failure.ts';
import { memoryFailureRun } from '../../mm/memory-failure-run.ts';
import { ptlLock, ptlUnlock, RmapBatch, unmapMappingRange, vmaLeaves, zapRange, flushTlb } from '../../mm/memory.ts';
import { mmOf, VMA, vmasOf, vmaEnd } from '../../mm/mm_struct.ts';
import { compoundHead, PAGE, pageLoad, pageOrder } from '../../mm/page.ts';
import { filePagesFrom, idlePagesFrom, pageFileIndex } from '../../fs/dax-associate.ts';
import { levelPages, PTE_ANON, PTE_PRESENT } from '../../mm/pgtable.ts';
import { AT, type Path } from '../../state/path.ts';
import { eachTask, isAlive } from '../../task.ts';
import { MF_MASS } from '../../mm/mf-flags.ts';

/** The dax core's detection of "remove while mounted": a file system has the device. */
export const daxInUse = (k: Kernel, dax: number): boolean => k.heap.load(dax + DAXDEV.sb) !== 0;

/** Runs the profile's design for the data pages of `dax`, where it asks for one. */
export function* removalDesign(k: Kernel, _pmem: number, dax: number): Path {
  const design = k.mechanism('fsdax.removal-design');
  if (design === 'none') return 0;
  if (k.mechanism('fsdax.removal-design-when') === 'in-use' && !daxInUse(k, dax)) return 0;
  const start = daxBase(k, dax);
  const end = start + k.heap.load(dax + DAXDEV.pages);
  if (design === 'pagemap-failure') yield* k.call(devPagemapFailure, start, end);
  else if (design === 'reverse-map') yield* k.call(corruptRange, dax, 0, end - start);
  else if (design === 'inode-walk') yield* k.call(unmapAllInodes, dax);
  else if (design === 'page-walk') yield* k.call(unmapByMemmap, start, end);
  else yield* k.call(unmapByPageTables, start, end);
  if (k.mechanism('fsdax.removal-drops-entries') === true) yield* k.call(dropEntries, dax);
  return 0;
}

/** dev_pagemap_failure: memory_failure() of every pfn of the pagemap. */
export function* devPagemapFailure(k: Kernel, start: number, end: number): Path {
  for (let pfn = start; pfn < end;) {
    const alike = k.concurrent ? 0 : yield* k.call(memoryFailureRun, pfn, end, MF_MASS);
    if (alike === 0) yield* k.call(memoryFailure, pfn, MF_MASS, 0);
    pfn += Math.max(1, alike);
  }
  return 0;
}

/** As drop_pagecache_sb(): every inode of the file system is unmapped, wherever its pages lie. */
export function* unmapAllInodes(k: Kernel, dax: number): Path {
  const costs = costsOf(k);
  for (const sb of [...superBlocks(k)]) {
    if (deviceNumber(k, sb, dax) < 0) continue;
    // The walk holds a reference on the inode that it stands on (__iget), so that its link stays good; what is being freed is passed over.
    for (let inode = k.heap.load(sb + SB.inodes); inode !== 0;) {
      const held = !inodeFreeing(k, inode);
      if (held) {
        k.heap.add(inode + INODE.count, 1);
        if (k.concurrent) yield AT('drop_pagecache_sb: next inode');
        if (costs !== null) {
          costs.inodesVisited += 1;
          costs.healthyZapped += entriesOutside(k, inode, daxBase(k, dax), daxBase(k, dax) + k.heap.load(dax + DAXDEV.pages));
        }
        yield* k.call(unmapMappingRange, inode, 0, 0, 0);
      }
      const next = k.heap.load(inode + INODE.next);
      if (held) k.heap.add(inode + INODE.count, -1);
      inode = next;
    }
  }
  return 0;
}

/** Entries by which processes map pages of this file that lie outside of [start, end): collateral of unmapping all of it. */
function entriesOutside(k: Kernel, inode: number, start: number, end: number): number {
  let count = 0;
  for (let vma = k.heap.load(inode + INODE.iMmap); vma !== 0; vma = k.heap.load(vma + VMA.nextInMapping)) {
    for (const { leaf } of vmaLeaves(k, vma)) {
      if ((leaf.flags & PTE_PRESENT) === 0 || (leaf.flags & PTE_ANON) !== 0) continue;
      if (leaf.pfn >= end || leaf.pfn + leaf.count * levelPages(leaf.level) <= start) count += leaf.count;
    }
  }
  return count;
}

/** Every page of the memmap that belongs to a file is unmapped from that file. Shared pages have no mapping to follow. */
export function* unmapByMemmap(k: Kernel, start: number, end: number): Path {
  const costs = costsOf(k);
  for (let pfn = start; pfn < end;) {
    if (k.concurrent) yield AT('page walk: next page');
    const idle = costs === null ? 0 : idlePagesFrom(k, pfn, end);
    const inode = idle > 0 ? 0 : pageLoad(k, compoundHead(k, pfn, 'page walk'), PAGE.mapping, 'page walk');
    const folio = inode === 0 ? 1 : 2 ** pageOrder(k, pfn, 'page walk');
    const pages = idle > 0 ? idle : Math.max(folio, costs === null || inode === 0 ? 0 : filePagesFrom(k, pfn, end));
    const vmasVisited = costs?.vmasVisited ?? 0;
    if (inode !== 0) yield* k.call(unmapMappingRange, inode, pageFileIndex(k, pfn, 'page walk'), pages, 0);
    if (costs !== null) {
      costs.pagesVisited += pages;
      // The next folio's turn looks at every VMA of the file again.
      costs.vmasVisited += (costs.vmasVisited - vmasVisited) * (pages / folio - 1);
    }
    pfn += pages;
  }
  return 0;
}

/** Every process, every VMA, every entry: what points into [start, end) goes. */
export function* unmapByPageTables(k: Kernel, start: number, end: number): Path {
  const costs = costsOf(k);
  const batch = costs === null ? null : new RmapBatch();
  for (const task of eachTask(k)) {
    if (k.concurrent) yield AT('page-table walk: next task');
    if (costs !== null) costs.tasksVisited += 1;
    const mm = isAlive(k, task) ? mmOf(k, task) : 0;
    if (mm === 0) continue;
    for (const vma of vmasOf(k, mm)) {
      if (costs !== null) costs.vmasVisited += 1;
      yield* ptlLock(k, mm);
      for (const { vpn, leaf } of vmaLeaves(k, vma)) {
        if (costs !== null) costs.entriesVisited += leaf.count;
        const pages = leaf.count * levelPages(leaf.level);
        if ((leaf.flags & PTE_PRESENT) === 0 || (leaf.flags & PTE_ANON) !== 0 || leaf.pfn >= end || leaf.pfn + pages <= start) continue;
        zapRange(k, vma, vpn, Math.min(vmaEnd(k, vma), vpn + pages), false, 'zap_pte_range', batch);
      }
      ptlUnlock(k, mm);
    }
  }
  batch?.finish(k, 'zap_pte_range');
  yield* flushTlb(k);
  return 0;
}

/** The DAX entries of every inode of the file systems on the device go, while their struct pages are still there. */
export function* dropEntries(k: Kernel, dax: number): Path {
  for (const sb of [...superBlocks(k)]) {
    if (deviceNumber(k, sb, dax) < 0) continue;
    for (const inode of [...inodesOf(k, sb)]) yield* k.call(daxDeleteMappingRange, inode, 0, k.heap.load(inode + INODE.pages));
  }
  return 0;
}
