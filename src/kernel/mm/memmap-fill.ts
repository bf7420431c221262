/**
 * Changes of many struct pages at once: a section that is covered whole costs one store, a sub-section one entry, and
 * only the pages at ragged ends are written one by one.
 */
import type { Kernel } from '../kernel.ts';
import { SECTION, STORE } from './section-table.ts';
import { linksMigrate, PAGE } from './page-template.ts';
import { makeTable, pageblockMigratetype } from './page.ts';

/** Makes all pages of [pfn, pfn + count) read as `template`; gives whole pageblocks its migrate type. */
export function fillPages(k: Kernel, pfn: number, count: number, template: number): void {
  const { sparse, heap } = k;
  const end = pfn + count;
  for (let at = pfn; at < end;) {
    const section = sparse.section(sparse.sectionNr(at));
    if (at % sparse.pps === 0 && end - at >= sparse.pps && coversMap(k, section)) {
      if (keepsBacking(k, section)) fillExtra(k, section, template);
      else {
        if ((heap.load(section) & SECTION.extra) !== 0) sparse.dropExtra(section);
        sparse.setRef(section, template, false);
      }
      at += sparse.pps;
    } else {
      at += fillSubsection(k, section, at, Math.min(end - at, sparse.ppss - (at % sparse.ppss)), template);
    }
  }
}

/** Whole-section storage is right only where every sub-section has a memmap. */
function coversMap(k: Kernel, section: number): boolean {
  const { sparse, heap } = k;
  if ((heap.load(section) & SECTION.early) !== 0) return true;
  for (let word = 1; word <= sparse.mapWords; word += 1) if (heap.load(section + word) !== sparse.mapMask(word - 1, 0, sparse.subs - 1)) return false;
  return true;
}

function keepsBacking(k: Kernel, section: number): boolean {
  const extra = k.sparse.extra(section);
  return extra !== 0 && k.heap.load(extra + k.sparse.extraBacking) !== 0;
}

function fillExtra(k: Kernel, section: number, template: number): void {
  const { sparse, heap } = k;
  const extra = sparse.makeExtra(section);
  for (let sub = 0; sub < sparse.subs; sub += 1) {
    sparse.dropEntry(extra + sub);
    heap.store(extra + sub, (template << 2) | STORE.template);
  }
  for (let word = 0; word < sparse.extraBacking - sparse.extraMigrate; word += 1) heap.store(extra + sparse.extraMigrate + word, sparse.templates.migrate(template) * 0x11111111);
}

function fillSubsection(k: Kernel, section: number, pfn: number, count: number, template: number): number {
  const { sparse, heap } = k;
  const slot = sparse.makeExtra(section) + sparse.subIndex(pfn);
  if (count === sparse.ppss) {
    sparse.dropEntry(slot);
    heap.store(slot, (template << 2) | STORE.template);
    setSubsectionMigratetype(k, section, sparse.subIndex(pfn), sparse.templates.migrate(template));
    return count;
  }
  const table = makeTable(k, pfn);
  const from = sparse.templates.address(template);
  for (let at = pfn % sparse.ppss, last = at + count; at < last; at += 1) {
    for (let word = 0; word < PAGE.words; word += 1) heap.store(table + 1 + at * PAGE.words + word, heap.words[from + word] as number);
  }
  return count;
}

/** Takes the memmap of [pfn, pfn + count) away (whole sub-sections). The pages' words are gone; a touch oopses. */
export function clearPages(k: Kernel, pfn: number, count: number): void {
  const { sparse } = k;
  for (let at = pfn; at < pfn + count; at += sparse.ppss) {
    const section = sparse.section(sparse.sectionNr(at));
    if (at % sparse.pps === 0 && pfn + count - at >= sparse.pps) {
      sparse.dropExtra(section);
      at += sparse.pps - sparse.ppss;
      continue;
    }
    sparse.dropEntry(sparse.makeExtra(section) + sparse.subIndex(at));
  }
}

function setSubsectionMigratetype(k: Kernel, section: number, sub: number, migrate: number): void {
  const at = k.sparse.extra(section) + k.sparse.extraMigrate + (sub >> 3);
  const shift = (sub & 7) * 4;
  k.heap.store(at, (k.heap.load(at) & ~(15 << shift)) | (migrate << shift));
}

/** set_pageblock_migratetype for every pageblock of [pfn, pfn + count) (whole sub-sections). */
export function setMigratetype(k: Kernel, pfn: number, count: number, migrate: number): void {
  const { sparse } = k;
  for (let at = pfn; at < pfn + count;) {
    const section = sparse.section(sparse.sectionNr(at));
    const template = section === 0 || sparse.extra(section) !== 0 ? 0 : sparse.ref(section);
    if (template !== 0 && at % sparse.pps === 0 && pfn + count - at >= sparse.pps) {
      if (sparse.templates.migrate(template) !== migrate) sparse.setRef(section, withMigrate(k, template, migrate), false);
      at += sparse.pps;
    } else {
      if (section !== 0 && pageblockMigratetype(k, at) !== migrate) {
        sparse.makeExtra(section);
        setSubsectionMigratetype(k, section, sparse.subIndex(at), migrate);
      }
      at += sparse.ppss;
    }
  }
}

function withMigrate(k: Kernel, template: number, migrate: number): number {
  const word = k.sparse.templates.words(template)[PAGE.links] as number;
  return linksMigrate(word) === migrate ? template : k.sparse.templates.derived(template, { [PAGE.links]: (word & ~(7 << 23)) | (migrate << 23) });
}

/**
 * Makes one folio (or `count` single pages with a running index) of a whole sub-section: one record of words. `words`
 * are those of the first page; with PG.head set the others are its tails.
 */
export function fillRecord(k: Kernel, pfn: number, words: Readonly<Record<number, number>>): void {
  const { sparse, heap } = k;
  const section = sparse.section(sparse.sectionNr(pfn));
  const slot = sparse.makeExtra(section) + sparse.subIndex(pfn);
  sparse.dropEntry(slot);
  const record = sparse.records.alloc();
  for (const [word, value] of Object.entries(words)) heap.store(record + Number(word), value);
  heap.store(slot, (record << 2) | STORE.record);
}
