/**
 * mmap, munmap, madvise, mlock and mremap's relatives for files of DAX file systems, device-dax and anonymous memory
 * (mm/mmap.c, mm/madvise.c, mm/mlock.c; 5.10 to 7.2).
 */
import { EINVAL, ENOMEM } from '../errno.ts';
import { devDaxMmapCheck } from '../drivers/dax/device.ts';
import { DAXDEV } from '../drivers/dax/super.ts';
import { INODE, INODE_CHR, ihold } from '../fs/inode.ts';
import { iput } from '../fs/super.ts';
import type { Kernel } from '../kernel.ts';
import { AT, type Path } from '../state/path.ts';
import { storeLong } from '../state/long.ts';
import { handleMmFault } from './fault.ts';
import { VM_FAULT_ERROR } from './fault-codes.ts';
import { zapPageRange } from './memory.ts';
import { linearPageIndex, mmOf, VMA, vmaCreate, vmaEnd, vmaLookup, vmaPiece, vmaRemove, vmasOf, vmaStart, VM_DEVDAX, VM_FSDAX, VM_LOCKED, VM_SHARED, VM_SHMEM, VM_WRITE } from './mm_struct.ts';

const iMmapOf = (inode: number): number => (inode === 0 ? 0 : inode + INODE.iMmap);

/** Prepared arguments of an mmap: pages, VM_* flags; `vpn` 0: anywhere; `offBy`: pages off the natural alignment. */
export interface MmapInput {
  readonly inode: number;
  readonly pgoff: number;
  readonly pages: number;
  readonly flags: number;
  readonly vpn?: number;
  readonly offBy?: number;
}

/** do_mmap: address of the new VMA, or -errno. Straight code: another CPU can see it only when it is linked. */
export function doMmap(k: Kernel, task: number, input: MmapInput): number {
  const { inode } = input;
  if (input.pages <= 0) return -EINVAL;
  let kind = 0;
  let bind = 0;
  if (inode !== 0 && k.heap.load(inode + INODE.kind) === INODE_CHR) {
    const rc = devDaxMmapCheck(k, inode, input.pgoff, input.pages, (input.flags & VM_SHARED) !== 0);
    if (rc < 0) return rc;
    kind = VM_DEVDAX;
    bind = k.heap.load(k.heap.load(inode + INODE.dev) + DAXDEV.binds);
  } else if (inode !== 0) kind = k.heap.load(inode + INODE.sb) === 0 ? VM_SHMEM : VM_FSDAX;
  const place = input.vpn === undefined ? {} : { vpn: input.vpn };
  const vma = vmaCreate(k, { mm: mmOf(k, task), pages: input.pages, pgoff: input.pgoff, flags: input.flags | kind, inode, iMmap: iMmapOf(inode), bind, offBy: input.offBy ?? 0, ...place });
  if (inode !== 0) ihold(k, inode);
  return vma;
}

/** Whole-VMA munmap as a path that can be explored. */
export function* unmapVma(k: Kernel, vma: number): Path {
  const inode = yield* k.call(unmapVmaKeepFile, vma);
  if (inode !== 0) yield* k.call(iput, inode);
  return 0;
}

/** The same without the last step: the file that the VMA held, for the caller to let go (fput is task work in the kernel). */
export function* unmapVmaKeepFile(k: Kernel, vma: number): Path {
  const inode = k.heap.load(vma + VMA.inode);
  yield* zapPageRange(k, vma, vmaStart(k, vma), vmaEnd(k, vma), 'unmap_vmas');
  if (k.concurrent) yield AT('remove_vma');
  vmaRemove(k, vma, iMmapOf(inode));
  return inode;
}

/** munmap of virtual pages [from, to) of a task: VMAs that reach outside are cut. */
export function* munmap(k: Kernel, task: number, from: number, to: number): Path {
  for (const vma of [...vmasOf(k, mmOf(k, task))]) {
    const [start, end] = [vmaStart(k, vma), vmaEnd(k, vma)];
    if (end <= from || start >= to) continue;
    if (start >= from && end <= to) {
      yield* k.call(unmapVma, vma);
      continue;
    }
    const inode = k.heap.load(vma + VMA.inode);
    yield* zapPageRange(k, vma, Math.max(start, from), Math.min(end, to), 'unmap_vmas');
    if (start < from && end > to) {
      vmaPiece(k, vma, to, end, iMmapOf(inode));
      if (inode !== 0) ihold(k, inode);
    }
    if (start < from) storeLong(k.heap, vma + VMA.end, from);
    else {
      k.heap.store(vma + VMA.pgoff, linearPageIndex(k, vma, to));
      storeLong(k.heap, vma + VMA.start, to);
    }
  }
  return 0;
}

/** mmap(MAP_FIXED) over [vpn, vpn + pages): what was there is unmapped first. The new VMA, or -errno. */
export function* mmapFixed(k: Kernel, task: number, vpn: number, pages: number, inode: number, pgoff: number, flags: number): Path {
  yield* k.call(munmap, task, vpn, vpn + pages);
  return doMmap(k, task, { inode, pgoff, pages, flags, vpn });
}

/** madvise(MADV_DONTNEED): the entries go, the VMA stays. */
export function* madviseDontneed(k: Kernel, task: number, from: number, to: number): Path {
  for (const vma of [...vmasOf(k, mmOf(k, task))]) {
    const [start, end] = [vmaStart(k, vma), vmaEnd(k, vma)];
    if (end <= from || start >= to) continue;
    yield* zapPageRange(k, vma, Math.max(start, from), Math.min(end, to), 'madvise_dontneed_single_vma');
  }
  return 0;
}

/** Faults every page of a VMA in (MAP_POPULATE, mlock): 0, or -errno at the first page that cannot be had. */
export function* populateVma(k: Kernel, vma: number, write: number): Path {
  for (let vpn = vmaStart(k, vma); vpn < vmaEnd(k, vma); vpn += 1) {
    const ret = yield* k.call(handleMmFault, vma, vpn, write);
    if ((ret & VM_FAULT_ERROR) !== 0) return -ENOMEM;
  }
  return 0;
}

/** mlock: the VMA's pages are faulted in and stay as far as reclaim is concerned. A device does not ask. */
export function* mlock(k: Kernel, task: number, vpn: number): Path {
  const vma = vmaLookup(k, mmOf(k, task), vpn);
  if (vma === 0) return -ENOMEM;
  k.heap.store(vma + VMA.flags, k.heap.load(vma + VMA.flags) | VM_LOCKED);
  // populate_vma_page_range(): a private mapping that may be written gets its copies now; a shared one is not dirtied for nothing.
  return yield* k.call(populateVma, vma, (k.heap.load(vma + VMA.flags) & (VM_SHARED | VM_WRITE)) === VM_WRITE ? 1 : 0);
}
