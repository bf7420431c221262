/**
 * Faulting in very large mappings at set-up: many processes that all map the same file the same way, as if each had
 * touched every page. The result is the one that faults would give; only the way there is short.
 */
import { daxBase } from '../drivers/dax/super.ts';
import { DAX_DIRTY, DAX_PMD, DAX_PRESENT, setSlotRun } from '../fs/dax-entry.ts';
import { extentsOf, INODE, type Extent } from '../fs/inode.ts';
import { daxDevOfExtent } from '../fs/iomap.ts';
import type { Kernel } from '../kernel.ts';
import { deviceEntryFlags } from '../mm/memory.ts';
import { fillRecord } from '../mm/memmap-fill.ts';
import { linearPageIndex, regionPage, VMA, vmaEnd, vmaStart } from '../mm/mm_struct.ts';
import { links, linksNode, linksZone, PAGE, PG } from '../mm/page-template.ts';
import { pageLoad } from '../mm/page.ts';
import { PMD_PAGES, PUD_PAGES, setRun } from '../mm/pgtable.ts';
import { mappingsCount } from '../mm/rmap.ts';

/**
 * Maps all of `vmas` (whole-file shared mappings of one file, made alike) at 2 MiB where address, file and device agree,
 * else at 4 KiB. Extents must begin and end on 2 MiB of file and device.
 */
export function populateAll(k: Kernel, vmas: readonly number[], write: boolean): void {
  const first = vmas[0];
  if (first === undefined) return;
  const inode = k.heap.load(first + VMA.inode);
  const huge = (vmaStart(k, first) - k.heap.load(first + VMA.pgoff)) % PMD_PAGES === 0;
  for (const extent of extentsOf(k, inode)) {
    const pfn = daxBase(k, daxDevOfExtent(k, inode, extent)) + extent.device;
    for (let page = 0; page < extent.pages; page += PMD_PAGES) associate(k, pfn + page, inode, extent.file + page, vmas.length, huge);
    setSlotRun(k, inode, extent.file, extent.pages, pfn, DAX_PRESENT | (huge ? DAX_PMD : 0) | (write ? DAX_DIRTY : 0), huge);
    for (const vma of vmas) mapExtent(k, vma, extent, pfn, huge, write);
  }
  if (write) k.heap.store(inode + INODE.dirty, 1);
}

/** The struct pages of 2 MiB: one folio, or 512 pages with a running index, mapped `users` times. */
function associate(k: Kernel, pfn: number, inode: number, index: number, users: number, huge: boolean): void {
  const words = Array.from({ length: PAGE.words }, (_, word) => pageLoad(k, pfn, word, 'populate'));
  words[PAGE.mapping] = inode;
  words[PAGE.index] = index;
  if (mappingsCount(k)) {
    words[PAGE.refcount] = (words[PAGE.refcount] as number) + users;
    words[PAGE.mapcount] = users;
    const old = words[PAGE.links] as number;
    if (huge) {
      words[PAGE.flags] = (words[PAGE.flags] as number) | PG.head;
      words[PAGE.links] = links(linksZone(old), linksNode(old), 9);
    }
  }
  fillRecord(k, pfn, words);
}

function mapExtent(k: Kernel, vma: number, extent: Extent, pfn: number, huge: boolean, write: boolean): void {
  const region = k.heap.load(vma + VMA.region);
  const from = vmaStart(k, vma) + extent.file - linearPageIndex(k, vma, vmaStart(k, vma));
  const to = Math.min(vmaEnd(k, vma), from + extent.pages);
  const unit = huge ? PMD_PAGES : 1;
  for (let vpn = from; vpn < to;) {
    const page = regionPage(k, vma, vpn);
    const last = Math.min(to, vpn + PUD_PAGES - (page % PUD_PAGES));
    setRun(k.heap, region, page, huge ? 2 : 1, pfn + vpn - from, deviceEntryFlags(k, write), (last - vpn) / unit);
    vpn = last;
  }
}
