/**
 * Sections and sub-sections come and go (mm/sparse.c: 5.10 to 7.2 with sub-sections; 5.2 for whole sections only).
 *
 * Order of section_activate(), as in 5.3 and later: usage, sub-section map, memmap; a failure undoes what was done
 * ("7f"). Early sections (made at boot) keep usage and memmap for good.
 */
import { EEXIST, EINVAL, ENOMEM } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { KERN_WARNING } from '../printk.ts';
import { fillPages, clearPages } from './memmap-fill.ts';
import { MIGRATE, links, PG, POISON } from './page-template.ts';
import { memmapPresent } from './page.ts';
import { SECTION } from './section-table.ts';
import { populateMemmap, depopulateMemmap } from './sparse-vmemmap.ts';

/** Template of struct pages that nobody initialised: `page_init_poison()`. */
export const poisonTemplate = (k: Kernel): number => k.sparse.templates.of(POISON);

/** subsection_mask_set + fill_subsection_map: marks [pfn, pfn + count) of one section; -EEXIST where some is marked already. */
export function fillSubsectionMap(k: Kernel, section: number, pfn: number, count: number): number {
  const { sparse, heap } = k;
  const first = sparse.subIndex(pfn);
  const last = sparse.subIndex(pfn + count - 1);
  if (count <= 0) return -EINVAL;
  for (let word = 0; word < sparse.mapWords; word += 1) if ((heap.load(section + 1 + word) & sparse.mapMask(word, first, last)) !== 0) return -EEXIST;
  for (let word = 0; word < sparse.mapWords; word += 1) {
    const mask = sparse.mapMask(word, first, last);
    if (mask !== 0) heap.store(section + 1 + word, heap.load(section + 1 + word) | mask);
  }
  return 0;
}

/** clear_subsection_map: -EINVAL (with a warning) where not all of it was marked. */
export function clearSubsectionMap(k: Kernel, section: number, pfn: number, count: number): number {
  const { sparse, heap } = k;
  const first = sparse.subIndex(pfn);
  const last = sparse.subIndex(pfn + count - 1);
  for (let word = 0; word < sparse.mapWords; word += 1) {
    const mask = sparse.mapMask(word, first, last);
    if ((heap.load(section + 1 + word) & mask) !== mask) {
      k.log.write(KERN_WARNING, `section already deactivated (0x${pfn.toString(16)} + ${count})`);
      return -EINVAL;
    }
  }
  for (let word = 0; word < sparse.mapWords; word += 1) {
    const mask = sparse.mapMask(word, first, last);
    if (mask !== 0) heap.store(section + 1 + word, heap.load(section + 1 + word) & ~mask);
  }
  return 0;
}

const isEarly = (k: Kernel, section: number): boolean => (k.heap.load(section) & SECTION.early) !== 0 && k.mechanism('section.early-keeps-usage');

/**
 * section_deactivate: takes the sub-sections out; the last one takes the section with it. The memmap of an early section
 * is one piece: it goes only with the last sub-section (free_map_bootmem), and its usage stays for whoever adds it again.
 */
export function sectionDeactivate(k: Kernel, pfn: number, count: number, altmap: number): number {
  const { sparse, heap } = k;
  const section = sparse.section(sparse.sectionNr(pfn));
  if (section === 0) return -EINVAL;
  const cleared = clearSubsectionMap(k, section, pfn, count);
  if (cleared < 0) return cleared;
  const early = isEarly(k, section);
  const empty = sparse.mapEmpty(section);
  if (empty) {
    const freed = early ? 0 : SECTION.usage;
    sparse.setFlags(section, freed !== 0 && !k.mechanism('section.usage-freed-by-rcu') ? SECTION.usageFreed : 0, freed | SECTION.hasMemMap);
  }
  if (!early && memmapPresent(k, pfn)) {
    depopulateMemmap(k, pfn, count, altmap);
    clearPages(k, pfn, count);
  }
  if (empty) {
    sparse.dropExtra(section);
    heap.store(section, heap.load(section) & (SECTION.usageFreed | SECTION.usage));
  }
  return 0;
}

