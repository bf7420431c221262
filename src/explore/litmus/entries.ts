/** The page-table entries of device memory, of all processes. */
import type { Kernel } from '../../kernel/kernel.ts';
import { mmOf, regionPage, VMA, vmaEnd, vmasOf, vmaStart } from '../../kernel/mm/mm_struct.ts';
import { PTE_ANON, PTE_PRESENT, PTE_SPECIAL, walk } from '../../kernel/mm/pgtable.ts';
import { eachTask } from '../../kernel/task.ts';

/** Entries of every living or oopsed process that map device memory: pfn and flags to `visit`; true stops. */
export function someEntry(k: Kernel, visit: (pfn: number, flags: number) => boolean): boolean {
  for (const task of eachTask(k)) {
    const mm = mmOf(k, task);
    if (mm === 0) continue;
    for (const vma of vmasOf(k, mm)) {
      if (k.heap.load(vma + VMA.inode) === 0) continue;
      const region = k.heap.load(vma + VMA.region);
      for (let vpn = vmaStart(k, vma); vpn < vmaEnd(k, vma); vpn += 1) {
        const found = walk(k.heap, region, regionPage(k, vma, vpn));
        if (found.level === 0 || (found.flags & PTE_PRESENT) === 0 || (found.flags & (PTE_ANON | PTE_SPECIAL)) !== 0) continue;
        if (visit(found.pfn, found.flags)) return true;
      }
    }
  }
  return false;
}
