/**
 * Page faults of DAX and anonymous memory (mm/memory.c: handle_mm_fault, do_wp_page, wp_huge_pmd; 5.10 to 7.2).
 */
import type { Kernel } from '../kernel.ts';
import { ANON, anonPfn, anonRead, newAnonPage, putAnonPage } from './anon.ts';
import { vmOpsFault } from '../fs/fault.ts';
import { AT, type Path } from '../state/path.ts';
import { peekMedium } from '../domains.ts';
import { VM_FAULT_FALLBACK, VM_FAULT_HWPOISON, VM_FAULT_NOPAGE, VM_FAULT_OOM, VM_FAULT_SIGBUS, VM_FAULT_SIGSEGV } from './fault-codes.ts';
import { ptlLock, ptlUnlock, splitHugePmd } from './memory.ts';
import { compoundHead } from './page.ts';
import { regionPage, VMA, vmaEnd, vmaStart, VM_DEVDAX, VM_FSDAX, VM_READ, VM_SHMEM, VM_SHARED, VM_WRITE } from './mm_struct.ts';
import { migrateToRam } from './migrate_device.ts';
import { hasPteTable, PMD_PAGES, PTE_ANON, PTE_DEVICE_PRIVATE, PTE_DIRTY, PTE_HWPOISON, PTE_PRESENT, PTE_WRITE, PTE_YOUNG, setEntry, tableInUse, walk } from './pgtable.ts';
import { mappingsCount, zapRmap } from './rmap.ts';
import { domainOfMm } from '../task.ts';

/** handle_mm_fault: 0 when the entry is there (or was found there), else VM_FAULT_* bits. */
export function* handleMmFault(k: Kernel, vma: number, vpn: number, write: number): Path {
  const flags = k.heap.load(vma + VMA.flags);
  if ((flags & (write === 1 ? VM_WRITE : VM_READ | VM_WRITE)) === 0) return VM_FAULT_SIGSEGV;
  const region = k.heap.load(vma + VMA.region);
  if (k.concurrent) yield AT('handle_mm_fault: read the entry');
  const mm = k.heap.load(vma + VMA.mm);
  yield* ptlLock(k, mm);
  ptlUnlock(k, mm);
  const found = walk(k.heap, region, regionPage(k, vma, vpn));
  if ((found.flags & PTE_HWPOISON) !== 0 || isLost(k, found.pfn, found.flags)) return VM_FAULT_HWPOISON;
  if ((found.flags & PTE_DEVICE_PRIVATE) !== 0) return (yield* k.call(migrateToRam, vma, vpn)) < 0 ? VM_FAULT_SIGBUS : 0;
  if (found.level === 0) return yield* noEntry(k, vma, vpn, write, flags);
  if (write === 0 || (found.flags & PTE_WRITE) !== 0) return VM_FAULT_NOPAGE;
  return found.level >= 2 ? yield* wpHugePmd(k, vma, vpn, flags, found.level) : yield* doWpPage(k, vma, vpn, flags, found.pfn, found.flags);
}

/** No entry: huge faults first, then do_read_fault, do_cow_fault or do_shared_fault; do_anonymous_page. */
function* noEntry(k: Kernel, vma: number, vpn: number, write: number, flags: number): Path {
  // shmem_fault: beyond i_size, which is 0.
  if ((flags & VM_SHMEM) !== 0) return VM_FAULT_SIGBUS;
  if ((flags & (VM_FSDAX | VM_DEVDAX)) === 0) return yield* anonymousPage(k, vma, vpn);
  const how = write === 1 && (flags & VM_SHARED) === 0 ? 2 : write;
  for (const order of (flags & VM_DEVDAX) !== 0 ? [18, 9, 0] : [9, 0]) {
    // __handle_mm_fault tries a huge entry only where the PMD is none: not over a page table.
    if (order > 0 && pteTableThere(k, vma, vpn)) continue;
    const ret = yield* k.call(vmOpsFault, vma, vpn, how, order);
    if (ret !== VM_FAULT_FALLBACK) return ret;
  }
  return VM_FAULT_SIGBUS;
}

/**
 * With other CPUs running, tables are made at set-up: an empty one counts as none. Nobody splits a VMA then, so only its
 * own entries can be set; each one looked at is a load in every step that faults.
 */
