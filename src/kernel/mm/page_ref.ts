/**
 * References on pages, device pages among them: get_page, try_get_page, put_page, and what follows the last one
 * (include/linux/mm.h; put_devmap_managed_page and free_zone_device_folio, mm/memremap.c, 5.10 to 7.2).
 */
import type { Kernel } from '../kernel.ts';
import { warn } from '../oops.ts';
import { callNow } from '../state/path.ts';
import { idleCount, MEMORY_DEVICE, pagesHoldPagemap, PGMAP } from './memremap.ts';
import { compoundHead, PAGE, pageAdd, pageLoad } from './page.ts';

/** Takes a reference on a device page. A compound page counts at its head. False where the count is 0 and must not rise. */
export const tryGetPage = (k: Kernel, pfn: number, refs: number, where: string): boolean =>
  callNow(k, function tryGet(c: Kernel): number { return tookReference(c, pfn, refs, where) ? 1 : 0; }, pfn, refs) === 1;
function tookReference(k: Kernel, pfn: number, refs: number, where: string): boolean {
  const head = compoundHead(k, pfn, where);
  const count = pageLoad(k, head, PAGE.refcount, where);
  const pgmap = pageLoad(k, head, PAGE.pgmap, where);
  if (count <= 0 || count === idleOfFree(k, pgmap)) return false;
  if (pgmap !== 0 && k.heap.load(pgmap + PGMAP.type) === MEMORY_DEVICE.public) return false;
  raise(k, head, pgmap, count, refs, where);
  return true;
}

/** A count at which a page of this pagemap is free and may not be taken: 0. */
const idleOfFree = (k: Kernel, pgmap: number): number => (pgmap !== 0 && idleCount(k, pgmap) === 0 ? 0 : -1);

/** get_page: a reference by somebody who knows that the page is there (a mapping). */
export function getPage(k: Kernel, pfn: number, refs: number, where: string): void {
  const head = compoundHead(k, pfn, where);
  raise(k, head, pageLoad(k, head, PAGE.pgmap, where), pageLoad(k, head, PAGE.refcount, where), refs, where);
}

function raise(k: Kernel, head: number, pgmap: number, count: number, refs: number, where: string): void {
  if (pgmap !== 0 && count === idleCount(k, pgmap) && pagesHoldPagemap(k, pgmap)) k.heap.add(pgmap + PGMAP.held, 1);
  pageAdd(k, head, PAGE.refcount, refs, where);
}

/** put_page / unpin: oopses where the memmap is gone. */
export function putPage(k: Kernel, pfn: number, refs: number, where: string): void {
  callNow(k, function put(c: Kernel): number { dropReference(c, pfn, refs, where); return 0; }, pfn, refs);
}
function dropReference(k: Kernel, pfn: number, refs: number, where: string): void {
  const head = compoundHead(k, pfn, where);
  const pgmap = pageLoad(k, head, PAGE.pgmap, where);
  const count = pageAdd(k, head, PAGE.refcount, -refs, where);
  if (pgmap === 0) return;
  if (count === idleCount(k, pgmap) && pagesHoldPagemap(k, pgmap)) k.heap.add(pgmap + PGMAP.held, -1);
  if (count === 0) freeZoneDevicePage(k, head, pgmap, where);
}

/** free_zone_device_folio: the last reference is gone. */
function freeZoneDevicePage(k: Kernel, pfn: number, pgmap: number, where: string): void {
  const type = k.heap.load(pgmap + PGMAP.type);
  if (type !== MEMORY_DEVICE.generic) return;
  if (k.mechanism('gup.free-zone-device-page-warns') === true) warn(k, 'free_zone_device_page', 'mm/memremap.c');
  else pageAdd(k, pfn, PAGE.refcount, 1, where);
}

/** Whether somebody besides mappings holds a page: what a removal or a truncate that waits has to look at. */
export function pageIsBusy(k: Kernel, pfn: number, where: string): boolean {
  const head = compoundHead(k, pfn, where);
  const count = pageLoad(k, head, PAGE.refcount, where);
  if (k.mechanism('fsdax.mapping-counts') === 'folio') return count - pageLoad(k, head, PAGE.mapcount, where) !== 0;
  return count > idleCount(k, pageLoad(k, head, PAGE.pgmap, where));
}
