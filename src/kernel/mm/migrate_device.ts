/**
 * Pages that move between RAM and a device (mm/migrate_device.c, mm/hmm.c; 5.10 to 7.2; MEMORY_DEVICE_PUBLIC to 5.2 was a
 * coherent page that was never pinned). A driver hands its pages out one by one; each holds the pagemap while it is in
 * use, so a removal waits, and a coordinated one brings everything home first (2c, 2g, 2h).
 */
import { EBUSY, EFAULT, ENOMEM } from '../errno.ts';
import { assignOwner, readMemory, writeMemory, peekMedium } from '../domains.ts';
import type { Kernel } from '../kernel.ts';
import { AT, BLOCKED, type Path } from '../state/path.ts';
import { domainOfMm, eachTask, TASK } from '../task.ts';
import { flushTlb, ptlLock, ptlUnlock, vmaLeaves } from './memory.ts';
import { idleCount, MEMORY_DEVICE, memunmapPages, PGMAP, pgmapEnd, pgmapStart } from './memremap.ts';
import { putPage } from './page_ref.ts';
import { mmOf, regionPage, VMA, vmaLookup, vmasOf } from './mm_struct.ts';
import { PAGE, pageAdd, pageLoad, pageStore } from './page.ts';
import { PTE_ANON, PTE_COHERENT, PTE_DEVICE_PRIVATE, PTE_DIRTY, PTE_PRESENT, PTE_WRITE, PTE_YOUNG, setEntry, walk } from './pgtable.ts';
import { ANON, anonRead, newAnonPage, putAnonPage } from './anon.ts';

/** zone_device_page_init: a free page of the pagemap with one reference, which holds the pagemap; -ENOMEM. */
export function devicePageAlloc(k: Kernel, pgmap: number): number {
  if (k.heap.load(pgmap + PGMAP.dying) !== 0) return -ENOMEM;
  const idle = idleCount(k, pgmap);
  for (let pfn = pgmapStart(k, pgmap); pfn < pgmapEnd(k, pgmap); pfn += 1) {
    if (pageLoad(k, pfn, PAGE.refcount, 'zone_device_page_init') !== idle) continue;
    k.heap.add(pgmap + PGMAP.held, 1);
    pageAdd(k, pfn, PAGE.refcount, 1, 'zone_device_page_init');
    return pfn;
  }
  return -ENOMEM;
}

/** migrate_vma to the device: one anonymous page of a task. 0, -EFAULT, -EBUSY (shared), -ENOMEM. */
export function* migrateToDevice(k: Kernel, task: number, vpn: number, pgmap: number): Path {
  const mm = mmOf(k, task);
  const vma = vmaLookup(k, mm, vpn);
  if (vma === 0) return -EFAULT;
  if (k.concurrent) yield AT('migrate_vma_setup');
  yield* ptlLock(k, mm);
  const rc = toDevice(k, vma, vpn, pgmap);
  ptlUnlock(k, mm);
  yield* flushTlb(k);
  return rc;
}

function toDevice(k: Kernel, vma: number, vpn: number, pgmap: number): number {
  const region = k.heap.load(vma + VMA.region);
  const found = walk(k.heap, region, regionPage(k, vma, vpn));
  if ((found.flags & PTE_ANON) === 0) return -EFAULT;
  if (k.heap.load(found.pfn + ANON.users) > 1) return -EBUSY;
  const pfn = devicePageAlloc(k, pgmap);
  if (pfn < 0) return pfn;
  const domain = k.heap.load(found.pfn + ANON.domain);
  assignOwner(k, pfn, pfn + 1, domain);
  writeMemory(k, pfn, anonRead(k, found.pfn), domain);
  putAnonPage(k, found.pfn);
  const coherent = k.heap.load(pgmap + PGMAP.type) === MEMORY_DEVICE.coherent || k.heap.load(pgmap + PGMAP.type) === MEMORY_DEVICE.public;
  setEntry(k.heap, region, regionPage(k, vma, vpn), 1, pfn, coherent ? PTE_PRESENT | PTE_COHERENT | PTE_WRITE | PTE_DIRTY | PTE_YOUNG : PTE_DEVICE_PRIVATE);
  pageStore(k, pfn, PAGE.mapcount, 1, 'migrate_vma_pages');
  return 0;
}

