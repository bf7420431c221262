/**
 * Who holds pages of other people's memory, and for how long (2b): O_DIRECT I/O in flight, io_uring fixed buffers, AF_XDP
 * umems, pages in a pipe (vmsplice), RDMA memory regions, vfio mappings. Each is a descriptor's private object; the pins
 * go when the descriptor is closed, except O_DIRECT's, which goes with the I/O.
 */
import { EBADF, EFAULT, EOPNOTSUPP } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { readMemory, VIA, writeMemory } from '../domains.ts';
import { fdInstall } from '../fs/file.ts';
import { oopsPage } from '../oops.ts';
import { AT, type Path } from '../state/path.ts';
import { Slab } from '../state/slab.ts';
import { TASK } from '../task.ts';
import { getUserPage } from './gup.ts';
import { FOLL_GET, FOLL_LONGTERM, FOLL_PIN, FOLL_WRITE, gupRefs } from './gup-flags.ts';
import { putPage } from './page_ref.ts';
import { mmOf, VMA, vmaLookup, VM_DEVDAX, VM_FSDAX } from './mm_struct.ts';
import { memmapPresent } from './page.ts';
import { kfree, kmalloc } from './slab.ts';

export const HOLDER = { kind: 0, count: 1, pfns: 2, flags: 3, domain: 4, next: 5, revoked: 6, words: 7 } as const;

export const PIN_KINDS = ['o_direct', 'io_uring', 'af_xdp', 'vmsplice', 'rdma', 'vfio'] as const;
export type PinKind = (typeof PIN_KINDS)[number];

/** How each kind takes its pages, and the function that a late put of them names. */
const HOW: Readonly<Record<PinKind, { flags: number; put: string }>> = {
  o_direct: { flags: FOLL_PIN | FOLL_WRITE, put: 'bio_release_pages' },
  io_uring: { flags: FOLL_PIN | FOLL_LONGTERM | FOLL_WRITE, put: 'io_ring_exit_work' },
  af_xdp: { flags: FOLL_PIN | FOLL_LONGTERM | FOLL_WRITE, put: 'xdp_umem_release' },
  vmsplice: { flags: FOLL_GET, put: 'page_cache_pipe_buf_release' },
  rdma: { flags: FOLL_PIN | FOLL_LONGTERM | FOLL_WRITE, put: 'ib_umem_release' },
  vfio: { flags: FOLL_PIN | FOLL_LONGTERM | FOLL_WRITE, put: 'vfio_iommu_type1_detach_group' },
};

class Holders {
  readonly slab: Slab;
  /** Word: first holder, for revocation and for views. */
  readonly head: number;
  constructor(k: Kernel) {
    this.slab = new Slab(k.heap, 'pin holder', HOLDER.words);
    this.head = k.heap.reserve(1);
  }
}
const makeHolders = (k: Kernel): Holders => new Holders(k);
const holdersOf = (k: Kernel): Holders => k.part(makeHolders);

/** Every holder there is, the latest first. */
export function holders(k: Kernel): number[] {
  const all: number[] = [];
  for (let holder = k.heap.load(holdersOf(k).head); holder !== 0; holder = k.heap.load(holder + HOLDER.next)) all.push(holder);
  return all;
}

export const holderKind = (k: Kernel, holder: number): PinKind => PIN_KINDS[k.heap.load(holder + HOLDER.kind)] as PinKind;

/** Pins pages [vpn, vpn + count) of a task for a holder of that kind (index into PIN_KINDS). Its descriptor, or -errno. */
export function* pinPages(k: Kernel, task: number, kind: number, vpn: number, count: number): Path {
  const name = PIN_KINDS[kind] as PinKind;
  const flags = HOW[name].flags | ((name === 'vmsplice' && k.mechanism('gup.vmsplice-longterm') === true) ? FOLL_LONGTERM | FOLL_PIN : 0);
  const vma = vmaLookup(k, mmOf(k, task), vpn);
  if (vma === 0) return -EFAULT;
  const fileBacked = (k.heap.load(vma + VMA.flags) & (VM_DEVDAX | VM_FSDAX)) !== 0;
  if (name === 'io_uring' && fileBacked && k.mechanism('gup.io-uring-registers-file-backed') !== true) return -EOPNOTSUPP;
  const holder = holdersOf(k).slab.alloc();
  const table = kmalloc(k.heap, count);
  k.heap.store(holder + HOLDER.kind, kind);
  k.heap.store(holder + HOLDER.pfns, table);
  k.heap.store(holder + HOLDER.flags, flags);
  k.heap.store(holder + HOLDER.domain, k.heap.load(task + TASK.domain));
  for (let i = 0; i < count; i += 1) {
    const pfn = yield* k.call(getUserPage, task, vpn + i, flags);
    if (pfn < 0) {
      k.heap.store(holder + HOLDER.count, i);
      dropPins(k, holder);
      kfree(k.heap, table, count);
      holdersOf(k).slab.free(holder);
      return pfn;
    }
    k.heap.store(table + i, pfn);
  }
  k.heap.store(holder + HOLDER.count, count);
  k.heap.store(holder + HOLDER.next, k.heap.load(holdersOf(k).head));
  k.heap.store(holdersOf(k).head, holder);
  return fdInstall(k, task, 0, 0, holder);
}

