/**
 * The section table and what it says about the memmap (mm/sparse.c, include/linux/mmzone.h; 5.10 to 7.2, 5.2 where said).
 *
 * A section is three words (on x86-64): flags with a reference, and the sub-section map. The reference is a page
 * template where all pages of the section read alike, or a `SectionExtra` that knows each sub-section and pageblock. So
 * 64 TiB of plain sections are 6 MiB. Roots of 256 sections are handed out on demand, as SPARSEMEM_EXTREME does.
 */
import type { Kernel } from '../kernel.ts';
import { Slab } from '../state/slab.ts';
import { PAGE, PageTemplates } from './page-template.ts';

/** Section flags (the low bits of section_mem_map, and what this table needs). */
export const SECTION = {
  present: 1,
  hasMemMap: 2,
  online: 4,
  early: 8,
  zoneDevice: 16,
  /** `ms->usage` is allocated. */
  usage: 32,
  /** The reference is a SectionExtra, not a template. */
  extra: 64,
  /** pfn_valid may not look into usage any more: it was freed under a reader (kernels that do not wait for RCU). */
  usageFreed: 128,
} as const;
const FLAGS = 0xff;
const REF_SHIFT = 8;
const SECTIONS_PER_ROOT = 256;
/** Words of one run of pages that holds memmap (sparse-vmemmap.ts). */
export const BACKING_WORDS = 6;

/** How an entry of a SectionExtra stores the pages of one sub-section: `value << 2 | kind`; 0: there is no memmap. */
export const STORE = {
  /** Value: template number. All pages read alike. */
  template: 1,
  /** Value: address of PAGE.words of its own. A folio of this sub-section, or pages that differ in `index` only. */
  record: 2,
  /** Value: address of a table: [0] pages that are free (PG_buddy), then the words of each page. */
  table: 3,
} as const;

export class Sparse {
  readonly templates: PageTemplates;
  readonly extras: Slab;
  readonly records: Slab;
  readonly tables: Slab;
  readonly sections: number;
  readonly entryWords: number;
  /** Words of the sub-section map. */
  readonly mapWords: number;
  /** Offsets inside a SectionExtra after the sub-section entries: packed migrate types, then the memmap's backing. */
  readonly extraMigrate: number;
  readonly extraBacking: number;
  private readonly k: Kernel;
  private readonly roots: number;
  private readonly rootSlab: Slab;
  private readonly invSection: number;
  private readonly invSub: number;
  readonly pps: number;
  readonly ppss: number;
  readonly subs: number;

  constructor(k: Kernel) {
    const { geo, heap } = k;
    this.k = k;
    this.pps = geo.pagesPerSection;
    this.ppss = geo.pagesPerSubsection;
    this.subs = geo.subsectionsPerSection;
    this.invSection = 1 / this.pps;
    this.invSub = 1 / this.ppss;
    this.sections = 2 ** geo.physicalBits / geo.sectionSize;
    this.mapWords = Math.max(1, Math.ceil(this.subs / 32));
    this.entryWords = 1 + this.mapWords;
    this.extraMigrate = this.subs;
    this.extraBacking = this.subs + Math.ceil(this.subs / 8);
    this.templates = new PageTemplates(heap);
    this.roots = heap.reserve(Math.ceil(this.sections / SECTIONS_PER_ROOT));
    this.rootSlab = new Slab(heap, 'mem_section root', SECTIONS_PER_ROOT * this.entryWords, 1);
    this.extras = new Slab(heap, 'section extra', this.extraBacking + 1, 16);
    this.records = new Slab(heap, 'page record', PAGE.words, 256);
    this.tables = new Slab(heap, 'page table of a sub-section', 1 + this.ppss * PAGE.words, 4);
  }

  /** pfn_to_section_nr. */
  sectionNr(pfn: number): number {
    return (pfn * this.invSection) | 0;
  }

  /** Sub-section of `pfn` within its section. */
  subIndex(pfn: number): number {
    return ((pfn * this.invSub) | 0) & (this.subs - 1);
  }

  /** __nr_to_section: address of the entry, 0 where there is no root or the number is beyond the table. */
  section(nr: number): number {
    if (nr >= this.sections || nr < 0) return 0;
    const root = this.k.heap.load(this.roots + (nr >> 8));
    return root === 0 ? 0 : root + (nr & 255) * this.entryWords;
  }

