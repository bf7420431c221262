import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RELEASES } from '../../profile/releases/index.ts';
import { GiB, MiB } from '../../range/units.ts';
import { Kernel } from '../kernel.ts';
import { KernelOops } from '../oops.ts';
import { bootRam } from './boot.ts';
import { compoundHead, pageFlags, pageLoad, pageStore, pageType, pageZone, PAGE, PG, TYPE, ZONE } from './page.ts';
import { allocPages, freeFolio, isFree } from './page_alloc.ts';
import { sparseAddSection, sparseRemoveSection } from './sparse.ts';

const kernel = (name = '6.12'): Kernel => {
  const k = new Kernel({ profile: RELEASES.find((p) => p.name === name)! });
  bootRam(k, [{ start: MiB, end: 2 * GiB, nid: 0 }]);
  return k;
};

test('7a: a struct page that was never made is an oops that names the reader', () => {
  const k = kernel();
  const pfn = (8 * GiB) / 4096;
  assert.throws(() => pageFlags(k, pfn, 'smaps_pte_entry'), (e: unknown) => e instanceof KernelOops && e.where === 'smaps_pte_entry' && e.pfn === pfn);
  assert.ok(k.log.has('unable to handle page fault'));
});

test('7a: added pages read as poison, removed ones oops, and their words do not come back', () => {
  const k = kernel();
  const pfn = (8 * GiB) / 4096;
  assert.equal(sparseAddSection(k, 0, pfn, 512, 0), 0);
  assert.equal(pageLoad(k, pfn, PAGE.refcount, 'test'), -1);
  pageStore(k, pfn + 3, PAGE.refcount, 7, 'test');
  assert.equal(pageLoad(k, pfn + 3, PAGE.refcount, 'test'), 7);
  assert.equal(pageLoad(k, pfn + 4, PAGE.refcount, 'test'), -1);
  assert.equal(sparseRemoveSection(k, pfn, 512, 0), 0);
  assert.throws(() => pageLoad(k, pfn + 3, PAGE.refcount, 'test'), KernelOops);
  assert.equal(sparseAddSection(k, 0, pfn, 512, 0), 0);
  assert.equal(pageLoad(k, pfn + 3, PAGE.refcount, 'test'), -1);
});

test('2e: boot memory is in its zones, free, and holes of its last section are reserved', () => {
  const k = kernel();
  assert.equal(pageZone(k, 0x200, 'test'), ZONE.dma);
  assert.equal(pageZone(k, 0x2000, 'test'), ZONE.dma32);
  assert.equal(pageType(k, 0x2000, 'test'), TYPE.buddy);
  assert.equal(pageFlags(k, 0, 'test') & PG.reserved, PG.reserved);
  assert.equal(k.zones.get(0, ZONE.dma32, 'free'), (2 * GiB - 16 * MiB) / 4096);
});

test('6a: pages and folios are allocated, carry their words, and go back', () => {
  const k = kernel();
  const free = k.zones.get(0, ZONE.dma32, 'free');
  const page = allocPages(k, { nid: 0, order: 0, gfp: 'movable', flags: PG.anon, mapping: 77 });
  const folio = allocPages(k, { nid: 0, order: 9, gfp: 'movable', index: 4 });
  assert.ok(page > 0 && folio > 0 && !isFree(k, page, 'test'));
  assert.equal(pageLoad(k, page, PAGE.mapping, 'test'), 77);
  assert.equal(compoundHead(k, folio + 100, 'test'), folio);
  assert.equal(pageLoad(k, folio + 100, PAGE.index, 'test'), 104);
  assert.equal(pageLoad(k, folio + 100, PAGE.refcount, 'test'), 0);
  assert.equal(pageLoad(k, folio, PAGE.refcount, 'test'), 1);
  assert.equal(free - k.zones.get(0, ZONE.dma32, 'free'), 513);
  freeFolio(k, page);
  freeFolio(k, folio);
  assert.equal(k.zones.get(0, ZONE.dma32, 'free'), free);
  assert.ok(isFree(k, page, 'test') && isFree(k, folio + 5, 'test'));
});
