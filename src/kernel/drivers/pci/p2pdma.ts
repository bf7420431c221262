/**
 * Peer-to-peer DMA: memory of a PCI device's BAR with struct pages, handed out page by page to other devices and, since
 * 6.2, to processes (drivers/pci/p2pdma.c; 5.10, 6.1, 6.12, 7.2). A BAR without struct pages is plain MMIO: it can be mapped
 * (VM_PFNMAP) and cannot be pinned (2f).
 */
import { EOPNOTSUPP } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { devicePageAlloc } from '../../mm/migrate_device.ts';
import { ptlLock, ptlUnlock, unmapMappingRange } from '../../mm/memory.ts';
import { memunmapPages, PGMAP } from '../../mm/memremap.ts';
import { putPage } from '../../mm/page_ref.ts';
import { regionPage, VMA } from '../../mm/mm_struct.ts';
import { PAGE, pageStore } from '../../mm/page.ts';
import { PTE_COHERENT, PTE_PRESENT, PTE_WRITE, setEntry } from '../../mm/pgtable.ts';
import { AT, type Path } from '../../state/path.ts';

/** pci_alloc_p2pmem of one page: its pfn, or -errno. */
export const pciAllocP2pmem = (k: Kernel, pgmap: number): number => devicePageAlloc(k, pgmap);

/** pci_free_p2pmem. */
export function pciFreeP2pmem(k: Kernel, pfn: number): void {
  putPage(k, pfn, 1, 'pci_free_p2pmem');
}

/** p2pmem_alloc_mmap: a process gets one page of the BAR at `vpn`. -EOPNOTSUPP before 6.2. */
export function* p2pmemMmap(k: Kernel, vma: number, vpn: number, pgmap: number): Path {
  if (k.mechanism('gup.p2pdma-mmap') !== true) return -EOPNOTSUPP;
  if (k.concurrent) yield AT('p2pmem_alloc_mmap');
  const pfn = pciAllocP2pmem(k, pgmap);
  if (pfn < 0) return pfn;
  const mm = k.heap.load(vma + VMA.mm);
  yield* ptlLock(k, mm);
  setEntry(k.heap, k.heap.load(vma + VMA.region), regionPage(k, vma, vpn), 1, pfn, PTE_PRESENT | PTE_WRITE | PTE_COHERENT);
  pageStore(k, pfn, PAGE.mapcount, 1, 'p2pmem_alloc_mmap');
  ptlUnlock(k, mm);
  return 0;
}

/** pci_p2pdma_release at the driver's remove: processes are unmapped, then every page that a peer still has is waited for. */
export function* p2pdmaRemove(k: Kernel, pgmap: number, inode: number): Path {
  k.heap.store(pgmap + PGMAP.dying, 1);
  if (inode !== 0) yield* k.call(unmapMappingRange, inode, 0, 0, 1);
  return yield* k.call(memunmapPages, pgmap);
}