  /** sparse_index_init: makes the root of this section; 0 when memory is short. */
  makeSection(nr: number): number {
    if (nr >= this.sections || nr < 0) return 0;
    const at = this.roots + (nr >> 8);
    if (this.k.heap.load(at) === 0) {
      if (!this.k.mayAllocate()) return 0;
      this.k.heap.store(at, this.rootSlab.alloc());
    }
    return this.section(nr);
  }

  /** Flags of section `nr`, 0 where it does not exist. */
  flags(nr: number): number {
    const section = this.section(nr);
    return section === 0 ? 0 : this.k.heap.load(section) & FLAGS;
  }

  setFlags(section: number, set: number, clear = 0): void {
    const { heap } = this.k;
    heap.store(section, (heap.load(section) & ~clear) | set);
  }

  /** Template number or SectionExtra index + 1; 0: no memmap at all. */
  ref(section: number): number {
    return this.k.heap.load(section) >>> REF_SHIFT;
  }

  setRef(section: number, ref: number, extra: boolean): void {
    const { heap } = this.k;
    heap.store(section, (heap.load(section) & FLAGS & ~SECTION.extra) | (extra ? SECTION.extra : 0) | (ref << REF_SHIFT));
  }

  /** Address of the section's SectionExtra, 0 where it has none. */
  extra(section: number): number {
    const word = this.k.heap.load(section);
    return (word & SECTION.extra) === 0 ? 0 : this.extras.at((word >>> REF_SHIFT) - 1);
  }

  /** The section's SectionExtra; one is made that says what the template said. */
  makeExtra(section: number): number {
    const { heap } = this.k;
    const had = this.extra(section);
    if (had !== 0) return had;
    const template = this.ref(section);
    const extra = this.extras.alloc();
    const entry = template === 0 ? 0 : (template << 2) | STORE.template;
    const migrate = template === 0 ? 0 : this.templates.migrate(template);
    for (let sub = 0; sub < this.subs; sub += 1) heap.store(extra + sub, entry);
    for (let word = this.extraMigrate; word < this.extraBacking; word += 1) heap.store(extra + word, migrate * 0x11111111);
    this.setRef(section, this.extras.indexOf(extra) + 1, true);
    return extra;
  }

  /** Frees the SectionExtra with the storage of every page in it; the section then has no memmap. */
  dropExtra(section: number): void {
    const extra = this.extra(section);
    if (extra !== 0) {
      for (let sub = 0; sub < this.subs; sub += 1) this.dropEntry(extra + sub);
      this.extras.free(extra);
    }
    this.setRef(section, 0, false);
  }

  /** Frees the page storage behind one sub-section entry, and clears the entry. */
  dropEntry(at: number): void {
    const entry = this.k.heap.load(at);
    if ((entry & 3) === STORE.record) this.records.free(entry >>> 2);
    else if ((entry & 3) === STORE.table) this.tables.free(entry >>> 2);
    if (entry !== 0) this.k.heap.store(at, 0);
  }

  /** True when the sub-section's bit is set in `usage->subsection_map`. */
  mapTest(section: number, sub: number): boolean {
    return ((this.k.heap.load(section + 1 + (sub >> 5)) >>> (sub & 31)) & 1) === 1;
  }

  mapSet(section: number, sub: number): void {
    const at = section + 1 + (sub >> 5);
    this.k.heap.store(at, this.k.heap.load(at) | (1 << (sub & 31)));
  }

  mapClear(section: number, sub: number): void {
    const at = section + 1 + (sub >> 5);
    this.k.heap.store(at, this.k.heap.load(at) & ~(1 << (sub & 31)));
  }

  mapEmpty(section: number): boolean {
    for (let word = 1; word <= this.mapWords; word += 1) if (this.k.heap.load(section + word) !== 0) return false;
    return true;
  }

  /** The bits of word `word` that sub-sections [first, last] cover. */
  mapMask(word: number, first: number, last: number): number {
    const from = Math.max(first - word * 32, 0);
    const to = Math.min(last - word * 32, 31);
    if (from > 31 || to < 0 || from > to) return 0;
    return (to - from === 31 ? -1 : ((1 << (to - from + 1)) - 1) << from) | 0;
  }
}
