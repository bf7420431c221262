/**
 * What /proc/kpageflags says of a frame (fs/proc/page.c: stable_page_flags, kpageflags_read; 5.10, 6.1, 6.12, 7.2, which
 * differ for device memory, for what is offline, and above the end of RAM).
 */
import type { Kernel } from '../../kernel.ts';
import { linksOrder, linksType, ZONE } from '../../mm/page-template.ts';
import { compoundHead, PAGE, pageLoad, pageZone, PG, TYPE } from '../../mm/page.ts';
import { pfnToOnlinePage } from '../../mm/pfn.ts';
import { SECTION } from '../../mm/section-table.ts';

/** Bit numbers of include/uapi/linux/kernel-page-flags.h. */
export const KPF = {
  LOCKED: 0, REFERENCED: 2, UPTODATE: 3, DIRTY: 4, LRU: 5, ACTIVE: 6, SLAB: 7, WRITEBACK: 8, BUDDY: 10, MMAP: 11, ANON: 12, SWAPCACHE: 13, SWAPBACKED: 14,
  COMPOUND_HEAD: 15, COMPOUND_TAIL: 16, HUGE: 17, UNEVICTABLE: 18, HWPOISON: 19, NOPAGE: 20, KSM: 21, THP: 22, OFFLINE: 23, PGTABLE: 26,
  RESERVED: 32, MLOCKED: 33, PRIVATE: 35, OWNER_PRIVATE: 37,
} as const;
export type KpfName = keyof typeof KPF;

const PG_TO_KPF: readonly (readonly [number, KpfName])[] = [
  [PG.locked, 'LOCKED'], [PG.referenced, 'REFERENCED'], [PG.uptodate, 'UPTODATE'], [PG.dirty, 'DIRTY'], [PG.lru, 'LRU'], [PG.active, 'ACTIVE'], [PG.writeback, 'WRITEBACK'],
  [PG.swapbacked, 'SWAPBACKED'], [PG.swapcache, 'SWAPCACHE'], [PG.head, 'COMPOUND_HEAD'], [PG.tail, 'COMPOUND_TAIL'], [PG.unevictable, 'UNEVICTABLE'], [PG.hwpoison, 'HWPOISON'],
  [PG.reserved, 'RESERVED'], [PG.mlocked, 'MLOCKED'], [PG.ownerPrivate, 'OWNER_PRIVATE'],
];
const TYPE_TO_KPF: Readonly<Record<number, KpfName>> = { [TYPE.buddy]: 'BUDDY', [TYPE.slab]: 'SLAB', [TYPE.table]: 'PGTABLE', [TYPE.hugetlb]: 'HUGE', [TYPE.offline]: 'OFFLINE' };

/** get_max_dump_pfn: first frame that the file does not have. */
export function maxDumpPfn(k: Kernel): number {
  let end = 0;
  for (let nid = 0; nid < k.nodes; nid += 1) if (k.zones.nodeOnline(nid)) end = Math.max(end, k.zones.nodeEnd(nid));
  return Math.ceil(end / k.sparse.pps) * k.sparse.pps;
}

/** max_pfn of kernels in which device memory raises it (update_end_of_memory_vars). */
function lastPresentPfn(k: Kernel): number {
  const { sparse } = k;
  for (let nr = sparse.sections - 1; nr >= 0; nr -= 1) {
    if (sparse.section(nr) === 0) nr &= ~255;
    else if ((sparse.flags(nr) & SECTION.present) !== 0) return (nr + 1) * sparse.pps;
  }
  return 0;
}

/** Fills `into` with the low and high half of the word for a frame; false where the file has ended before it. */
export type KpageflagReader = (pfn: number, into: [number, number]) => boolean;

