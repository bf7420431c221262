/** What effects and actions are called on paper. */
import type { Effect } from '../../steps/forecast.ts';
import type { StepAction } from '../../steps/step.ts';

/** How bad an effect is: `crash` takes the kernel down or leaves it broken, `harm` hits data or holders, `loss` costs something until reboot. */
export type Severity = 'crash' | 'harm' | 'loss' | 'none';

export const EFFECTS: Readonly<Record<Effect, { readonly severity: Severity; readonly says: string }>> = {
  'clean': { severity: 'none', says: 'nothing goes wrong' },
  'stale-mapping': { severity: 'harm', says: 'page tables still map the device after it is gone' },
  'stale-write': { severity: 'harm', says: 'writes through a stale mapping reach the medium' },
  'next-owner-exposed': { severity: 'harm', says: "an old process reads or writes the next owner's data" },
  'sigbus': { severity: 'harm', says: 'holders get SIGBUS' },
  'unbind-hangs': { severity: 'crash', says: 'the unbind hangs' },
  'unbind-spins': { severity: 'crash', says: 'the unbind spins in the kernel' },
  'pin-outlives-memmap': { severity: 'crash', says: 'a pin outlives the struct pages' },
  'oops-at-exit': { severity: 'crash', says: 'the kernel oopses when a holder exits' },
  'oops-at-umount': { severity: 'crash', says: 'the kernel oopses at umount' },
  'oops-on-pagemap': { severity: 'crash', says: 'the kernel oopses when pagemap is read' },
  'oops-on-smaps': { severity: 'crash', says: 'the kernel oopses when smaps is read' },
  'oops-on-write': { severity: 'crash', says: 'the kernel oopses when a holder writes' },
  'umount-hangs': { severity: 'crash', says: 'umount hangs for ever' },
  'bad-page-map': { severity: 'crash', says: 'page counts are corrupted' },
  'fs-shutdown': { severity: 'loss', says: 'the file system shuts down' },
  'region-leaked': { severity: 'loss', says: 'the range is lost until reboot' },
  'reads-zero': { severity: 'harm', says: 'processes read zeroes instead of their data' },
  'allocator-continues': { severity: 'harm', says: 'the memory stays in use' },
  'veto': { severity: 'none', says: 'it is refused' },
  'no-rebind': { severity: 'loss', says: 'the driver cannot be bound again before a reboot' },
  'never-ends': { severity: 'harm', says: 'it never ends while a pin is held' },
  'kernel-bug-later': { severity: 'crash', says: 'a kernel BUG later' },
  'swap-lost': { severity: 'harm', says: 'swapped pages are lost' },
  'io-errors': { severity: 'loss', says: 'I/O ends with errors' },
};

/** An action as one would do it by hand; for undo lines. */
export function actionText(a: StepAction): string {
  switch (a.kind) {
    case 'write': return `write ${a.text} to ${a.path}`;
    case 'set': return `write ${a.to === '' ? 'what it was' : a.to} to ${a.path}`;
    case 'release-process': return `let pid ${a.process.pid} run again`;
    case 'unbind': return `write ${a.device} to ${a.driverPath}/unbind`;
    default: return a.kind;
  }
}
