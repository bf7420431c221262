/**
 * Page tables of processes: taking entries out (mm/memory.c: zap_page_range, unmap_mapping_range; mm/huge_memory.c:
 * zap_huge_pmd, __split_huge_pmd) and putting them in (insert_pfn, insert_page). 5.10 to 7.2.
 *
 * Whoever changes or walks the entries of an mm holds its page-table lock (one per mm here; the kernel has one per
 * table). An oops under it leaves it held: the next walker spins.
 */
import type { Kernel } from '../kernel.ts';
import { INODE } from '../fs/inode.ts';
import { AT, BLOCKED, callNow, choose, type Path } from '../state/path.ts';
import { kvmInvalidateRange } from '../virt/kvm.ts';
import { costsOf } from './costs.ts';
import { pagemapsOf } from './memremap.ts';
import { MM, regionPage, regionVpn, VMA, vmaEnd, vmaStart } from './mm_struct.ts';
import { memmapPresent } from './page.ts';
import { clearLeaf, leaves, setLeafFlags, type Leaf } from './pgtable-leaves.ts';
import { clearEntry, levelPages, PTE_ANON, PTE_DEVMAP, PTE_DIRTY, PTE_PRESENT, PTE_WRITE, PTE_YOUNG, setEntry } from './pgtable.ts';
import { addFileRmap, mappingsCount, zapRmap, zapRmapRun } from './rmap.ts';

/** Waits for the page-table lock and takes it. The holder gives it back by `ptlUnlock` without a yield between. */
export function* ptlLock(k: Kernel, mm: number): Path<void> {
  while (k.heap.load(mm + MM.ptl) !== 0) yield BLOCKED('R pte_offset_map_lock: spin on the page-table lock');
  k.heap.store(mm + MM.ptl, 1);
}
export function ptlUnlock(k: Kernel, mm: number): void {
  k.heap.store(mm + MM.ptl, 0);
}

/**
 * flush_tlb_range: returns when every CPU that had interrupts off has had them on again: nobody uses an entry that was
 * cleared before. This is the grace period that GUP-fast rests on (`gup.irqs-off-grace-period`).
 */
export function* flushTlb(k: Kernel): Path<void> {
  if (!k.concurrent || k.mechanism('gup.irqs-off-grace-period') !== true) return;
  while (k.heap.load(pagemapsOf(k).irqsOff) !== 0) yield BLOCKED('D flush_tlb_range: a CPU has interrupts off');
}

/**
 * Equal runs of entries that several processes of a straight machine have for the same pages: their counts are given back
 * once for all of them, after the entries are gone. Never used where a look at a page could oops.
 */
export class RmapBatch {
  private readonly runs = new Map<string, { leaf: Leaf; users: number }>();

  add(leaf: Leaf): void {
    const key = `${leaf.pfn} ${leaf.count} ${leaf.level} ${leaf.flags}`;
    const known = this.runs.get(key);
    if (known === undefined) this.runs.set(key, { leaf, users: 1 });
    else known.users += 1;
  }

  finish(k: Kernel, where: string): void {
    for (const { leaf, users } of this.runs.values()) zapRmapRun(k, leaf.level, leaf.pfn, leaf.count, leaf.flags, where, users);
  }
}

/** Clears what maps virtual pages `from`..`to` of a VMA. A PMD or PUD that lies partly inside goes whole. Returns entries. */
export function zapRange(k: Kernel, vma: number, from: number, to: number, evenCows: boolean, where: string, batch: RmapBatch | null = null): number {
  const { heap } = k;
  const region = heap.load(vma + VMA.region);
  const mm = heap.load(vma + VMA.mm);
  if (heap.load(mm + MM.kvm) !== 0) kvmInvalidateRange(k, mm, from, to);
  let zapped = 0;
  for (const leaf of leaves(heap, region, regionPage(k, vma, from), regionPage(k, vma, to))) {
    if (!evenCows && (leaf.flags & PTE_ANON) !== 0) continue;
    zapped += zapLeaf(k, region, leaf, where, batch);
  }
  const costs = costsOf(k);
  if (costs !== null) costs.entriesZapped += zapped;
  return zapped;
}

