/**
 * Address spaces and their VMAs (include/linux/mm_types.h, 6.12). A VMA belongs to two lists: that of its mm and, where
 * it maps an inode, `i_mmap` of that inode. Addresses are counted in pages of the virtual address space (vpn).
 *
 * Page tables hang at the VMA, one region for each mmap(): pieces that a partial munmap leaves share it.
 */
import type { Kernel } from '../kernel.ts';
import { TASK } from '../task.ts';
import { loadLong, storeLong } from '../state/long.ts';
import { Slab } from '../state/slab.ts';
import { allocRegion, allocTables, freeRegion, PMD_PAGES, PUD_PAGES } from './pgtable.ts';

/** Words of an mm. */
export const MM = { users: 0, vmas: 1, mmapLock: 2, nextVpn: 3, ptl: 5, notifier: 6, kvm: 7, words: 8 } as const;

/** Words of a VMA. `inode` is 0 for anonymous memory; `bind`: how often the device had been bound when it was made; `visited`: by a walk in any order. */
export const VMA = {
  start: 0, end: 2, pgoff: 4, flags: 5, inode: 6, mm: 7, nextInMm: 8, nextInMapping: 9, region: 10, base: 11, bind: 13, tables: 14, visited: 15, words: 16,
} as const;

export const VM_READ = 1;
export const VM_WRITE = 2;
export const VM_SHARED = 4;
export const VM_LOCKED = 8;
export const VM_SYNC = 16;
export const VM_NOHUGEPAGE = 32;
/** The VMA maps a file of a DAX file system (vma_is_fsdax). */
export const VM_FSDAX = 64;
/** The VMA maps a character device of device-dax. */
export const VM_DEVDAX = 128;
/** vm_insert_pfn kind: PCI BARs and the like, pages without a struct page of their own. */
export const VM_PFNMAP = 256;
export const VM_DONTFORK = 512;
/** The VMA maps a file of tmpfs that has no page: a memfd of size 0. */
export const VM_SHMEM = 1024;

/** Where mmap() begins to hand out addresses: above 4 GiB, aligned to 1 GiB, so that alignment never hides a mistake. */
const MMAP_BASE = 0x7f000000;

/** Slabs of this part, and the list of shared page-table users: a region's count of VMAs sits in its own word. */
export class MmPart {
  readonly mms: Slab;
  readonly vmas: Slab;

  constructor(k: Kernel) {
    this.mms = new Slab(k.heap, 'mm_struct', MM.words);
    this.vmas = new Slab(k.heap, 'vm_area_struct', VMA.words);
  }
}
const makeMmPart = (k: Kernel): MmPart => new MmPart(k);
export const mmPart = (k: Kernel): MmPart => k.part(makeMmPart);

/** mm_alloc: an empty address space with one user. */
export function mmAlloc(k: Kernel): number {
  const mm = mmPart(k).mms.alloc();
  k.heap.store(mm + MM.users, 1);
  storeLong(k.heap, mm + MM.nextVpn, MMAP_BASE);
  return mm;
}

export const mmOf = (k: Kernel, task: number): number => k.heap.load(task + TASK.mm);
export const vmaStart = (k: Kernel, vma: number): number => loadLong(k.heap, vma + VMA.start);
export const vmaEnd = (k: Kernel, vma: number): number => loadLong(k.heap, vma + VMA.end);
export const vmaPages = (k: Kernel, vma: number): number => vmaEnd(k, vma) - vmaStart(k, vma);
/** Page of the region that maps virtual page `vpn`. */
export const regionPage = (k: Kernel, vma: number, vpn: number): number => vpn - loadLong(k.heap, vma + VMA.base);
/** Virtual page that a page of the region belongs to. */
export const regionVpn = (k: Kernel, vma: number, page: number): number => page + loadLong(k.heap, vma + VMA.base);
/** linear_page_index: page of the file that `vpn` maps. */
export const linearPageIndex = (k: Kernel, vma: number, vpn: number): number => k.heap.load(vma + VMA.pgoff) + (vpn - vmaStart(k, vma));

/** find_vma with containment: the VMA that holds `vpn`, or 0. */
export function vmaLookup(k: Kernel, mm: number, vpn: number): number {
  for (let vma = k.heap.load(mm + MM.vmas); vma !== 0; vma = k.heap.load(vma + VMA.nextInMm)) {
    if (vpn >= vmaStart(k, vma) && vpn < vmaEnd(k, vma)) return vma;
  }
  return 0;
}

/** VMAs of an mm, newest first. */
export function* vmasOf(k: Kernel, mm: number): Generator<number> {
  for (let vma = k.heap.load(mm + MM.vmas); vma !== 0; vma = k.heap.load(vma + VMA.nextInMm)) yield vma;
}

