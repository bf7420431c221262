/**
 * What /proc/kpageflags says of a frame (fs/proc/page.c: stable_page_flags, kpageflags_read; 5.10, 6.1, 6.12, 7.2, which
 * differ for device memory, for what is offline, and above the end of RAM).
 */
import type { Kernel } from '../../kernel.ts';
import { linksOrder, linksType, ZONE } from '../../mm/page-template.ts';
import { compoundHead, PAGE, pageLoad, pageZone, PG, TYPE } from '../../mm/page.ts';
import { pfnToOnlinePage } from '../../mm/pfn.ts';

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

/** Names of the flags of a frame, in bit order; null where the file has ended before it. */
export function kpageflags(k: Kernel, pfn: number): KpfName[] | null {
  if (pfn >= maxDumpPfn(k) && k.mechanism('section.kpageflags-above-ram') === 'eof') return null;
  const page = pfnToOnlinePage(k, pfn);
  if (page < 0) return k.mechanism('section.kpageflags-of-device-pages') === 'zero' && pfn < maxDumpPfn(k) ? [] : ['NOPAGE'];
  const where = 'stable_page_flags';
  if (pageZone(k, page, where) === ZONE.device) return ['RESERVED'];
  return pageNames(k, page).sort((a, b) => KPF[a] - KPF[b]);
}

function pageNames(k: Kernel, pfn: number): KpfName[] {
  const where = 'stable_page_flags';
  const flags = pageLoad(k, pfn, PAGE.flags, where);
  const head = compoundHead(k, pfn, where);
  const links = pageLoad(k, head, PAGE.links, where);
  const names = PG_TO_KPF.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name);
  const type = TYPE_TO_KPF[linksType(links)];
  if (type !== undefined) names.push(type);
  const anon = (pageLoad(k, head, PAGE.flags, where) & PG.anon) !== 0;
  if (anon) names.push('ANON');
  if (anon && k.mechanism('ram.kpageflags-ksm-on-anon')) names.push('KSM');
  if (linksOrder(links) > 0 && anon && linksType(links) !== TYPE.hugetlb) names.push('THP');
  if (pageLoad(k, head, PAGE.mapcount, where) > 0) names.push('MMAP');
  return names;
}
