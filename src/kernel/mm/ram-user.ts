/**
 * Who uses System RAM: objects that own folios and can be moved out of the way or not. A user stands for a process's
 * anonymous memory, for page cache or for a hugetlb mapping; each folio knows its user (`mapping`) and its place in it
 * (`index`), which is all that migration needs. What the memory holds is a number in `private`, which follows the folio.
 *
 * References: one for the user's mapping; get_user_pages() adds 1 (FOLL_GET, as vmsplice) or 1024 (FOLL_PIN,
 * GUP_PIN_COUNTING_BIAS of include/linux/mm.h) to each.
 */
import type { Kernel } from '../kernel.ts';
import { Arrays } from '../state/array.ts';
import { loadLong, storeLong } from '../state/long.ts';
import { Slab } from '../state/slab.ts';
import { allocPages, freeFolio, type Gfp } from './page_alloc.ts';
import { PAGE, pageAdd, pageLoad, pageOrder, pageStore, PG, setFlag, TYPE } from './page.ts';
import { physRead, physWrite } from './physmem.ts';

export const USER = { kind: 0, name: 1, slots: 2, folios: 3, order: 4, next: 5, nid: 6, words: 7 } as const;
export const USER_KIND = { anon: 1, mlock: 2, file: 3, hugetlb: 4 } as const;
export type UserKind = keyof typeof USER_KIND;
/** What a pinned page has more in its reference count. */
export const GUP_PIN_COUNTING_BIAS = 1024;

interface RamUsers {
  readonly slab: Slab;
  readonly arrays: Arrays;
  /** Word: first user. */
  readonly head: number;
}
const makeRamUsers = (k: Kernel): RamUsers => ({ slab: new Slab(k.heap, 'ram user', USER.words, 32), arrays: new Arrays(k.heap), head: k.heap.reserve(1) });
export const ramUsers = (k: Kernel): RamUsers => k.part(makeRamUsers);

export interface UserInput {
  readonly name: string;
  readonly kind: UserKind;
  /** Preferred node. */
  readonly nid: number;
  /** Folios to allocate, each of `order`. */
  readonly folios: number;
  readonly order: number;
  readonly gfp?: Gfp;
  readonly thisNode?: boolean;
  /** What each folio holds at first. */
  readonly value?: number;
}

const FLAGS: Readonly<Record<UserKind, number>> = {
  anon: PG.lru | PG.anon | PG.swapbacked | PG.uptodate,
  mlock: PG.lru | PG.anon | PG.swapbacked | PG.uptodate | PG.unevictable | PG.mlocked,
  file: PG.lru | PG.uptodate,
  // A private mapping without a file (hugetlb_add_new_anon_rmap), as the measured holder had it; never on an LRU.
  hugetlb: PG.uptodate | PG.anon,
};

/** A user with all its folios; 0 where memory ran out (nothing is kept then). */
export function userAlloc(k: Kernel, input: UserInput): number {
  const { slab, arrays, head } = ramUsers(k);
  const user = slab.alloc();
  const slots = arrays.alloc(input.folios * 2);
  k.heap.store(user + USER.kind, USER_KIND[input.kind]);
  k.heap.store(user + USER.name, k.names.of(input.name));
  k.heap.store(user + USER.slots, slots);
  k.heap.store(user + USER.order, input.order);
  k.heap.store(user + USER.nid, input.nid);
  k.heap.store(user + USER.next, k.heap.load(head));
  k.heap.store(head, user);
  for (let slot = 0; slot < input.folios; slot += 1) {
    const pfn = allocPages(k, {
      nid: input.nid, order: input.order, gfp: input.gfp ?? 'movable', thisNode: input.thisNode ?? false, flags: FLAGS[input.kind],
      type: input.kind === 'hugetlb' ? TYPE.hugetlb : TYPE.none, mapping: user, index: slot,
    });
    if (pfn < 0) {
      userFree(k, user);
      return 0;
    }
    pageStore(k, pfn, PAGE.mapcount, 1, 'userAlloc');
    storeLong(k.heap, slots + slot * 2, pfn);
    k.heap.add(user + USER.folios, 1);
    userWrite(k, user, slot, input.value ?? 0);
  }
  return user;
}