const bitOf = (name: KpfName): readonly [number, number] => (KPF[name] < 32 ? [1 << KPF[name], 0] : [0, 1 << (KPF[name] - 32)]);
/** PG_ bit, and what it sets in the two halves. */
const PG_BITS = PG_TO_KPF.map(([flag, name]) => [flag, ...bitOf(name)] as const);
const TYPE_BITS = Array.from({ length: 16 }, (_, type) => (TYPE_TO_KPF[type] === undefined ? 0 : (bitOf(TYPE_TO_KPF[type])[0] as number)));
const ONE = (name: KpfName): number => bitOf(name)[0];

/** kpageflags_read of this kernel as it is now. Make one for each read: it keeps the end of RAM. */
export function kpageflagReader(k: Kernel): KpageflagReader {
  const end = maxDumpPfn(k);
  const last = k.mechanism('section.kpageflags-above-ram') === 'eof' ? end : Math.max(end, lastPresentPfn(k));
  const zero = k.mechanism('section.kpageflags-of-device-pages') === 'zero';
  const ksm = k.mechanism('ram.kpageflags-ksm-on-anon');
  const tails = k.mechanism('ram.kpageflags-of-tails');
  return (pfn, into) => {
    if (pfn >= last) return false;
    const page = pfnToOnlinePage(k, pfn);
    into[1] = 0;
    if (page < 0) into[0] = zero && pfn < end ? 0 : ONE('NOPAGE');
    else if (pageZone(k, page, 'stable_page_flags') === ZONE.device) [into[0], into[1]] = bitOf('RESERVED') as [number, number];
    else {
      pageBits(k, page, ksm, into);
      if (tails !== 'folio' && (into[0] & ONE('COMPOUND_TAIL')) !== 0) ownFlagsOfTail(into, tails === 'own-and-active' && compoundHead(k, page, 'stable_page_flags') === page - 1);
    }
    into[0] >>>= 0;
    return true;
  };
}

function pageBits(k: Kernel, pfn: number, ksm: boolean, into: [number, number]): void {
  const where = 'stable_page_flags';
  const flags = pageLoad(k, pfn, PAGE.flags, where);
  const head = (flags & PG.tail) === 0 ? pfn : compoundHead(k, pfn, where);
  const links = pageLoad(k, head, PAGE.links, where);
  let [low, high] = [TYPE_BITS[linksType(links)] as number, 0];
  for (const [flag, lowBit, highBit] of PG_BITS) {
    if ((flags & flag) === 0) continue;
    low |= lowBit;
    high |= highBit;
  }
  const anon = ((head === pfn ? flags : pageLoad(k, head, PAGE.flags, where)) & PG.anon) !== 0;
  if (anon) low |= ONE('ANON') | (ksm ? ONE('KSM') : 0) | (linksOrder(links) > 0 && linksType(links) !== TYPE.hugetlb ? ONE('THP') : 0);
  if (pageLoad(k, head, PAGE.mapcount, where) > 0) low |= ONE('MMAP');
  into[0] = low;
  into[1] = high;
}

const low = (...names: KpfName[]): number => names.reduce((sum, name) => sum | bitOf(name)[0], 0);
/** What is true of a tail page whoever is asked: what it is part of, and that it is mapped. */
const SHARED_BY_TAILS = low('COMPOUND_TAIL', 'MMAP', 'ANON', 'HUGE', 'THP', 'KSM', 'HWPOISON', 'NOPAGE');

/** @param active the second page of a huge page in use, which has a flag of its own before 5.12 */
function ownFlagsOfTail(into: [number, number], active: boolean): void {
  const huge = (into[0] & low('HUGE')) !== 0;
  into[0] &= SHARED_BY_TAILS;
  into[1] = huge && active ? bitOf('PRIVATE')[1] : 0;
}

/** Names of the flags of a frame, in bit order; null where the file has ended before it. */
export function kpageflags(k: Kernel, pfn: number): KpfName[] | null {
  const word: [number, number] = [0, 0];
  if (!kpageflagReader(k)(pfn, word)) return null;
  return (Object.keys(KPF) as KpfName[]).filter((name) => (word[0] & bitOf(name)[0]) !== 0 || (word[1] & bitOf(name)[1]) !== 0);
}
