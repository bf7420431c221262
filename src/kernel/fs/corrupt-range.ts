/**
 * ->corrupt_range(): the file system is told which part of its device is bad or will go, and finds by its own reverse map
 * what lies there (Shiyang Ruan, "fsdax: introduce fs query to support reflink", 2020 and 2021; never merged in this form;
 * notify_failure of dax holders is what became of it). Here every file system answers, as the proposal wanted.
 *
 * What lies there decides (3e): free space costs nothing, data costs its readers, the log or metadata costs the file
 * system. It locks out access while it works.
 */
import { ENXIO } from '../errno.ts';
import { DAXDEV, daxBase } from '../drivers/dax/super.ts';
import type { Kernel } from '../kernel.ts';
import { costsOf } from '../mm/costs.ts';
import { unmapMappingRange } from '../mm/memory.ts';
import { AT, type Path } from '../state/path.ts';
import { BUS_MCEERR_AO, eachProcess, isAlive, sendSigbus, TASK } from '../task.ts';
import { linearPageIndex, VMA, vmaEnd, vmaPages, vmasOf, vmaStart } from '../mm/mm_struct.ts';
import { extentsOf, inodesOf, SB, sbHas, SB_SHUTDOWN } from './inode.ts';
import { deviceNumber } from './multi.ts';
import { forceShutdown } from './super.ts';
import { GROUP_METADATA_PAGES } from './xfs/notify-failure.ts';

/** What became of one range. */
export const CORRUPT = { free: 0, data: 1, metadata: 2 } as const;

/** [offset, offset + pages) of the device. Returns the worst kind of thing that lay there, or -ENXIO. */
export function* corruptRange(k: Kernel, dax: number, offset: number, pages: number): Path {
  const sb = k.heap.load(dax + DAXDEV.sb);
  if (sb === 0) return -ENXIO;
  const dev = deviceNumber(k, sb, dax);
  let found: number = CORRUPT.free;
  k.heap.store(sb + SB.frozen, 1);
  for (const inode of [...inodesOf(k, sb)]) {
    for (const extent of extentsOf(k, inode)) {
      if (extent.dev !== dev || extent.device >= offset + pages || extent.device + extent.pages <= offset) continue;
      const costs = costsOf(k);
      if (costs !== null) costs.extentsVisited += 1;
      if (k.concurrent) yield AT('corrupt_range: extent');
      const from = extent.file + Math.max(0, offset - extent.device);
      const count = Math.min(extent.device + extent.pages, offset + pages) - Math.max(extent.device, offset);
      yield* k.call(unmapMappingRange, inode, from, count, 0);
      reportLoss(k, inode, from, from + count);
      found = Math.max(found, CORRUPT.data);
    }
  }
  if (dev === 0 && overlapsMetadata(k, sb, offset, offset + pages)) {
    found = CORRUPT.metadata;
    if (!sbHas(k, sb, SB_SHUTDOWN)) forceShutdown(k, sb, 0, 'corrupt_range: metadata is gone');
  }
  k.heap.store(sb + SB.frozen, 0);
  return found;
}

/** Every process that maps the lost pages is told (data loss), at its address of the first of them. */
function reportLoss(k: Kernel, inode: number, from: number, to: number): void {
  const costs = costsOf(k);
  for (const task of eachProcess(k)) {
    const mm = k.heap.load(task + TASK.mm);
    if (!isAlive(k, task) || mm === 0) continue;
    for (const vma of vmasOf(k, mm)) {
      if (k.heap.load(vma + VMA.inode) !== inode) continue;
      const first = linearPageIndex(k, vma, vmaStart(k, vma));
      if (first >= to || first + vmaPages(k, vma) <= from) continue;
      sendSigbus(k, task, BUS_MCEERR_AO, Math.min(vmaEnd(k, vma), vmaStart(k, vma) + Math.max(0, from - first)) * 4096);
      if (costs !== null) costs.signalsSent += 1;
    }
  }
}

/** Whether metadata of the file system lies in pages [from, to): the head of every allocation group. */
export function overlapsMetadata(k: Kernel, sb: number, from: number, to: number): boolean {
  const group = k.heap.load(sb + SB.groupPages);
  for (let first = Math.floor(from / group) * group; first < to; first += group) if (first + GROUP_METADATA_PAGES > from) return true;
  return false;
}

/** Page of the device's data area of a pfn. */
export const devicePage = (k: Kernel, dax: number, pfn: number): number => pfn - daxBase(k, dax);
