/**
 * Struct pages that all read alike are stored once: a template is the words of one page, shared by every page frame of
 * a section or sub-section that nobody has written to since. Templates are constants; they are made outside of the
 * simulated state and never change.
 */
import type { Heap } from '../state/heap.ts';

/** Words of one simulated `struct page`. */
export const PAGE = {
  /** PG_ bits. */
  flags: 0,
  /** Zone, node, order and page type; see `links`. */
  links: 1,
  refcount: 2,
  /** As the kernel counts for people: 0 is not mapped. */
  mapcount: 3,
  /** Heap address of the anon_vma, address_space or user that owns the page; 0 where none. */
  mapping: 4,
  index: 5,
  private: 6,
  /** dev_pagemap of a ZONE_DEVICE page; list and owner word of others. */
  pgmap: 7,
  words: 8,
} as const;

export const PG = {
  locked: 1, referenced: 2, uptodate: 4, dirty: 8, lru: 0x10, active: 0x20, reserved: 0x40, private: 0x80, writeback: 0x100, head: 0x200,
  tail: 0x400, swapbacked: 0x800, unevictable: 0x1000, mlocked: 0x2000, hwpoison: 0x4000, anon: 0x8000, isolated: 0x10000, swapcache: 0x20000,
  workingset: 0x40000, ksm: 0x80000, ownerPrivate: 0x100000,
} as const;

/** What page->page_type (or the absence of PG_reserved and friends) says about a page without a user mapping. */
export const TYPE = { none: 0, buddy: 1, slab: 2, table: 3, hugetlb: 4, offline: 5, memmap: 6, kernel: 7 } as const;
export const MIGRATE = { unmovable: 0, movable: 1, reclaimable: 2, isolate: 3 } as const;
export const ZONE = { dma: 0, dma32: 1, normal: 2, movable: 3, device: 4, count: 5 } as const;
export const ZONE_NAMES = ['DMA', 'DMA32', 'Normal', 'Movable', 'Device'] as const;

/** Packs zone, node, order, type and (for a whole section or sub-section) migrate type into the links word. */
export const links = (zone: number, nid: number, order = 0, type = 0, migrate = 0): number => zone | (nid << 3) | (order << 13) | (type << 19) | (migrate << 23);
export const linksZone = (word: number): number => word & 7;
export const linksNode = (word: number): number => (word >>> 3) & 0x3ff;
export const linksOrder = (word: number): number => (word >>> 13) & 0x3f;
export const linksType = (word: number): number => (word >>> 19) & 0xf;
export const linksMigrate = (word: number): number => (word >>> 23) & 7;

/** What never initialised `struct page` memory reads (PAGE_POISON_PATTERN, include/linux/mm.h): all ones. */
export const POISON: readonly number[] = [-1, -1, -1, -1, -1, -1, -1, -1];

const PER_CHUNK = 32;

export class PageTemplates {
  private readonly heap: Heap;
  private readonly numbers = new Map<string, number>();
  private readonly chunks: number[] = [];
  private readonly addresses: number[] = [0];

  constructor(heap: Heap) {
    this.heap = heap;
  }

  /** Number (from 1) of the template with these words. */
  of(words: readonly number[]): number {
    const key = words.join();
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.addresses.length;
      const slot = (number - 1) % PER_CHUNK;
      if (slot === 0) this.chunks.push(this.heap.reserve(PER_CHUNK * PAGE.words));
      const address = (this.chunks.at(-1) as number) + slot * PAGE.words;
      for (let i = 0; i < PAGE.words; i += 1) this.heap.words[address + i] = (words[i] ?? 0) | 0;
      this.addresses.push(address);
      this.numbers.set(key, number);
    }
    return number;
  }

  /** The template that differs from number `of` in the given words only. */
  derived(of: number, changes: Readonly<Record<number, number>>): number {
    const words = this.words(of);
    for (const [word, value] of Object.entries(changes)) words[Number(word)] = value;
    return this.of(words);
  }

  address(number: number): number {
    return this.addresses[number] as number;
  }

  /** Migrate type that the template gives to a whole section. */
  migrate(number: number): number {
    return linksMigrate(this.heap.words[this.address(number) + PAGE.links] as number);
  }

  words(number: number): number[] {
    const address = this.addresses[number] as number;
    return Array.from({ length: PAGE.words }, (_, i) => this.heap.words[address + i] as number);
  }
}
