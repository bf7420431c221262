/** Looking at a simulated machine after the fact: what holds and what is left. Changes nothing but what a look changes. */
import { readMemory } from '../domains.ts';
import type { Kernel } from '../kernel.ts';
import { TOUCH_DEAD, TOUCH_SIGBUS, TOUCH_SIGSEGV, userRead, userWrite } from '../mm/access.ts';
import { vmaLeaves } from '../mm/memory.ts';
import { mmOf, vmaPages, vmasOf, vmaStart } from '../mm/mm_struct.ts';
import { levelPages, PTE_ANON, PTE_PRESENT, PTE_SPECIAL, PTE_WRITE } from '../mm/pgtable.ts';
import { isAlive } from '../task.ts';
import { run } from './run.ts';

/** Pages of [start, end) that the page tables of a process map; by all processes where `task` is left out. */
export function presentPages(k: Kernel, task: number, start: number, end: number, writable = false): number {
  const mm = mmOf(k, task);
  if (mm === 0) return 0;
  let pages = 0;
  for (const vma of vmasOf(k, mm)) {
    for (const { leaf } of vmaLeaves(k, vma)) {
      if ((leaf.flags & PTE_PRESENT) === 0 || (leaf.flags & (PTE_ANON | PTE_SPECIAL)) !== 0) continue;
      if (leaf.pfn < start || leaf.pfn >= end || (writable && (leaf.flags & PTE_WRITE) === 0)) continue;
      pages += leaf.count * levelPages(leaf.level);
    }
  }
  return pages;
}

export interface TouchCount {
  readonly ok: number;
  readonly sigbus: number;
  /** The kernel function that the first touch oopsed in, or null. */
  readonly oops: string | null;
  readonly dead: boolean;
}

/** READTEST or WRITETEST: touches every page of a VMA under a SIGBUS handler, and counts. */
export function touchTest(k: Kernel, task: number, vma: number, how: 'read' | 'write', value = 7): TouchCount {
  let [ok, sigbus] = [0, 0];
  const [start, pages] = [vmaStart(k, vma), vmaPages(k, vma)];
  for (let i = 0; i < pages; i += 1) {
    if (!isAlive(k, task)) return { ok, sigbus, oops: null, dead: true };
    const ran = run(k, how === 'read' ? userRead(k, task, start + i) : userWrite(k, task, start + i, value), task);
    if (ran.oops !== null) return { ok, sigbus, oops: ran.oops, dead: true };
    if (ran.hangs !== null || ran.spins !== null) return { ok, sigbus, oops: null, dead: false };
    if (ran.rc === TOUCH_SIGBUS || ran.rc === TOUCH_SIGSEGV) sigbus += 1;
    else if (ran.rc !== TOUCH_DEAD) ok += 1;
  }
  return { ok, sigbus, oops: null, dead: !isAlive(k, task) };
}

/** What somebody with `domain` would read at a page frame (recorded as an access). */
export const lookAt = (k: Kernel, pfn: number, domain: number): number => readMemory(k, pfn, domain);
