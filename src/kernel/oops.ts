/**
 * What ends a path for good: the use of a `struct page` whose memmap is gone, a BUG. The path ends where it is, its
 * locks stay held, the task is dead, the log has the line. Nothing catches it but whoever runs tasks (task.ts, the
 * explorer).
 */
import type { Kernel } from './kernel.ts';
import { KERN_ALERT, KERN_CRIT, KERN_WARNING } from './printk.ts';

/** Where the vmemmap lies on x86-64 without KASLR (Documentation/arch/x86/x86_64/mm.rst). */
const VMEMMAP = 0xffffea0000000000n;
const PAGE_STRUCT_BYTES = 64n;

export type OopsKind =
  /** A `struct page` was read or written after its memmap was freed, or where there never was one. */
  | 'page-fault'
  /** A BUG_ON or a VM_BUG_ON. */
  | 'bug'
  /** An object other than a page was used after it was freed. */
  | 'use-after-free';

export class KernelOops extends Error {
  /** By which the explorer knows it. */
  override readonly name = 'KernelOops';
  readonly kind: OopsKind;
  /** The kernel function that stumbled. */
  readonly where: string;
  /** The page frame whose `struct page` it was; -1 where no page is concerned. */
  readonly pfn: number;

  constructor(kind: OopsKind, text: string, where: string, pfn: number) {
    super(text);
    this.kind = kind;
    this.where = where;
    this.pfn = pfn;
  }
}

/** Virtual address of `struct page` number `pfn`, as an oops prints it. */
export const pageAddress = (pfn: number): string => (VMEMMAP + BigInt(pfn) * PAGE_STRUCT_BYTES).toString(16);

/** Ends the path: `where` touched the `struct page` of `pfn`, which does not exist (any more). */
export function oopsPage(k: Kernel, pfn: number, where: string): never {
  const text = `BUG: unable to handle page fault for address: ${pageAddress(pfn)}`;
  k.log.write(KERN_ALERT, text);
  k.log.write(KERN_ALERT, `RIP: 0010:${where}`);
  throw new KernelOops('page-fault', text, where, pfn);
}

/** Ends the path with `kernel BUG at <file>!`. */
export function bug(k: Kernel, where: string, file: string, pfn = -1): never {
  k.log.write(KERN_CRIT, `kernel BUG at ${file}!`);
  k.log.write(KERN_ALERT, `RIP: 0010:${where}`);
  throw new KernelOops('bug', `kernel BUG at ${file}!`, where, pfn);
}

/** Ends the path: `what` was used after it had been freed. */
export function useAfterFree(k: Kernel, where: string, what: string): never {
  const text = `BUG: KASAN: slab-use-after-free in ${where} (${what})`;
  k.log.write(KERN_ALERT, text);
  throw new KernelOops('use-after-free', text, where, -1);
}

/** WARN_ON: leaves its line and goes on. */
export function warn(k: Kernel, where: string, file: string): void {
  k.log.write(KERN_WARNING, `WARNING: CPU: 0 PID: 0 at ${file} ${where}`);
}