function zapLeaf(k: Kernel, region: number, leaf: Leaf, where: string, batch: RmapBatch | null): number {
  const unit = levelPages(leaf.level);
  if (leaf.count > 1 && !mappingsCount(k) && (leaf.flags & (PTE_DEVMAP | PTE_ANON)) === PTE_DEVMAP) {
    clearLeaf(k.heap, region, leaf);
    return leaf.count;
  }
  if (batch !== null && leaf.count > 1 && memmapPresent(k, leaf.pfn)) {
    clearLeaf(k.heap, region, leaf);
    batch.add(leaf);
    return leaf.count;
  }
  for (let i = 0; i < leaf.count; i += 1) {
    clearEntry(k.heap, region, leaf.page + i * unit);
    zapRmap(k, leaf.level, leaf.pfn + i * unit, leaf.flags, where);
  }
  return leaf.count;
}

/** zap_page_range of a whole or part of a VMA by its own process (munmap, madvise, exit). */
export function* zapPageRange(k: Kernel, vma: number, from: number, to: number, where: string): Path {
  const mm = k.heap.load(vma + VMA.mm);
  if (k.concurrent) yield AT(`${where}: zap`);
  yield* ptlLock(k, mm);
  const zapped = zapRange(k, vma, from, to, true, where);
  ptlUnlock(k, mm);
  if (zapped > 0) yield* flushTlb(k);
  return zapped;
}

/**
 * unmap_mapping_range: takes pages [first, first + count) of a file (count 0: to its end) out of every process that maps
 * them. `evenCows` 0 leaves private copies alone. Returns the entries taken out.
 */
export function* unmapMappingRange(k: Kernel, inode: number, first: number, count: number, evenCows: number): Path {
  const { heap } = k;
  const last = count === 0 ? Infinity : first + count;
  let total = 0;
  const batch = costsOf(k) === null ? null : new RmapBatch();
  if (k.concurrent) yield AT('unmap_mapping_range');
  if (k.concurrent && k.mechanism('gup.unmap-visits') === 'any-order') return yield* unmapInAnyOrder(k, inode, first, last, evenCows);
  for (let vma = heap.load(inode + INODE.iMmap); vma !== 0; vma = heap.load(vma + VMA.nextInMapping)) {
    const pgoff = heap.load(vma + VMA.pgoff);
    const start = vmaStart(k, vma);
    const costs = costsOf(k);
    if (costs !== null) costs.vmasVisited += 1;
    const from = start + Math.max(0, first - pgoff);
    const to = Math.min(vmaEnd(k, vma), start + Math.max(0, last - pgoff));
    if (from >= to) continue;
    const mm = heap.load(vma + VMA.mm);
    yield* ptlLock(k, mm);
    const zapped = callNow(k, function zap(c: Kernel): number { return zapRange(c, vma, from, to, evenCows !== 0, 'zap_pte_range', batch); }, vma, from, to);
    ptlUnlock(k, mm);
    total += zapped;
    if (zapped > 0) yield* flushTlb(k);
    if (k.concurrent && heap.load(vma + VMA.nextInMapping) !== 0) yield AT('unmap_mapping_range: next VMA');
  }
  batch?.finish(k, 'zap_pte_range');
  return total;
}

/** The VMAs that map a file, each as it was linked. */
function vmasMapping(k: Kernel, inode: number): number[] {
  const vmas: number[] = [];
  for (let vma = k.heap.load(inode + INODE.iMmap); vma !== 0; vma = k.heap.load(vma + VMA.nextInMapping)) vmas.push(vma);
  return vmas;
}

/** The same under `gup.unmap-visits: any-order`: any VMA that was not visited yet may be next. Which it was is forgotten but for its mark. */
function* unmapInAnyOrder(k: Kernel, inode: number, first: number, last: number, evenCows: number): Path {
  const { heap } = k;
  const visitOne = (): number => callNow(k, function visit(c: Kernel): number {
    const left = vmasMapping(c, inode).filter((vma) => heap.load(vma + VMA.visited) === 0 && heap.load(heap.load(vma + VMA.mm) + MM.ptl) === 0);
    if (left.length === 0) return -1;
    const vma = left[choose(c, left.length, 'process')] as number;
    heap.store(vma + VMA.visited, 1);
    const [start, pgoff] = [vmaStart(c, vma), heap.load(vma + VMA.pgoff)];
    const [from, to] = [start + Math.max(0, first - pgoff), Math.min(vmaEnd(c, vma), start + Math.max(0, last - pgoff))];
    return from >= to ? 0 : Math.min(1, zapRange(c, vma, from, to, evenCows !== 0, 'zap_pte_range'));
  }, inode);
  const isLeft = (): number => callNow(k, function anyLeft(c: Kernel): number { return vmasMapping(c, inode).some((vma) => heap.load(vma + VMA.visited) === 0) ? 1 : 0; }, inode);
  while (isLeft() === 1) {
    let zapped = visitOne();
    for (; zapped < 0; zapped = visitOne()) yield BLOCKED('R pte_offset_map_lock: spin on the page-table lock');
    if (zapped > 0) yield* flushTlb(k);
    if (isLeft() === 1) yield AT('unmap_mapping_range: next VMA');
  }
  callNow(k, function forget(c: Kernel): number {
    for (const vma of vmasMapping(c, inode)) heap.store(vma + VMA.visited, 0);
    return 0;
  }, inode);
  return 0;
}

