/**
 * What lies in memory and whose it is. Every 4 KiB page of a medium has a value (what was written last, as one word) and
 * an owner: a security domain, a number that set-up gives to processes, files and devices. Whoever reads or writes a
 * page of another domain is counted; nothing stops it here, as nothing stops it in a machine. This is no part of Linux:
 * it is what a stale mapping or a late DMA does to data.
 *
 * A medium that has left the machine (mm/physmem.ts) reads all zeroes or all ones, and what is written there is lost.
 */
import type { Kernel } from './kernel.ts';
import { physRead, physWrite } from './mm/physmem.ts';
import { kmalloc } from './mm/slab.ts';

const UNIT = 512;
/** [0] owner, [1] value, [2] table of (owner, value) pairs where pages of the unit differ. */
const WORDS = 3;

export interface Medium {
  readonly name: string;
  /** Page frames, half open. */
  readonly startPfn: number;
  readonly endPfn: number;
  readonly units: number;
}

/** How memory was reached: by a CPU through a user mapping, by a device, or by a guest. */
export const VIA = { cpu: 0, dma: 1, guest: 2 } as const;

export class Domains {
  readonly media: Medium[] = [];
  /** Heap words: counts of reads and writes across domains, [via] each; reads and writes of absent memory, [via] each. */
  readonly crossReads: number;
  readonly crossWrites: number;
  readonly absentReads: number;
  readonly absentWrites: number;
  /** Heap words: pfn, accessing domain and owner of the last access across domains. */
  readonly last: number;

  constructor(k: Kernel) {
    this.crossReads = k.heap.reserve(3);
    this.crossWrites = k.heap.reserve(3);
    this.absentReads = k.heap.reserve(3);
    this.absentWrites = k.heap.reserve(3);
    this.last = k.heap.reserve(3);
  }
}
const makeDomains = (k: Kernel): Domains => new Domains(k);
export const domainsOf = (k: Kernel): Domains => k.part(makeDomains);

/** Makes a range of page frames hold data. All of it belongs to `owner` and reads 0. */
export function addMedium(k: Kernel, name: string, startPfn: number, endPfn: number, owner = 0): Medium {
  const count = Math.ceil((endPfn - startPfn) / UNIT);
  const units = k.heap.reserve(count * WORDS);
  const medium: Medium = { name, startPfn, endPfn, units };
  for (let i = 0; i < count && owner !== 0; i += 1) k.heap.store(units + i * WORDS, owner);
  domainsOf(k).media.push(medium);
  return medium;
}

/** The medium that holds page frame `pfn`, or null (memory whose content nobody asks for). */
export function mediumOf(k: Kernel, pfn: number): Medium | null {
  for (const medium of domainsOf(k).media) if (pfn >= medium.startPfn && pfn < medium.endPfn) return medium;
  return null;
}

function tableOf(k: Kernel, medium: Medium, pfn: number): number {
  const unit = medium.units + Math.floor((pfn - medium.startPfn) / UNIT) * WORDS;
  let table = k.heap.load(unit + 2);
  if (table === 0) {
    table = kmalloc(k.heap, UNIT * 2);
    const [owner, value] = [k.heap.load(unit), k.heap.load(unit + 1)];
    for (let i = 0; i < UNIT; i += 1) {
      k.heap.store(table + 2 * i, owner);
      k.heap.store(table + 2 * i + 1, value);
    }
    k.heap.store(unit + 2, table);
  }
  return table + 2 * ((pfn - medium.startPfn) % UNIT);
}

/** Address of the (owner, value) pair of a page, for reading. */
function cell(k: Kernel, medium: Medium, pfn: number): number {
  const unit = medium.units + Math.floor((pfn - medium.startPfn) / UNIT) * WORDS;
  const table = k.heap.load(unit + 2);
  return table === 0 ? unit : table + 2 * ((pfn - medium.startPfn) % UNIT);
}

/** Gives pages to a domain: a file system to whose file they were allocated, a new mode of the device. Values stay. */
export function assignOwner(k: Kernel, startPfn: number, endPfn: number, owner: number): void {
  for (let pfn = startPfn; pfn < endPfn;) {
    const medium = mediumOf(k, pfn);
    if (medium === null) return;
    const offset = pfn - medium.startPfn;
    const unit = medium.units + Math.floor(offset / UNIT) * WORDS;
    const whole = offset % UNIT === 0 && pfn + UNIT <= endPfn;
    if (whole && k.heap.load(unit + 2) === 0) k.heap.store(unit, owner);
    else if (k.heap.load(unit) !== owner || k.heap.load(unit + 2) !== 0) {
      const last = Math.min(endPfn, pfn - (offset % UNIT) + UNIT);
      for (let p = pfn; p < last; p += 1) k.heap.store(tableOf(k, medium, p), owner);
    }
    pfn += UNIT - (offset % UNIT);
  }
}

export function ownerOf(k: Kernel, pfn: number): number {
  const medium = mediumOf(k, pfn);
  return medium === null ? 0 : k.heap.load(cell(k, medium, pfn));
}

/** The value on the medium, whoever asks; no access is recorded. */
export function peekMedium(k: Kernel, pfn: number): number {
  const medium = mediumOf(k, pfn);
  return medium === null ? 0 : k.heap.load(cell(k, medium, pfn) + 1);
}

function record(k: Kernel, counter: number, via: number, pfn: number, domain: number, owner: number): void {
  const { last } = domainsOf(k);
  k.heap.add(counter + via, 1);
  k.heap.store(last, pfn);
  k.heap.store(last + 1, domain);
  k.heap.store(last + 2, owner);
}

/** A read of one page by `domain`. Returns what it sees. */
export function readMemory(k: Kernel, pfn: number, domain: number, via: number = VIA.cpu): number {
  const medium = mediumOf(k, pfn);
  if (medium === null) return 0;
  const domains = domainsOf(k);
  if (!physWrite(k, pfn)) {
    k.heap.add(domains.absentReads + via, 1);
    return physRead(k, pfn, 0);
  }
  const at = cell(k, medium, pfn);
  const owner = k.heap.load(at);
  if (owner !== domain) record(k, domains.crossReads, via, pfn, domain, owner);
  return k.heap.load(at + 1);
}

/** A write to one page by `domain`. What it writes to an absent medium is lost. */
export function writeMemory(k: Kernel, pfn: number, value: number, domain: number, via: number = VIA.cpu): void {
  const medium = mediumOf(k, pfn);
  if (medium === null) return;
  const domains = domainsOf(k);
  if (!physWrite(k, pfn)) {
    k.heap.add(domains.absentWrites + via, 1);
    return;
  }
  const at = tableOf(k, medium, pfn);
  const owner = k.heap.load(at);
  if (owner !== domain) record(k, domains.crossWrites, via, pfn, domain, owner);
  k.heap.store(at + 1, value);
}
