/** /proc/kpageflags (fs/proc/page.c, include/uapi/linux/kernel-page-flags.h): one 64-bit word for each pfn. */
import type { Kernel } from '../kernel.ts';
import { memmapPresent, PAGE, pageLoad, PG, TYPE } from '../mm/page.ts';
import { linksType, linksZone, ZONE } from '../mm/page-template.ts';
import type { FileNode } from './vfs.ts';

/** KPF_* bit numbers; those above 31 are given as 32 + bit of the high half. */
const KPF = { locked: 0, uptodate: 3, lru: 5, active: 6, slab: 7, buddy: 10, anon: 12, swapbacked: 14, head: 15, tail: 16, huge: 17, unevictable: 18, hwpoison: 19, nopage: 20, pgtable: 26, mlocked: 33, reserved: 32, ownerPrivate: 37 } as const;

const bit = (on: boolean, number: number): number => (on && number < 32 ? (1 << number) >>> 0 : 0);
const high = (on: boolean, number: number): number => (on && number >= 32 ? 1 << (number - 32) : 0);

/** Low and high half of the word for `pfn`. */
function word(k: Kernel, pfn: number, into: [number, number]): void {
  into[0] = 0;
  into[1] = 0;
  if (!memmapPresent(k, pfn)) {
    into[0] = bit(true, KPF.nopage);
    return;
  }
  const flags = pageLoad(k, pfn, PAGE.flags, 'stable_page_flags');
  const linked = pageLoad(k, pfn, PAGE.links, 'stable_page_flags');
  if (linksZone(linked) === ZONE.device) {
    into[0] = bit(true, KPF.nopage);
    return;
  }
  const type = linksType(linked);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  into[0] = (bit(has(PG.locked), KPF.locked) | bit(has(PG.uptodate), KPF.uptodate) | bit(has(PG.lru), KPF.lru) | bit(has(PG.active), KPF.active) | bit(type === TYPE.slab, KPF.slab)
    | bit(type === TYPE.buddy, KPF.buddy) | bit(has(PG.anon), KPF.anon) | bit(has(PG.swapbacked), KPF.swapbacked) | bit(has(PG.head), KPF.head) | bit(has(PG.tail), KPF.tail)
    | bit(type === TYPE.hugetlb, KPF.huge) | bit(has(PG.unevictable), KPF.unevictable) | bit(has(PG.hwpoison), KPF.hwpoison) | bit(type === TYPE.table, KPF.pgtable)) >>> 0;
  into[1] = high(has(PG.reserved), KPF.reserved) | high(has(PG.mlocked), KPF.mlocked) | high(has(PG.ownerPrivate), KPF.ownerPrivate);
}

/** Pages above the last one with a memmap of RAM end the file. */
export const kpageflags = (k: Kernel): FileNode => ({
  type: 'file',
  read: () => ({ errno: 'EINVAL' }),
  readAt: (offset, into) => {
    const first = Math.floor(offset / 8);
    const end = lastRamPfn(k);
    const count = Math.max(0, Math.min(Math.floor(into.length / 8), end - first));
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    const halves: [number, number] = [0, 0];
    for (let i = 0; i < count; i += 1) {
      word(k, first + i, halves);
      view.setUint32(i * 8, halves[0], true);
      view.setUint32(i * 8 + 4, halves[1] >>> 0, true);
    }
    return count * 8;
  },
});

/** First pfn after every node's span (max_pfn, which device memory does not raise). */
function lastRamPfn(k: Kernel): number {
  let end = 0;
  for (let nid = 0; nid < k.nodes; nid += 1) if (k.zones.nodeOnline(nid)) end = Math.max(end, k.zones.nodeEnd(nid));
  return end;
}