/** section_activate: usage, map, memmap, in this order. 0 or -errno with everything undone. */
export function sectionActivate(k: Kernel, nid: number, pfn: number, count: number, altmap: number): number {
  const { sparse, heap } = k;
  const section = sparse.section(sparse.sectionNr(pfn));
  const fresh = (heap.load(section) & SECTION.usage) === 0;
  if (fresh) {
    if (!k.mayAllocate()) return -ENOMEM;
    sparse.setFlags(section, SECTION.usage, SECTION.usageFreed);
  }
  const marked = fillSubsectionMap(k, section, pfn, count);
  if (marked < 0) {
    if (fresh) sparse.setFlags(section, 0, SECTION.usage);
    return marked;
  }
  // The memmap of an early section was made whole at boot; a part of it needs no second one.
  if (count < sparse.pps && isEarly(k, section)) return 0;
  const populated = populateMemmap(k, nid, pfn, count, altmap);
  if (populated < 0) {
    if (k.mechanism('section.activate-reverts')) sectionDeactivate(k, pfn, count, altmap);
    return populated;
  }
  return 0;
}

/**
 * sparse_add_section: memmap for `count` pages from `pfn`, all within one section. The pages are not initialised: they
 * read as poison until move_pfn_range_to_zone or memremap_pages initialises them.
 */
export function sparseAddSection(k: Kernel, nid: number, pfn: number, count: number, altmap: number): number {
  const { sparse } = k;
  const nr = sparse.sectionNr(pfn);
  const section = sparse.makeSection(nr);
  if (section === 0) return -ENOMEM;
  const done = sectionActivate(k, nid, pfn, count, altmap);
  if (done < 0) return done;
  fillPages(k, pfn, count, poisonTemplate(k));
  sparse.setFlags(section, SECTION.present | SECTION.hasMemMap);
  return 0;
}

/** sparse_remove_section: the way back of sparse_add_section. */
export function sparseRemoveSection(k: Kernel, pfn: number, count: number, altmap: number): number {
  return sectionDeactivate(k, pfn, count, altmap);
}

/** online_mem_sections / offline_mem_sections: sets or clears SECTION_IS_ONLINE of every section in the range. */
export function onlineMemSections(k: Kernel, start: number, end: number, online: boolean): void {
  const { sparse } = k;
  for (let pfn = start; pfn < end; pfn += sparse.pps) {
    const section = sparse.section(sparse.sectionNr(pfn));
    if (section !== 0) sparse.setFlags(section, online ? SECTION.online : 0, online ? 0 : SECTION.online);
  }
}

/**
 * Boot: memory_present() and sparse_init() for [start, end). Every section it touches becomes early, with usage and a
 * memmap for all of it; only the sub-sections that hold memory are marked (subsection_map_init).
 */
export function sparseInitRange(k: Kernel, start: number, end: number): void {
  const { sparse } = k;
  for (let pfn = start - (start % sparse.pps); pfn < end; pfn += sparse.pps) {
    const section = sparse.makeSection(sparse.sectionNr(pfn));
    const fresh = (k.heap.load(section) & SECTION.present) === 0;
    sparse.setFlags(section, SECTION.present | SECTION.hasMemMap | SECTION.early | SECTION.usage);
    const from = Math.max(pfn, start);
    const to = Math.min(pfn + sparse.pps, end);
    const first = sparse.subIndex(from);
    const last = sparse.subIndex(to - 1);
    for (let word = 0; word < sparse.mapWords; word += 1) {
      const at = section + 1 + word;
      k.heap.store(at, k.heap.load(at) | sparse.mapMask(word, first, last));
    }
    if (fresh) sparse.setRef(section, holeTemplate(k), false);
  }
}

/** Pages of an early section that hold no RAM: reserved, zone and node unknown (init_unavailable_range). */
export const holeTemplate = (k: Kernel): number =>
  k.sparse.templates.of([PG.reserved, links(0, 0, 0, 0, MIGRATE.movable), 1]);
