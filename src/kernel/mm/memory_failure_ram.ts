/**
 * memory_failure() on System RAM (mm/memory-failure.c: memory_failure, me_pagecache_clean, me_kernel; 5.10 to 7.2), as far
 * as hotplug sees it: the frame is poisoned, a free one leaves the allocator, a user loses its mapping, and a kernel page
 * is poisoned and goes on being used.
 */
import { EBUSY } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { hex, KERN_ERR } from '../printk.ts';
import { freePages } from './page_alloc.ts';
import { compoundHead, makeTable, PAGE, pageblockMigratetype, pageFlags, pageLoad, pageNode, pageOrder, pageStore, pageType, pageZone, PG, setFlag, MIGRATE, TYPE } from './page.ts';
import { setUserPfn } from './ram-user.ts';

/** 0 recovered, -EBUSY ignored or failed; the frame is poisoned in either case. */
export function memoryFailureRam(k: Kernel, pfn: number): number {
  const where = 'memory_failure';
  if ((pageFlags(k, pfn, where) & PG.hwpoison) !== 0) return -EBUSY;
  const type = pageType(k, pfn, where);
  if (type === TYPE.buddy) return poisonFree(k, pfn);
  const head = compoundHead(k, pfn, where);
  const user = pageLoad(k, head, PAGE.mapping, where);
  makeTable(k, pfn);
  setFlag(k, pfn, PG.hwpoison, where);
  if (user === 0 || (pageFlags(k, head, where) & PG.lru) === 0) {
    k.log.write(KERN_ERR, `Memory failure: ${hex(pfn)}: recovery action for ${type === TYPE.slab ? 'unhandlable page' : 'reserved kernel page'}: Ignored`);
    return -EBUSY;
  }
  setUserPfn(k, user, pageLoad(k, head, PAGE.index, where), -1);
  const pages = 2 ** pageOrder(k, head, where);
  freePages(k, head, pages);
  offLru(k, pfn);
  k.log.write(KERN_ERR, `Memory failure: ${hex(pfn)}: recovery action for dirty LRU page: Recovered`);
  return 0;
}

/** A poisoned frame is on no list any more: not free, not on the LRU, nobody's. It keeps one reference for good. */
export function offLru(k: Kernel, pfn: number): void {
  const where = 'isolate_lru_page';
  pageStore(k, pfn, PAGE.flags, PG.hwpoison, where);
  pageStore(k, pfn, PAGE.mapping, 0, where);
  pageStore(k, pfn, PAGE.mapcount, 0, where);
  pageStore(k, pfn, PAGE.refcount, 1, where);
}

/** take_page_off_buddy. */
function poisonFree(k: Kernel, pfn: number): number {
  const where = 'take_page_off_buddy';
  const table = makeTable(k, pfn);
  k.heap.add(table, -1);
  if (pageblockMigratetype(k, pfn) !== MIGRATE.isolate) k.zones.add(pageNode(k, pfn, where), pageZone(k, pfn, where), 'free', -1);
  pageStore(k, pfn, PAGE.flags, PG.hwpoison, where);
  pageStore(k, pfn, PAGE.links, pageLoad(k, pfn, PAGE.links, where) & ~(15 << 19), where);
  pageStore(k, pfn, PAGE.refcount, 1, where);
  k.log.write(KERN_ERR, `Memory failure: ${hex(pfn)}: recovery action for free buddy page: Recovered`);
  return 0;
}
