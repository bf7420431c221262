/**
 * device-dax: a character device whose mmap() is the memory itself (drivers/dax/device.c; 5.10 to 7.2). Mappings have
 * the device's alignment and no other size. A fault asks whether the device is alive *now*; a VMA does not remember
 * under which bind it was made.
 */
import { EINVAL, ENXIO } from '../../errno.ts';
import { INODE } from '../../fs/inode.ts';
import type { Kernel } from '../../kernel.ts';
import { VM_FAULT_FALLBACK, VM_FAULT_SIGBUS } from '../../mm/fault-codes.ts';
import { insertDevice, ptlLock, ptlUnlock } from '../../mm/memory.ts';
import { linearPageIndex, regionPage, VMA, vmaEnd, vmaStart, VM_WRITE } from '../../mm/mm_struct.ts';
import { PAGE, pageLoad, pageStore } from '../../mm/page.ts';
import { walk } from '../../mm/pgtable.ts';
import { AT, type Path } from '../../state/path.ts';
import { DAXDEV, daxAlive, daxBase, daxReadLock, daxReadUnlock } from './super.ts';

/** Order of the mappings of a device by its alignment in pages: 0, 9 or 18. */
export const alignOrder = (alignPages: number): number => Math.round(Math.log2(alignPages));

/** dev_dax_huge_fault. The device's alignment decides the order; any other asks for a fallback or is an error. */
export function* devDaxFault(k: Kernel, vma: number, vpn: number, _write: number, order: number): Path {
  const inode = k.heap.load(vma + VMA.inode);
  const dax = k.heap.load(inode + INODE.dev);
  daxReadLock(k, dax);
  if (k.concurrent) yield AT(`dev_dax_huge_fault: dax_alive (order ${order})`);
  const ret = yield* faultLocked(k, vma, vpn, order, inode, dax);
  daxReadUnlock(k, dax);
  return ret;
}

function* faultLocked(k: Kernel, vma: number, vpn: number, order: number, inode: number, dax: number): Path {
  if (!daxAlive(k, dax)) return VM_FAULT_SIGBUS;
  if (k.mechanism('dax.fault-checks') === 'alive-and-same-bind' && k.heap.load(vma + VMA.bind) !== k.heap.load(dax + DAXDEV.binds)) return VM_FAULT_SIGBUS;
  const align = alignOrder(k.heap.load(inode + INODE.extents));
  if (order > align) return VM_FAULT_FALLBACK;
  if (order < align) return VM_FAULT_SIGBUS;
  const pages = 2 ** order;
  const first = vpn - (vpn % pages);
  if (first < vmaStart(k, vma) || first + pages > vmaEnd(k, vma)) return VM_FAULT_SIGBUS;
  const index = linearPageIndex(k, vma, first);
  if (index + pages > k.heap.load(dax + DAXDEV.pages)) return VM_FAULT_SIGBUS;
  const pfn = daxBase(k, dax) + index;
  setFaultInfo(k, inode, pfn, pages, index);
  if (k.concurrent) yield AT('dev_dax_huge_fault: insert the entry');
  const mm = k.heap.load(vma + VMA.mm);
  yield* ptlLock(k, mm);
    const level = order === 18 ? 3 : order === 9 ? 2 : 1;
  if (walk(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, first)).level === 0) insertDevice(k, vma, first, level, pfn, (k.heap.load(vma + VMA.flags) & VM_WRITE) !== 0, 'dev_dax_huge_fault');
  ptlUnlock(k, mm);
  return 0;
}

/** dax_set_mapping: pages remember the inode, for memory_failure. Written for the first page; the others follow from it. */
function setFaultInfo(k: Kernel, inode: number, pfn: number, pages: number, index: number): void {
  if (pageLoad(k, pfn, PAGE.mapping, 'dax_set_mapping') === inode) return;
  const count = pages > 512 ? 1 : pages;
  for (let i = 0; i < count; i += 1) {
    pageStore(k, pfn + i, PAGE.mapping, inode, 'dax_set_mapping');
    pageStore(k, pfn + i, PAGE.index, index + i, 'dax_set_mapping');
  }
}

/** check_vma at mmap: shared only, aligned, within the device; -EINVAL or -ENXIO. */
export function devDaxMmapCheck(k: Kernel, inode: number, pgoff: number, pages: number, shared: boolean): number {
  const dax = k.heap.load(inode + INODE.dev);
  if (!daxAlive(k, dax)) return -ENXIO;
  const align = k.heap.load(inode + INODE.extents);
  if (!shared || pgoff % align !== 0 || pages % align !== 0) return -EINVAL;
  return 0;
}