/**
 * migrate_to_ram: the device's page comes back to RAM. -EBUSY where somebody else has a reference (it is pinned); what a
 * device that has gone gives is all ones or zeroes.
 */
export function* migrateToRam(k: Kernel, vma: number, vpn: number): Path {
  const mm = k.heap.load(vma + VMA.mm);
  if (k.concurrent) yield AT('migrate_to_ram');
  yield* ptlLock(k, mm);
  const region = k.heap.load(vma + VMA.region);
  const found = walk(k.heap, region, regionPage(k, vma, vpn));
  let rc = 0;
  const cached = (found.flags & PTE_PRESENT) !== 0;
  if ((found.flags & (PTE_DEVICE_PRIVATE | PTE_COHERENT)) !== 0) {
    const pgmap = pageLoad(k, found.pfn, PAGE.pgmap, 'migrate_to_ram');
    if (pageLoad(k, found.pfn, PAGE.refcount, 'migrate_to_ram') > idleCount(k, pgmap) + 1) rc = -EBUSY;
    else {
      const domain = domainOfMm(k, mm);
      const page = newAnonPage(k, readMemory(k, found.pfn, domain), domain);
      if (page === 0) {
        ptlUnlock(k, mm);
        return -ENOMEM;
      }
      pageStore(k, found.pfn, PAGE.mapcount, 0, 'migrate_to_ram');
      putPage(k, found.pfn, 1, 'migrate_to_ram');
      setEntry(k.heap, region, regionPage(k, vma, vpn), 1, page, PTE_PRESENT | PTE_ANON | PTE_WRITE | PTE_DIRTY | PTE_YOUNG);
    }
  }
  ptlUnlock(k, mm);
  // migrate_vma_collect_pmd: whoever walks with interrupts off is waited for before the page can go with its pagemap.
  if (cached) yield* flushTlb(k);
  return rc;
}

/** migrate_device_range: everything that processes have on the pagemap comes home. A page that could not (pinned), or 0. */
export function* migrateDeviceRange(k: Kernel, pgmap: number): Path {
  let stuck = 0;
  for (const task of eachTask(k)) {
    if (k.heap.load(task + TASK.mm) === 0) continue;
    for (const vma of [...vmasOf(k, mmOf(k, task))]) {
      for (const { vpn, leaf } of vmaLeaves(k, vma)) {
        if ((leaf.flags & (PTE_DEVICE_PRIVATE | PTE_COHERENT)) === 0 || leaf.pfn < pgmapStart(k, pgmap) || leaf.pfn >= pgmapEnd(k, pgmap)) continue;
        for (let i = 0; i < leaf.count; i += 1) if ((yield* k.call(migrateToRam, vma, vpn + i)) < 0) stuck = leaf.pfn + i;
      }
    }
  }
  return stuck;
}

/** Coordinated removal (2h): no new pages, everything home, again while something is pinned, then the memmap goes. */
export function* coordinatedRemoval(k: Kernel, pgmap: number): Path {
  k.heap.store(pgmap + PGMAP.dying, 1);
  for (;;) {
    const stuck = yield* k.call(migrateDeviceRange, pgmap);
    if (stuck === 0) break;
    while (pageLoad(k, stuck, PAGE.refcount, 'migrate_device_range') > idleCount(k, pgmap) + 1) yield BLOCKED('D coordinated removal: a page is pinned');
  }
  return yield* k.call(memunmapPages, pgmap);
}

/** What the device holds in a page, for views. */
export const deviceValue = (k: Kernel, pfn: number): number => peekMedium(k, pfn);
