/**
 * Moving pages out of the way (mm/migrate.c, mm/vmscan.c; 5.10 to 7.2). Whoever moves a folio isolates it first: it leaves the
 * LRU with one more reference, so that nobody else isolates it and the frame cannot go. It moves when nobody but its mapping
 * and the isolator holds a reference. One reference too many, and it is put back; the caller tries again.
 */
import { EAGAIN, ENOMEM } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { AT, type Path } from '../state/path.ts';
import { allocPages, freeFolio } from './page_alloc.ts';
import { clearFlag, compoundHead, PAGE, pageAdd, pageFlags, pageLoad, pageNode, pageOrder, pageStore, pageType, PG, setFlag, TYPE, ZONE } from './page.ts';
import { putFolio, setUserPfn } from './ram-user.ts';

const isHugetlb = (k: Kernel, head: number, where: string): boolean => pageType(k, head, where) === TYPE.hugetlb;

/** Whether somebody is moving the folio at `head`: a user page that is not where it would be found (the LRU, or the hugetlb pool's list). */
export const isIsolated = (k: Kernel, head: number): boolean => (pageFlags(k, head, 'folio_isolate_lru') & PG.isolated) !== 0;

/** Whether the folio at `head` is one that could be isolated now (folio_test_lru, folio_test_hugetlb_migratable: a pool page in use). */
export function isMigratable(k: Kernel, head: number): boolean {
  const where = 'isolate_folio';
  if (isIsolated(k, head)) return false;
  return (pageFlags(k, head, where) & PG.lru) !== 0 || (isHugetlb(k, head, where) && pageLoad(k, head, PAGE.mapping, where) !== 0);
}

/**
 * folio_isolate_lru, folio_isolate_hugetlb: the folio is the caller's to move until migrateFolio() ends. False where
 * somebody else has it, or where it is none that moves.
 */
export function isolateFolio(k: Kernel, head: number): boolean {
  if (!isMigratable(k, head)) return false;
  clearFlag(k, head, PG.lru, 'folio_isolate_lru');
  setFlag(k, head, PG.isolated, 'folio_isolate_lru');
  pageAdd(k, head, PAGE.refcount, 1, 'folio_isolate_lru');
  return true;
}

/** folio_putback_lru, folio_putback_hugetlb: what could not move is found again. Without a user it is free now. */
function putback(k: Kernel, head: number): void {
  const where = 'folio_putback_lru';
  clearFlag(k, head, PG.isolated, where);
  if (!isHugetlb(k, head, where)) setFlag(k, head, PG.lru, where);
  putFolio(k, head, 1);
}

/** Whether the folio has `refs` references, one of them its mapping's (folio_expected_refs). */
const hasOnly = (k: Kernel, head: number, refs: number): boolean => pageLoad(k, head, PAGE.refcount, 'migrate_folio') === refs && pageLoad(k, head, PAGE.mapping, 'migrate_folio') !== 0;

/** Looks without touching: would an isolated folio move, and is there room on some node? */
export function migratable(k: Kernel, head: number): boolean {
  if (!hasOnly(k, head, 1)) return false;
  const pages = 2 ** pageOrder(k, head, 'migrate_folio');
  for (let nid = 0; nid < k.nodes; nid += 1) for (let zone = 0; zone <= ZONE.movable; zone += 1) if (k.zones.get(nid, zone, 'free') >= pages) return true;
  return false;
}

/** Node order for the target of an offline: other nodes first (do_migrate_range), the own one where there is no other. */
function targetNode(k: Kernel, from: number): number {
  for (let nid = 0; nid < k.nodes; nid += 1) if (nid !== from && k.zones.nodeOnline(nid) && k.zones.nodePresent(nid) > 0) return nid;
  return from;
}

/**
 * migrate_folio of a folio that the caller has isolated: 0 moved (or freed meanwhile by its user), -EAGAIN somebody else
 * holds a reference, -ENOMEM no room. The user's slot points to the new folio, which holds what the old one held. The folio
 * is isolated no more in either case.
 */
export function* migrateFolio(k: Kernel, head: number, kernelZones = 0): Path<number> {
  const result = yield* moveFolio(k, head, kernelZones);
  if (result < 0) putback(k, head);
  return result;
}

function* moveFolio(k: Kernel, head: number, kernelZones: number): Path<number> {
  const where = 'migrate_folio';
  if (freedUnderUs(k, head)) return 0;
  if (!hasOnly(k, head, 2)) return -EAGAIN;
  const user = pageLoad(k, head, PAGE.mapping, where);
  const index = pageLoad(k, head, PAGE.index, where);
  const hugetlb = isHugetlb(k, head, where);
  const target = allocPages(k, {
    nid: targetNode(k, pageNode(k, head, where)), order: pageOrder(k, head, where), gfp: kernelZones !== 0 ? 'kernel' : 'movable',
    flags: (pageFlags(k, head, where) & ~(PG.head | PG.tail | PG.isolated)) | (hugetlb ? 0 : PG.lru), type: pageType(k, head, where), mapping: user, index,
  });
  if (target < 0) return -ENOMEM;
  if (k.concurrent) yield AT('migrate_folio: freeze references');
  if (!hasOnly(k, head, 2)) {
    freeFolio(k, target);
    return freedUnderUs(k, head) ? 0 : -EAGAIN;
  }
  pageStore(k, target, PAGE.mapcount, pageLoad(k, head, PAGE.mapcount, where), where);
  pageStore(k, target, PAGE.private, pageLoad(k, head, PAGE.private, where), where);
  setUserPfn(k, user, index, target);
  pageStore(k, head, PAGE.mapping, 0, where);
  pageStore(k, head, PAGE.refcount, 0, where);
  freeFolio(k, head);
  return 0;
}

/** migrate_folio_unmap: the isolator's is the last reference, the user has gone. The frame is free with it. */
function freedUnderUs(k: Kernel, head: number): boolean {
  if (pageLoad(k, head, PAGE.refcount, 'migrate_folio_unmap') !== 1 || pageLoad(k, head, PAGE.mapping, 'migrate_folio_unmap') !== 0) return false;
  putFolio(k, head, 1);
  return true;
}

/** The folio that holds `pfn`. */
export const folioOf = (k: Kernel, pfn: number): number => compoundHead(k, pfn, 'page_folio');
