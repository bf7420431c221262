/**
 * Pins of System RAM (mm/gup.c: __gup_longterm_locked, check_and_migrate_movable_folios; 5.10 to 7.2). Kinds of holder:
 * `longterm` (io_uring fixed buffers, AF_XDP, RDMA, vfio) adds 1024 references to each page and leaves ZONE_MOVABLE first
 * where this kernel makes it; `get` (vmsplice into a pipe) adds one and stays where the page is.
 */
import { EAGAIN } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import type { Path } from '../state/path.ts';
import { migrateFolio } from './migrate.ts';
import { ZONE } from './page-template.ts';
import { pageOrder, pageZone } from './page.ts';
import { GUP_PIN_COUNTING_BIAS, putFolio, takeReferences, userPfn } from './ram-user.ts';

/** References that a pin of the whole folio takes. */
const bias = (k: Kernel, user: number, slot: number): number => GUP_PIN_COUNTING_BIAS * 2 ** Math.min(9, pageOrder(k, userPfn(k, user, slot), 'try_grab_folio'));

/** pin_user_pages(FOLL_LONGTERM) of folios [from, to): 0, or -EAGAIN where a folio could not leave ZONE_MOVABLE. */
export function* pinLongterm(k: Kernel, user = 0, from = 0, to = 0): Path<number> {
  if (k.mechanism('gup.longterm-leaves-movable')) {
    for (let slot = from; slot < to; slot += 1) {
      if (pageZone(k, userPfn(k, user, slot), 'folio_is_longterm_pinnable') !== ZONE.movable) continue;
      if ((yield* k.call(migrateFolio, userPfn(k, user, slot), 1)) < 0) return -EAGAIN;
    }
  }
  for (let slot = from; slot < to; slot += 1) takeReferences(k, user, slot, slot + 1, bias(k, user, slot));
  return 0;
}

/** unpin_user_pages. */
export function unpinLongterm(k: Kernel, user: number, from: number, to: number): void {
  for (let slot = from; slot < to; slot += 1) putFolio(k, userPfn(k, user, slot), bias(k, user, slot));
}

/** vmsplice of folios [from, to) into a pipe. */
export const spliceGet = (k: Kernel, user: number, from: number, to: number): void => takeReferences(k, user, from, to, 1);
/** The pipe is read or closed. */
export function splicePut(k: Kernel, user: number, from: number, to: number): void {
  for (let slot = from; slot < to; slot += 1) putFolio(k, userPfn(k, user, slot), 1);
}
