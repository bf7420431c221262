/**
 * Moving pages out of the way (mm/migrate.c; 5.10 to 7.2): a folio moves when nobody but its mapping holds a reference.
 * One reference too many, and it stays; the caller tries again.
 */
import { EAGAIN, ENOMEM } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { AT, type Path } from '../state/path.ts';
import { allocPages, freeFolio } from './page_alloc.ts';
import { compoundHead, PAGE, pageFlags, pageLoad, pageNode, pageOrder, pageStore, pageType, PG, TYPE, ZONE } from './page.ts';
import { setUserPfn } from './ram-user.ts';

/** Whether the folio at `head` is one that migration knows how to move. */
export const isMigratable = (k: Kernel, head: number): boolean =>
  pageLoad(k, head, PAGE.mapping, 'isolate_folio') !== 0 && ((pageFlags(k, head, 'isolate_folio') & PG.lru) !== 0 || pageType(k, head, 'isolate_folio') === TYPE.hugetlb);

/** Whether the one reference that the folio has is its mapping's (folio_expected_refs). */
const onlyMapped = (k: Kernel, head: number): boolean => pageLoad(k, head, PAGE.refcount, 'migrate_folio') === 1 && pageLoad(k, head, PAGE.mapping, 'migrate_folio') !== 0;

/** Looks without touching: would migrateFolio try, and is there room on some node? */
export function migratable(k: Kernel, head: number): boolean {
  if (!onlyMapped(k, head)) return false;
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
 * migrate_folio: 0 moved, -EAGAIN somebody else holds a reference, -ENOMEM no room. The user's slot points to the new
 * folio, which holds what the old one held.
 */
export function* migrateFolio(k: Kernel, head: number, kernelZones = 0): Path<number> {
  const where = 'migrate_folio';
  const order = pageOrder(k, head, where);
  const user = pageLoad(k, head, PAGE.mapping, where);
  const index = pageLoad(k, head, PAGE.index, where);
  if (!onlyMapped(k, head)) return -EAGAIN;
  const flags = pageFlags(k, head, where) & ~(PG.head | PG.tail);
  const target = allocPages(k, {
    nid: targetNode(k, pageNode(k, head, where)), order, gfp: kernelZones !== 0 ? 'kernel' : 'movable', flags, type: pageType(k, head, where), mapping: user, index,
  });
  if (target < 0) return -ENOMEM;
  if (k.concurrent) yield AT('migrate_folio: freeze references');
  if (!onlyMapped(k, head)) {
    freeFolio(k, target);
    return -EAGAIN;
  }
  pageStore(k, target, PAGE.mapcount, pageLoad(k, head, PAGE.mapcount, where), where);
  pageStore(k, target, PAGE.private, pageLoad(k, head, PAGE.private, where), where);
  setUserPfn(k, user, index, target);
  pageStore(k, head, PAGE.mapping, 0, where);
  pageStore(k, head, PAGE.refcount, 0, where);
  freeFolio(k, head);
  return 0;
}

/** The folio that holds `pfn`. */
export const folioOf = (k: Kernel, pfn: number): number => compoundHead(k, pfn, 'page_folio');
