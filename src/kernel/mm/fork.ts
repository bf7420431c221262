/**
 * fork (kernel/fork.c: dup_mmap, mm/memory.c: copy_page_range; 5.10 to 7.2). Shared DAX mappings are not copied: the
 * child faults them in again (vma_needs_copy is false for a file mapping without anonymous pages). Private copies are
 * shared copy-on-write.
 */
import type { Kernel } from '../kernel.ts';
import { INODE, ihold } from '../fs/inode.ts';
import { fdCopy } from '../fs/file.ts';
import { AT, type Path } from '../state/path.ts';
import { fsTask, leaderOf, newTask, TASK, TASK_OOPSED, TF_OWN_FILES, TF_OWN_FS, TF_THREAD } from '../task.ts';
import { mmAlloc, mmOf, MM, VMA, vmaCreate, vmaEnd, vmaPages, vmasOf, vmaStart, VM_DONTFORK, regionPage } from './mm_struct.ts';
import { leaves } from './pgtable-leaves.ts';
import { PTE_ANON, PTE_WRITE, setEntry, setFlags } from './pgtable.ts';
import { ANON } from './anon.ts';
import { loadLong, storeLong } from '../state/long.ts';

/** A child with the parent's address space, files, domain and signal settings. Returns the task. */
export function* fork(k: Kernel, parent: number): Path {
  if (k.heap.load(parent + TASK.state) >= TASK_OOPSED) return 0;
  if (k.concurrent) yield AT('dup_mm');
  const child = newTask(k, k.names.text(k.heap.load(parent + TASK.comm)), k.heap.load(parent + TASK.flags) & ~(TF_THREAD | TF_OWN_FILES | TF_OWN_FS));
  k.heap.store(child + TASK.domain, k.heap.load(parent + TASK.domain));
  k.heap.store(child + TASK.root, k.heap.load(fsTask(k, parent) + TASK.root));
  k.heap.store(child + TASK.parent, k.heap.load(leaderOf(k, parent) + TASK.pid));
  const mm = mmAlloc(k);
  k.heap.store(child + TASK.mm, mm);
  storeLong(k.heap, mm + MM.nextVpn, loadLong(k.heap, mmOf(k, parent) + MM.nextVpn));
  for (const vma of [...vmasOf(k, mmOf(k, parent))].reverse()) if ((k.heap.load(vma + VMA.flags) & VM_DONTFORK) === 0) copyVma(k, vma, mm);
  const cwd = k.heap.load(fsTask(k, parent) + TASK.cwd);
  if (cwd !== 0) {
    ihold(k, cwd);
    k.heap.store(child + TASK.cwd, cwd);
  }
  fdCopy(k, parent, child);
  return child;
}

function copyVma(k: Kernel, vma: number, mm: number): void {
  const inode = k.heap.load(vma + VMA.inode);
  const copy = vmaCreate(k, {
    mm, pages: vmaPages(k, vma), pgoff: k.heap.load(vma + VMA.pgoff), flags: k.heap.load(vma + VMA.flags), inode,
    iMmap: inode === 0 ? 0 : inode + INODE.iMmap, bind: k.heap.load(vma + VMA.bind), vpn: vmaStart(k, vma),
  });
  if (inode !== 0) ihold(k, inode);
  const region = k.heap.load(vma + VMA.region);
  for (const leaf of leaves(k.heap, region, regionPage(k, vma, vmaStart(k, vma)), regionPage(k, vma, vmaEnd(k, vma)))) {
    if ((leaf.flags & PTE_ANON) === 0) continue;
    for (let i = 0; i < leaf.count; i += 1) {
      k.heap.add(leaf.pfn + ANON.users, 1);
      setFlags(k.heap, region, leaf.page + i, leaf.flags & ~PTE_WRITE);
      setEntry(k.heap, k.heap.load(copy + VMA.region), leaf.page + i, 1, leaf.pfn, leaf.flags & ~PTE_WRITE);
    }
  }
}