/** What a new VMA is made from. Pages; `vpn` 0: the kernel chooses, with the alignment that `offBy` moves away from. */
export interface VmaInput {
  readonly mm: number;
  readonly pages: number;
  readonly pgoff: number;
  readonly flags: number;
  /** Inode mapped, 0 for anonymous memory, and the word that heads its `i_mmap` list. */
  readonly inode: number;
  readonly iMmap: number;
  readonly bind?: number;
  /** Where it shall lie (MAP_FIXED); 0 lets the kernel choose a place congruent to the file offset modulo 2 MiB or 1 GiB. */
  readonly vpn?: number;
  /** Pages by which the chosen place is moved off that alignment. */
  readonly offBy?: number;
}

/** thp_get_unmapped_area and dax_get_unmapped_area: the next free place, congruent to the file offset. */
function getUnmappedArea(k: Kernel, input: VmaInput): number {
  const next = loadLong(k.heap, input.mm + MM.nextVpn);
  const unit = input.pages >= PUD_PAGES ? PUD_PAGES : PMD_PAGES;
  const start = Math.ceil(next / unit) * unit + (input.pgoff % unit) + (input.offBy ?? 0);
  storeLong(k.heap, input.mm + MM.nextVpn, Math.ceil((start + input.pages + 1) / PMD_PAGES) * PMD_PAGES + PMD_PAGES);
  return start;
}

/** mmap_region: links a new VMA into its mm and its mapping. */
export function vmaCreate(k: Kernel, input: VmaInput): number {
  const { heap } = k;
  const start = input.vpn ?? getUnmappedArea(k, input);
  const vma = mmPart(k).vmas.alloc();
  const base = Math.floor(start / PUD_PAGES) * PUD_PAGES;
  storeLong(heap, vma + VMA.start, start);
  storeLong(heap, vma + VMA.end, start + input.pages);
  storeLong(heap, vma + VMA.base, base);
  heap.store(vma + VMA.pgoff, input.pgoff);
  heap.store(vma + VMA.flags, input.flags);
  heap.store(vma + VMA.inode, input.inode);
  heap.store(vma + VMA.mm, input.mm);
  heap.store(vma + VMA.bind, input.bind ?? 0);
  const region = allocRegion(heap, start - base + input.pages);
  heap.store(vma + VMA.region, region);
  heap.store(vma + VMA.tables, vma);
  if (k.concurrent) for (let p = start - base; p < start - base + input.pages; p += 1) allocTables(heap, region, p, input.pages >= PMD_PAGES ? 2 : 1);
  linkVma(k, vma, input.iMmap);
  return vma;
}

function linkVma(k: Kernel, vma: number, iMmap: number): void {
  const { heap } = k;
  const mm = heap.load(vma + VMA.mm);
  heap.store(vma + VMA.nextInMm, heap.load(mm + MM.vmas));
  heap.store(mm + MM.vmas, vma);
  if (iMmap === 0) return;
  heap.store(vma + VMA.nextInMapping, heap.load(iMmap));
  heap.store(iMmap, vma);
}

/** A second VMA over the same page tables (split_vma): `from`..`to` of `vma`. */
export function vmaPiece(k: Kernel, vma: number, from: number, to: number, iMmap: number): number {
  const { heap } = k;
  const piece = mmPart(k).vmas.alloc();
  for (let word = 0; word < VMA.words; word += 1) heap.store(piece + word, heap.load(vma + word));
  storeLong(heap, piece + VMA.start, from);
  storeLong(heap, piece + VMA.end, to);
  heap.store(piece + VMA.pgoff, linearPageIndex(k, vma, from));
  linkVma(k, piece, iMmap);
  return piece;
}

/** Takes a VMA out of a list that runs through word `next`. */
function unlink(k: Kernel, head: number, vma: number, next: number): void {
  let link = head;
  while (k.heap.load(link) !== vma && k.heap.load(link) !== 0) link = k.heap.load(link) + next;
  if (k.heap.load(link) === vma) k.heap.store(link, k.heap.load(vma + next));
}

/** remove_vma after its pages were zapped. Tables are freed with the last VMA that uses them. */
export function vmaRemove(k: Kernel, vma: number, iMmap: number): void {
  const { heap } = k;
  const mm = heap.load(vma + VMA.mm);
  unlink(k, mm + MM.vmas, vma, VMA.nextInMm);
  if (iMmap !== 0) unlink(k, iMmap, vma, VMA.nextInMapping);
  const region = heap.load(vma + VMA.region);
  let shared = false;
  for (const other of vmasOf(k, mm)) if (heap.load(other + VMA.region) === region) shared = true;
  if (!shared) freeRegion(heap, region);
  mmPart(k).vmas.free(vma);
}