function dropPins(k: Kernel, holder: number): void {
  const put = HOW[holderKind(k, holder)].put;
  const refs = gupRefs(k.heap.load(holder + HOLDER.flags));
  const count = k.heap.load(holder + HOLDER.count);
  k.heap.store(holder + HOLDER.count, 0);
  for (let i = 0; i < count; i += 1) putPage(k, k.heap.load(k.heap.load(holder + HOLDER.pfns) + i), refs, put);
}

/** The descriptor is closed: the pages are let go. Oopses where their memmap went before. */
export function* releasePinHolder(k: Kernel, holder: number): Path {
  if (k.concurrent) yield AT('release: unpin the pages');
  const { slab, head } = holdersOf(k);
  let link = head;
  while (k.heap.load(link) !== holder && k.heap.load(link) !== 0) link = k.heap.load(link) + HOLDER.next;
  if (k.heap.load(link) === holder) k.heap.store(link, k.heap.load(holder + HOLDER.next));
  const count = k.heap.load(holder + HOLDER.count);
  dropPins(k, holder);
  kfree(k.heap, k.heap.load(holder + HOLDER.pfns), Math.max(count, 1));
  slab.free(holder);
  return 0;
}

/**
 * The device behind a holder moves data into (`write` 1) or out of its pages: a disk that answers an O_DIRECT read, an
 * RDMA peer. Physical addresses were fixed when the pages were pinned; nothing on this way asks the kernel.
 */
export function* dmaTransfer(k: Kernel, holder: number, write: number, value: number): Path {
  const count = k.heap.load(holder + HOLDER.count);
  let last = 0;
  for (let i = 0; i < count; i += 1) {
    if (k.concurrent) yield AT('DMA');
    const pfn = k.heap.load(k.heap.load(holder + HOLDER.pfns) + i);
    if (write === 1) writeMemory(k, pfn, value, k.heap.load(holder + HOLDER.domain), VIA.dma);
    else last = readMemory(k, pfn, k.heap.load(holder + HOLDER.domain), VIA.dma);
  }
  return last;
}

/** IORING_OP_READ_FIXED / WRITE_FIXED: the kernel copies through its direct map, which left with the memmap. */
export function* ioUringFixed(k: Kernel, holder: number, write: number, value: number): Path {
  const count = k.heap.load(holder + HOLDER.count);
  if (k.heap.load(holder + HOLDER.revoked) !== 0) return -EFAULT;
  for (let i = 0; i < count; i += 1) {
    if (k.concurrent) yield AT('io_write: copy_folio_from_iter_atomic');
    const pfn = k.heap.load(k.heap.load(holder + HOLDER.pfns) + i);
    if (!memmapPresent(k, pfn)) oopsPage(k, pfn, 'memcpy_orig');
    if (write === 1) writeMemory(k, pfn, value, k.heap.load(holder + HOLDER.domain));
    else readMemory(k, pfn, k.heap.load(holder + HOLDER.domain));
  }
  return count;
}

/** read() of the pipe behind a vmsplice: pages read, or -EFAULT where they are gone (copy_page_to_iter catches that). */
export function* pipeRead(k: Kernel, holder: number): Path {
  if (k.concurrent) yield AT('pipe_read');
  const count = k.heap.load(holder + HOLDER.count);
  for (let i = 0; i < count; i += 1) if (!memmapPresent(k, k.heap.load(k.heap.load(holder + HOLDER.pfns) + i))) return -EFAULT;
  for (let i = 0; i < count; i += 1) readMemory(k, k.heap.load(k.heap.load(holder + HOLDER.pfns) + i), k.heap.load(holder + HOLDER.domain));
  return count;
}

/** The I/O behind an O_DIRECT holder ends: its data arrives, then the pages are unpinned. */
export function* ioCompletes(k: Kernel, holder: number, value: number): Path {
  if (holderKind(k, holder) !== 'o_direct') return -EBADF;
  yield* k.call(dmaTransfer, holder, 1, value);
  if (k.concurrent) yield AT('bio_endio: unpin');
  dropPins(k, holder);
  return 0;
}

/**
 * Revocation of long-term pins (proposed): every holder whose pages lie in [start, end) stops its DMA and gives them
 * back. What cannot be revoked (a pipe, I/O in flight) stays. Returns the holders revoked.
 */
export function* revokeLongtermPins(k: Kernel, start: number, end: number): Path {
  let revoked = 0;
  for (let holder = k.heap.load(holdersOf(k).head); holder !== 0; holder = k.heap.load(holder + HOLDER.next)) {
    if ((k.heap.load(holder + HOLDER.flags) & FOLL_LONGTERM) === 0 || k.heap.load(holder + HOLDER.count) === 0) continue;
    const first = k.heap.load(k.heap.load(holder + HOLDER.pfns));
    if (first < start || first >= end) continue;
    if (k.concurrent) yield AT('revoke: quiesce and unpin');
    dropPins(k, holder);
    k.heap.store(holder + HOLDER.revoked, 1);
    revoked += 1;
  }
  return revoked;
}

/** Pages in [start, end) that somebody pins or references through a holder. */
export function pinnedPages(k: Kernel, start: number, end: number): number {
  let pages = 0;
  for (let holder = k.heap.load(holdersOf(k).head); holder !== 0; holder = k.heap.load(holder + HOLDER.next)) {
    for (let i = 0; i < k.heap.load(holder + HOLDER.count); i += 1) {
      const pfn = k.heap.load(k.heap.load(holder + HOLDER.pfns) + i);
      if (pfn >= start && pfn < end) pages += 1;
    }
  }
  return pages;
}