function pteTableThere(k: Kernel, vma: number, vpn: number): boolean {
  const region = k.heap.load(vma + VMA.region);
  if (!hasPteTable(k.heap, region, regionPage(k, vma, vpn))) return false;
  if (!k.concurrent) return true;
  const first = vpn - (vpn % PMD_PAGES);
  return tableInUse(k.heap, region, regionPage(k, vma, first), Math.max(0, vmaStart(k, vma) - first), Math.min(PMD_PAGES, vmaEnd(k, vma) - first));
}

/** An anonymous page whose frame memory_failure() took: try_to_unmap() leaves a poisoned entry in its place. */
const isLost = (k: Kernel, page: number, flags: number): boolean => (flags & PTE_ANON) !== 0 && !k.concurrent && anonPfn(k, page) < 0;

/** No frame for a page: the fault gives up, with the page-table lock let go. Nobody is killed to make room here. */
function outOfMemory(k: Kernel, mm: number): number {
  ptlUnlock(k, mm);
  return VM_FAULT_OOM;
}

function* anonymousPage(k: Kernel, vma: number, vpn: number): Path {
  const mm = k.heap.load(vma + VMA.mm);
  yield* ptlLock(k, mm);
  const page = newAnonPage(k, 0, domainOfMm(k, mm));
  if (page === 0) return outOfMemory(k, mm);
  setEntry(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn), 1, page, PTE_PRESENT | PTE_ANON | PTE_WRITE | PTE_DIRTY | PTE_YOUNG);
  ptlUnlock(k, mm);
  return 0;
}

/** wp_huge_pmd: a shared one asks the file system; a private one, or one refused, is split and tried as a PTE. */
function* wpHugePmd(k: Kernel, vma: number, vpn: number, flags: number, level: number): Path {
  if ((flags & VM_SHARED) !== 0) {
    const ret = yield* k.call(vmOpsFault, vma, vpn, 1, level === 3 ? 18 : 9);
    if (ret !== VM_FAULT_FALLBACK) return ret;
  }
  const mm = k.heap.load(vma + VMA.mm);
  yield* ptlLock(k, mm);
  splitHugePmd(k, vma, vpn);
  ptlUnlock(k, mm);
  return yield* k.call(vmOpsFault, vma, vpn, (flags & VM_SHARED) !== 0 ? 1 : 2, 0);
}

/**
 * do_wp_page. Before 6.15 a DAX entry has no normal page; since then vm_normal_page() gives its page and the function
 * looks at the folio: an entry that outlived its memmap ends here.
 */
function* doWpPage(k: Kernel, vma: number, vpn: number, flags: number, pfn: number, pte: number): Path {
  const mm = k.heap.load(vma + VMA.mm);
  if ((pte & PTE_ANON) !== 0) return yield* wpAnonymous(k, vma, vpn, pfn);
  if (mappingsCount(k)) {
    yield* ptlLock(k, mm);
    compoundHead(k, pfn, 'do_wp_page');
    ptlUnlock(k, mm);
  }
  if ((flags & VM_SHARED) !== 0) return yield* k.call(vmOpsFault, vma, vpn, 1, 0);
  if (k.concurrent) yield AT('wp_page_copy');
  yield* ptlLock(k, mm);
  const copy = newAnonPage(k, peekMedium(k, pfn), domainOfMm(k, mm));
  if (copy === 0) return outOfMemory(k, mm);
  zapRmap(k, 1, pfn, pte, 'wp_page_copy');
  setEntry(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn), 1, copy, PTE_PRESENT | PTE_ANON | PTE_WRITE | PTE_DIRTY | PTE_YOUNG);
  ptlUnlock(k, mm);
  return 0;
}

/** A copy-on-write page of RAM after fork: reused by its only user, else copied again. */
function* wpAnonymous(k: Kernel, vma: number, vpn: number, page: number): Path {
  const mm = k.heap.load(vma + VMA.mm);
  yield* ptlLock(k, mm);
  let mine = page;
  if (k.heap.load(page + ANON.users) > 1) {
    mine = newAnonPage(k, anonRead(k, page), domainOfMm(k, mm));
    if (mine === 0) return outOfMemory(k, mm);
    putAnonPage(k, page);
  }
  setEntry(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn), 1, mine, PTE_PRESENT | PTE_ANON | PTE_WRITE | PTE_DIRTY | PTE_YOUNG);
  ptlUnlock(k, mm);
  return 0;
}
