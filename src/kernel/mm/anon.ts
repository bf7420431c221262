/**
 * Anonymous pages of processes (do_anonymous_page, wp_page_copy, copies of private file pages; mm/memory.c, 5.10 to 7.2).
 * An entry with PTE_ANON points to an object here and not to a frame: the object keeps what the page holds and how many
 * processes share it after fork. In a straight machine it has a frame of System RAM, movable and on the LRU; it keeps the
 * number of that where a RAM user keeps its (ram-user.ts), so that migration and memory_failure() find their way back. In an
 * explored machine it has none: the allocator's tables would be part of every state.
 */
import type { Kernel } from '../kernel.ts';
import { loadLong, storeLong } from '../state/long.ts';
import { Slab } from '../state/slab.ts';
import { allocPages } from './page_alloc.ts';
import { PAGE, pageStore, PG } from './page.ts';
import { physRead, physWrite } from './physmem.ts';
import { putFolio, USER } from './ram-user.ts';

/** Words: processes that share it, value, where the slot of a RAM user is (the next but one), domain, and (two words) the frame; 0 none, -1 lost. */
export const ANON = { users: 0, value: 1, slots: USER.slots, domain: 3, pfn: 4, words: 6 } as const;

class AnonPages {
  readonly slab: Slab;
  constructor(k: Kernel) {
    this.slab = new Slab(k.heap, 'anonymous page', ANON.words, 256);
  }
}
const makeAnonPages = (k: Kernel): AnonPages => new AnonPages(k);
export const anonPages = (k: Kernel): Slab => k.part(makeAnonPages).slab;

/** A new page with one user, 0 where there is no memory for it. */
export function newAnonPage(k: Kernel, value: number, domain: number): number {
  const page = anonPages(k).alloc();
  k.heap.store(page + ANON.users, 1);
  k.heap.store(page + ANON.value, value);
  k.heap.store(page + ANON.domain, domain);
  if (k.concurrent) return page;
  k.heap.store(page + ANON.slots, page + ANON.pfn);
  const pfn = allocPages(k, { nid: 0, order: 0, gfp: 'movable', flags: PG.lru | PG.anon | PG.swapbacked | PG.uptodate, mapping: page, index: 0 });
  if (pfn < 0) {
    anonPages(k).free(page);
    return 0;
  }
  pageStore(k, pfn, PAGE.mapcount, 1, 'folio_add_new_anon_rmap');
  storeLong(k.heap, page + ANON.pfn, pfn);
  return page;
}

/** Frame of the page; 0 where it has none, -1 where memory_failure() took it. */
export const anonPfn = (k: Kernel, page: number): number => loadLong(k.heap, page + ANON.pfn);

/** One process fewer; the frame goes back with the last. */
export function putAnonPage(k: Kernel, page: number): void {
  if (k.heap.add(page + ANON.users, -1) > 0) return;
  const pfn = anonPfn(k, page);
  if (pfn > 0) {
    pageStore(k, pfn, PAGE.mapcount, 0, 'folio_remove_rmap_pte');
    pageStore(k, pfn, PAGE.mapping, 0, 'folio_remove_rmap_pte');
    putFolio(k, pfn, 1);
  }
  anonPages(k).free(page);
}

/** What a load finds there: what was stored, or what the bus says where nothing answers. */
export const anonRead = (k: Kernel, page: number): number => {
  const value = k.heap.load(page + ANON.value);
  return k.concurrent || anonPfn(k, page) <= 0 ? value : physRead(k, anonPfn(k, page), value);
};

/** A store; lost where nothing answers. */
export function anonWrite(k: Kernel, page: number, value: number): void {
  if (!k.concurrent && anonPfn(k, page) > 0 && !physWrite(k, anonPfn(k, page))) return;
  k.heap.store(page + ANON.value, value);
}
