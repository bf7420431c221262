/**
 * Pins of System RAM (mm/gup.c: __gup_longterm_locked, check_and_migrate_movable_folios; 5.10 to 7.2). Kinds of holder:
 * `longterm` (io_uring fixed buffers, AF_XDP, RDMA, vfio) adds 1024 references to each page and leaves ZONE_MOVABLE first
 * where this kernel makes it; `get` (vmsplice into a pipe) adds one and stays where the page is.
 */
import { ENOMEM } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { AT, BLOCKED, repeat, STOP, type Path } from '../state/path.ts';
import { Slab } from '../state/slab.ts';
import { isIsolated, isolateFolio, migrateFolio } from './migrate.ts';
import { ZONE } from './page-template.ts';
import { pageOrder, pageZone } from './page.ts';
import { GUP_PIN_COUNTING_BIAS, putFolio, takeReferences, userPfn } from './ram-user.ts';

/** References that a pin of the whole folio takes. */
const bias = (k: Kernel, user: number, slot: number): number => GUP_PIN_COUNTING_BIAS * 2 ** Math.min(9, pageOrder(k, userPfn(k, user, slot), 'try_grab_folio'));

/** One folio being pinned: the user, its slot, and how it ended (errno). In the heap, so that each try forgets the last. */
const REQUEST = { user: 0, slot: 1, result: 2, words: 3 } as const;
const makeRequests = (k: Kernel): Slab => new Slab(k.heap, 'pin request', REQUEST.words, 8);

/**
 * pin_user_pages(FOLL_LONGTERM) of folios [from, to): 0, or -ENOMEM with nothing pinned where a folio could not leave
 * ZONE_MOVABLE: migrate_longterm_unpinnable_folios() says so whatever the migration failed for.
 */
export function* pinLongterm(k: Kernel, user = 0, from = 0, to = 0): Path<number> {
  for (let slot = from; slot < to; slot += 1) {
    if (k.mechanism('gup.longterm-leaves-movable')) {
      const result = yield* k.call(pinOutsideMovable, user, slot);
      if (result < 0) {
        unpinLongterm(k, user, from, slot);
        return result;
      }
    } else takeReferences(k, user, slot, slot + 1, bias(k, user, slot));
  }
  return 0;
}

/** The loop of __gup_longterm_locked for one folio: 0 with the pin taken, or -ENOMEM. */
function* pinOutsideMovable(k: Kernel, user = 0, slot = 0): Path<number> {
  const request = k.part(makeRequests).alloc();
  k.heap.store(request + REQUEST.user, user);
  k.heap.store(request + REQUEST.slot, slot);
  yield* repeat(k, tryPin, request);
  const result = k.heap.load(request + REQUEST.result);
  k.part(makeRequests).free(request);
  return result;
}

/**
 * Pins, looks where the folio lies, and if that is ZONE_MOVABLE isolates it, drops the pin and moves it. Where somebody else
 * is moving it, the next try waits for that (migration_entry_wait).
 */
function* tryPin(k: Kernel, request = 0): Path<number> {
  const user = k.heap.load(request + REQUEST.user);
  const slot = k.heap.load(request + REQUEST.slot);
  while (isIsolated(k, userPfn(k, user, slot))) yield BLOCKED('D migration_entry_wait');
  const head = userPfn(k, user, slot);
  takeReferences(k, user, slot, slot + 1, bias(k, user, slot));
  if (pageZone(k, head, 'folio_is_longterm_pinnable') !== ZONE.movable) return STOP;
  if (k.concurrent) yield AT('check_and_migrate_movable_folios');
  const isolated = isolateFolio(k, head);
  putFolio(k, head, bias(k, user, slot));
  if (!isolated) return request;
  if ((yield* k.call(migrateFolio, head, 1)) === 0) return request;
  k.heap.store(request + REQUEST.result, -ENOMEM);
  return STOP;
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
