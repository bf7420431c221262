/**
 * get_user_pages: references and pins on what a process maps (mm/gup.c; 5.10, 6.1, 6.12, 7.2).
 *
 * GUP-fast reads the entry, takes a reference on the page, and reads the entry again, with interrupts off. Between the
 * first two steps only the grace period keeps the memmap there: whoever clears an entry waits in its TLB flush for CPUs
 * with interrupts off. To 6.16 it also takes a live reference on the pagemap first.
 */
import { EAGAIN, EFAULT, EOPNOTSUPP } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { addBlindly, AT, type Path } from '../state/path.ts';
import { FOLL_LONGTERM, FOLL_WRITE, gupRefs } from './gup-flags.ts';
import { handleMmFault } from './fault.ts';
import { VM_FAULT_ERROR } from './fault-codes.ts';
import { ptlLock, ptlUnlock } from './memory.ts';
import { getDevPagemap, MEMORY_DEVICE, pagemapsOf, PGMAP, putDevPagemap } from './memremap.ts';
import { putPage, tryGetPage } from './page_ref.ts';
import { mmOf, regionPage, VMA, vmaLookup, VM_FSDAX, VM_PFNMAP } from './mm_struct.ts';
import { PAGE, pageLoad } from './page.ts';
import { PTE_ANON, PTE_DEVMAP, PTE_PRESENT, PTE_SPECIAL, PTE_WRITE, walk, type Found } from './pgtable.ts';

const usable = (found: Found, flags: number): boolean =>
  found.level !== 0 && (found.flags & PTE_PRESENT) !== 0 && (found.flags & (PTE_SPECIAL | PTE_ANON)) === 0 && ((flags & FOLL_WRITE) === 0 || (found.flags & PTE_WRITE) !== 0);

/** gup_fast of one page: its pfn, or -EAGAIN: try the slow way. */
export function* gupFast(k: Kernel, task: number, vpn: number, flags: number): Path {
  const { irqsOff } = pagemapsOf(k);
  const vma = vmaLookup(k, mmOf(k, task), vpn);
  if (vma === 0) return -EAGAIN;
  addBlindly(k, irqsOff, 1);
  const pfn = yield* gupFastPte(k, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn), flags);
  addBlindly(k, irqsOff, -1);
  return pfn;
}

function* gupFastPte(k: Kernel, region: number, page: number, flags: number): Path {
  if (k.concurrent) yield AT('gup_fast: read the pte');
  const found = walk(k.heap, region, page);
  if (!usable(found, flags)) return -EAGAIN;
  const devmap = (found.flags & PTE_DEVMAP) !== 0;
  if (devmap && (flags & FOLL_LONGTERM) !== 0) return -EAGAIN;
  let pgmap = 0;
  if (k.mechanism('gup.fast-takes-pgmap') === true) {
    if (k.concurrent) yield AT('gup_fast: get_dev_pagemap');
    pgmap = getDevPagemap(k, found.pfn);
    if (pgmap === 0) return -EAGAIN;
  }
  if (k.concurrent) yield AT('gup_fast: take the page reference');
  let taken = tryGetPage(k, found.pfn, gupRefs(flags), 'try_grab_folio_fast');
  if (taken && !devmap && (flags & FOLL_LONGTERM) !== 0 && !longtermPinnable(k, found.pfn)) {
    putPage(k, found.pfn, gupRefs(flags), 'gup_put_folio');
    taken = false;
  }
  if (taken && k.mechanism('gup.fast-rechecks-pte') === true) {
    if (k.concurrent) yield AT('gup_fast: read the pte again');
    const again = walk(k.heap, region, page);
    if (again.level !== found.level || again.pfn !== found.pfn || again.flags !== found.flags) {
      putPage(k, found.pfn, gupRefs(flags), 'gup_put_folio');
      taken = false;
    }
  }
  if (pgmap !== 0) putDevPagemap(k, pgmap);
  return taken ? found.pfn : -EAGAIN;
}

/** folio_is_longterm_pinnable (6.15 on): fsdax pages are not. */
function longtermPinnable(k: Kernel, pfn: number): boolean {
  const pgmap = pageLoad(k, pfn, PAGE.pgmap, 'folio_is_longterm_pinnable');
  if (pgmap === 0) return true;
  return k.heap.load(pgmap + PGMAP.type) !== MEMORY_DEVICE.fsdax || k.mechanism('gup.longterm-on-fsdax') === true;
}

/** __get_user_pages for one page: faults it in where needed, takes the reference under the page-table lock. */
export function* gupSlow(k: Kernel, task: number, vpn: number, flags: number): Path {
  const mm = mmOf(k, task);
  const vma = vmaLookup(k, mm, vpn);
  if (vma === 0 || (k.heap.load(vma + VMA.flags) & VM_PFNMAP) !== 0) return -EFAULT;
  // check_vma_flags: a file system must be able to take its blocks back.
  if ((flags & FOLL_LONGTERM) !== 0 && (k.heap.load(vma + VMA.flags) & VM_FSDAX) !== 0 && k.mechanism('gup.longterm-on-fsdax') !== true) return -EOPNOTSUPP;
  for (;;) {
    if (k.concurrent) yield AT('follow_page_mask');
    yield* ptlLock(k, mm);
    const found = walk(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn));
    if (usable(found, flags)) {
      const rc = followDevicePage(k, found, flags);
      ptlUnlock(k, mm);
      return rc;
    }
    ptlUnlock(k, mm);
    if ((found.flags & PTE_ANON) !== 0 && found.level !== 0) return -EFAULT;
    const ret = yield* k.call(handleMmFault, vma, vpn, (flags & FOLL_WRITE) !== 0 ? 1 : 0);
    if ((ret & VM_FAULT_ERROR) !== 0) return -EFAULT;
  }
}

/** follow_devmap_pte / follow_page_pte: under the lock the entry is stable; the pagemap must live where it is asked for. */
function followDevicePage(k: Kernel, found: Found, flags: number): number {
  let pgmap = 0;
  if (k.mechanism('gup.fast-takes-pgmap') === true) {
    pgmap = getDevPagemap(k, found.pfn);
    if (pgmap === 0) return -EFAULT;
  }
  const taken = tryGetPage(k, found.pfn, gupRefs(flags), 'try_grab_page');
  if (pgmap !== 0) putDevPagemap(k, pgmap);
  return taken ? found.pfn : -EFAULT;
}

/** get_user_pages_fast / pin_user_pages_fast of one page: pfn with the reference taken, or -errno. */
export function* getUserPage(k: Kernel, task: number, vpn: number, flags: number): Path {
  const fast = yield* k.call(gupFast, task, vpn, flags);
  if (fast !== -EAGAIN) return fast;
  return yield* k.call(gupSlow, task, vpn, flags);
}

/** put_page / unpin_user_page of what getUserPage gave. */
export function* putUserPage(k: Kernel, pfn: number, flags: number, where: 'put_page' | 'unpin_user_page' = 'put_page'): Path {
  if (k.concurrent) yield AT(where);
  putPage(k, pfn, gupRefs(flags), where);
  return 0;
}
