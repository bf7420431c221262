/**
 * A program touches its memory: the CPU walks the page tables, faults where it must, and takes SIGBUS where the kernel
 * finds nothing (arch/x86/mm/fault.c: do_user_addr_fault, do_sigbus; 5.10 to 7.2).
 */
import type { Kernel } from '../kernel.ts';
import { readMemory, writeMemory } from '../domains.ts';
import { BUS_ADRERR, BUS_MCEERR_AR, sendSigbus, TASK, TASK_RUNNING, takeSignals } from '../task.ts';
import { AT, BLOCKED, type Path } from '../state/path.ts';
import { exitTask } from './exit.ts';
import { handleMmFault } from './fault.ts';
import { VM_FAULT_ERROR, VM_FAULT_HWPOISON, VM_FAULT_OOM, VM_FAULT_SIGSEGV } from './fault-codes.ts';
import { mmOf, regionPage, VMA, vmaLookup } from './mm_struct.ts';
import { PTE_ANON, PTE_DIRTY, PTE_SPECIAL, PTE_WRITE, PTE_YOUNG, setFlags, walk } from './pgtable.ts';
import { anonPfn, anonRead, anonWrite } from './anon.ts';

/** What a touch comes to; values above are what was read (always >= 0 in scenarios). */
export const TOUCH_SIGBUS = -1000;
export const TOUCH_SIGSEGV = -1001;
/** The task is not there (any more) or was ended by the signal. */
export const TOUCH_DEAD = -1002;

/** One load by a task at virtual page `vpn`. */
export function* userRead(k: Kernel, task: number, vpn: number): Path {
  return yield* touch(k, task, vpn, 0, 0);
}

/** One store of `value`. Returns 0 or TOUCH_*. */
export function* userWrite(k: Kernel, task: number, vpn: number, value: number): Path {
  return yield* touch(k, task, vpn, 1, value);
}

function* touch(k: Kernel, task: number, vpn: number, write: number, value: number): Path {
  for (;;) {
    while (k.heap.load(task + TASK.state) === 1) yield BLOCKED('T stopped');
    if (k.heap.load(task + TASK.state) !== TASK_RUNNING) return TOUCH_DEAD;
    if (k.concurrent) yield AT(write === 1 ? 'user store' : 'user load');
    if (k.heap.load(task + TASK.pending) !== 0 && !takeSignals(k, task)) {
      yield* k.call(exitTask, task);
      return TOUCH_DEAD;
    }
    const vma = vmaLookup(k, mmOf(k, task), vpn);
    if (vma === 0) return TOUCH_SIGSEGV;
    const done = tryAccess(k, task, vma, vpn, write, value);
    if (done !== null) return done;
    const ret = yield* k.call(handleMmFault, vma, vpn, write);
    if ((ret & VM_FAULT_SIGSEGV) !== 0) return TOUCH_SIGSEGV;
    if ((ret & VM_FAULT_ERROR) === 0) continue;
    if ((ret & VM_FAULT_OOM) !== 0) {
      // pagefault_out_of_memory: the victim is whoever faults.
      yield* k.call(exitTask, task);
      return TOUCH_DEAD;
    }
    sendSigbus(k, task, (ret & VM_FAULT_HWPOISON) !== 0 ? BUS_MCEERR_AR : BUS_ADRERR, vpn * 4096);
    if (takeSignals(k, task)) return TOUCH_SIGBUS;
    yield* k.call(exitTask, task);
    return TOUCH_DEAD;
  }
}

/** The access itself where an entry allows it; null where the CPU faults. */
function tryAccess(k: Kernel, task: number, vma: number, vpn: number, write: number, value: number): number | null {
  const region = k.heap.load(vma + VMA.region);
  const page = regionPage(k, vma, vpn);
  const found = walk(k.heap, region, page);
  if (found.level === 0 || (found.flags & 1) === 0) return null;
  if ((found.flags & PTE_ANON) !== 0 && !k.concurrent && anonPfn(k, found.pfn) < 0) return null;
  if (write === 1 && (found.flags & PTE_WRITE) === 0) return null;
  const wanted = found.flags | PTE_YOUNG | (write === 1 ? PTE_DIRTY : 0);
  if (wanted !== found.flags) setFlags(k.heap, region, page, wanted);
  if ((found.flags & PTE_ANON) !== 0) {
    if (write === 0) return anonRead(k, found.pfn);
    anonWrite(k, found.pfn, value);
    return 0;
  }
  if ((found.flags & PTE_SPECIAL) !== 0) return 0;
  const domain = k.heap.load(task + TASK.domain);
  if (write === 0) return readMemory(k, found.pfn, domain);
  writeMemory(k, found.pfn, value, domain);
  return 0;
}