/** Flags of an entry that maps device memory, as a fault makes it. */
export function deviceEntryFlags(k: Kernel, write: boolean): number {
  const base = PTE_PRESENT | PTE_YOUNG | (mappingsCount(k) ? 0 : PTE_DEVMAP);
  return write ? base | PTE_WRITE | PTE_DIRTY : base;
}

/** vmf_insert_mixed, vmf_insert_pfn_pmd/pud, vmf_insert_page_mkwrite, vmf_insert_folio_pmd: the entry for one DAX page. */
export function insertDevice(k: Kernel, vma: number, vpn: number, level: 1 | 2 | 3, pfn: number, write: boolean, where: string): void {
  const { heap } = k;
  const region = heap.load(vma + VMA.region);
  const page = regionPage(k, vma, vpn);
  addFileRmap(k, pfn, 1, where);
  setEntry(heap, region, page, level, pfn, deviceEntryFlags(k, write));
}

/**
 * __split_huge_pmd of a file mapping: the whole PMD goes, nothing is put in its place. From 6.15 on the folio behind a
 * DAX PMD is looked at for its counts.
 */
export function splitHugePmd(k: Kernel, vma: number, vpn: number): void {
  const { heap } = k;
  const region = heap.load(vma + VMA.region);
  const page = regionPage(k, vma, vpn);
  for (const leaf of leaves(heap, region, page, page + 1)) {
    if (leaf.level !== 2) return;
    const first = leaf.page + Math.floor((page - leaf.page) / 512) * 512;
    clearEntry(heap, region, first);
    if (k.mechanism('fsdax.fault-splits-pmd-reads-page') === true) zapRmap(k, 2, leaf.pfn + (first - leaf.page), leaf.flags, '__split_huge_pmd_locked');
  }
}

/** pfn_mkclean_range / dax_entry_mkclean: write-protects what maps file pages [first, first + count), in every process. */
export function* mkcleanRange(k: Kernel, inode: number, first: number, count: number): Path {
  const { heap } = k;
  let cleaned = 0;
  for (let vma = heap.load(inode + INODE.iMmap); vma !== 0; vma = heap.load(vma + VMA.nextInMapping)) {
    const pgoff = heap.load(vma + VMA.pgoff);
    const start = vmaStart(k, vma);
    const from = start + Math.max(0, first - pgoff);
    const to = Math.min(vmaEnd(k, vma), start + Math.max(0, first + count - pgoff));
    if (from >= to) continue;
    const mm = heap.load(vma + VMA.mm);
    if (k.concurrent) yield AT('pfn_mkclean_range');
    yield* ptlLock(k, mm);
    if (heap.load(mm + MM.kvm) !== 0) kvmInvalidateRange(k, mm, from, to);
    const region = heap.load(vma + VMA.region);
    for (const leaf of leaves(heap, region, regionPage(k, vma, from), regionPage(k, vma, to))) {
      if ((leaf.flags & PTE_ANON) !== 0 || (leaf.flags & (PTE_WRITE | PTE_DIRTY)) === 0) continue;
      setLeafFlags(heap, region, leaf, leaf.flags & ~(PTE_WRITE | PTE_DIRTY));
      cleaned += leaf.count;
    }
    ptlUnlock(k, mm);
    if (cleaned > 0) yield* flushTlb(k);
  }
  return cleaned;
}

/** Virtual page of a VMA that maps page `index` of its file, -1 where none does. */
export function vmaVpnOf(k: Kernel, vma: number, index: number): number {
  const vpn = vmaStart(k, vma) + index - k.heap.load(vma + VMA.pgoff);
  return vpn >= vmaStart(k, vma) && vpn < vmaEnd(k, vma) ? vpn : -1;
}

/** Entries of a VMA as (vpn, leaf) for those who only look. */
export function vmaLeaves(k: Kernel, vma: number): { vpn: number; leaf: Leaf }[] {
  return leaves(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vmaStart(k, vma)), regionPage(k, vma, vmaEnd(k, vma))).map((leaf) => ({ vpn: regionVpn(k, vma, leaf.page), leaf }));
}
