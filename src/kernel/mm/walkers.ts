/**
 * Whoever reads the page tables of another process: pagemap, smaps, numa_maps (fs/proc/task_mmu.c; 5.10, 6.1, 6.12, 7.2).
 * Each looks at the struct page behind an entry or not, by level and by release; all of it under the page-table lock, so
 * that a reader which oopses leaves the next one spinning. `maps` reads VMAs only and is always safe.
 */
import type { Kernel } from '../kernel.ts';
import { AT, type Path } from '../state/path.ts';
import { ptlLock, ptlUnlock, vmaLeaves } from './memory.ts';
import { compoundHead, PAGE, pageLoad } from './page.ts';
import { mmOf, VMA, vmasOf } from './mm_struct.ts';
import { levelPages, PTE_ANON, PTE_PRESENT, PTE_SPECIAL } from './pgtable.ts';

export const WALK_PAGEMAP = 0;
export const WALK_SMAPS = 1;
export const WALK_NUMA_MAPS = 2;

/** Whether a walk looks at the struct page of a device entry of this level, and in which function. */
function looksAt(k: Kernel, walkKind: number, level: number): string | null {
  if (level === 1) return k.mechanism('fsdax.walk-reads-dax-pte-page') === true ? (walkKind === WALK_PAGEMAP ? 'pagemap_pmd_range' : 'smaps_pte_range') : null;
  if (walkKind === WALK_PAGEMAP) return k.mechanism('fsdax.pagemap-reads-dax-pmd-page') === true ? 'pagemap_pmd_range' : null;
  if (walkKind === WALK_SMAPS) return k.mechanism('fsdax.smaps-reads-dax-pmd-page') === true ? 'smaps_pte_range' : null;
  // numa_maps goes by vm_normal_page_pmd(), which gives no page for pmd_devmap.
  return k.mechanism('fsdax.walk-reads-dax-pte-page') === true ? 'gather_pte_stats' : null;
}

/** Reads the file for a task: pages present, in 4 KiB. */
export function* walkTask(k: Kernel, task: number, walkKind: number): Path {
  const mm = mmOf(k, task);
  if (mm === 0) return 0;
  let present = 0;
  for (const vma of [...vmasOf(k, mm)]) {
    if (k.concurrent) yield AT('walk_page_range');
    yield* ptlLock(k, mm);
    for (const { leaf } of vmaLeaves(k, vma)) {
      if ((leaf.flags & PTE_PRESENT) === 0) continue;
      present += leaf.count * levelPages(leaf.level);
      if ((leaf.flags & (PTE_ANON | PTE_SPECIAL)) !== 0) continue;
      const where = looksAt(k, walkKind, leaf.level);
      if (where === null) continue;
      for (let i = 0; i < leaf.count; i += 1) pageLoad(k, compoundHead(k, leaf.pfn + i * levelPages(leaf.level), where), PAGE.mapcount, where);
    }
    ptlUnlock(k, mm);
  }
  return present;
}

/** /proc/PID/maps: no page table, no struct page. The number of VMAs. */
export function mapsOf(k: Kernel, task: number): number {
  let count = 0;
  for (const vma of vmasOf(k, mmOf(k, task))) if (k.heap.load(vma + VMA.mm) !== 0) count += 1;
  return count;
}