export const userFolios = (k: Kernel, user: number): number => k.heap.load(user + USER.folios);
/** First pfn of a folio; -1 where the folio was taken away (memory failure). */
export const userPfn = (k: Kernel, user: number, slot: number): number => loadLong(k.heap, k.heap.load(user + USER.slots) + slot * 2);
export const setUserPfn = (k: Kernel, user: number, slot: number, pfn: number): void => storeLong(k.heap, k.heap.load(user + USER.slots) + slot * 2, pfn);
export const userName = (k: Kernel, user: number): string => k.names.text(k.heap.load(user + USER.name));

/** All users, newest first. */
export function users(k: Kernel): number[] {
  const found: number[] = [];
  for (let user = k.heap.load(ramUsers(k).head); user !== 0; user = k.heap.load(user + USER.next)) found.push(user);
  return found;
}

/** The process exits: every folio loses the mapping's reference; pinned ones live on. */
export function userFree(k: Kernel, user: number): void {
  const { slab, arrays, head } = ramUsers(k);
  const folios = userFolios(k, user);
  for (let slot = 0; slot < folios; slot += 1) {
    const pfn = userPfn(k, user, slot);
    if (pfn < 0) continue;
    pageStore(k, pfn, PAGE.mapcount, 0, 'exit_mmap');
    pageStore(k, pfn, PAGE.mapping, 0, 'exit_mmap');
    putFolio(k, pfn, 1);
  }
  for (let link = head; k.heap.load(link) !== 0; link = k.heap.load(link) + USER.next) {
    if (k.heap.load(link) !== user) continue;
    k.heap.store(link, k.heap.load(user + USER.next));
    break;
  }
  arrays.free(k.heap.load(user + USER.slots), folios * 2);
  slab.free(user);
}

/** folio_put of `refs` references: the folio is free when none is left. */
export function putFolio(k: Kernel, head: number, refs: number): void {
  if (pageAdd(k, head, PAGE.refcount, -refs, 'folio_put') === 0) freeFolio(k, head);
}

/** What the process reads at this folio: what it wrote, or what the bus says where nothing answers. */
export function userRead(k: Kernel, user: number, slot: number): number {
  const pfn = userPfn(k, user, slot);
  return physRead(k, pfn, pageLoad(k, pfn, PAGE.private, 'read'));
}

/** The process writes; where nothing answers the write is lost. */
export function userWrite(k: Kernel, user: number, slot: number, value: number): void {
  const pfn = userPfn(k, user, slot);
  if (physWrite(k, pfn)) pageStore(k, pfn, PAGE.private, value, 'write');
}

/** get_user_pages of folios [from, to): FOLL_GET (1) or FOLL_PIN (1024) references. */
export function takeReferences(k: Kernel, user: number, from: number, to: number, refs: number): void {
  for (let slot = from; slot < to; slot += 1) pageAdd(k, userPfn(k, user, slot), PAGE.refcount, refs, 'try_grab_folio');
}

/** Pages of a user in a range of pfns [start, end). */
export function userPagesIn(k: Kernel, user: number, start: number, end: number): number {
  let pages = 0;
  for (let slot = 0; slot < userFolios(k, user); slot += 1) {
    const pfn = userPfn(k, user, slot);
    if (pfn >= start && pfn < end) pages += 2 ** pageOrder(k, pfn, 'userPagesIn');
  }
  return pages;
}

/** mlock of a user that exists. */
export function userMlock(k: Kernel, user: number): void {
  k.heap.store(user + USER.kind, USER_KIND.mlock);
  for (let slot = 0; slot < userFolios(k, user); slot += 1) setFlag(k, userPfn(k, user, slot), PG.unevictable | PG.mlocked, 'mlock_folio');
}
