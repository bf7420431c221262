/** Differences between the simulated kernel and real ones that are known and left, each with its reason. Everything else that differs fails a test. */
import { inKernelRange } from '../scenario/kernel-range.ts';
import type { Difference } from './compare-runs.ts';

export interface ListedDifference {
  readonly scenarios: RegExp;
  /** A range as scenarios have it: `all`, `>=6.12`. */
  readonly kernels: string;
  /** `forecast` for what was seen and not forecast by `unseat plan`. */
  readonly what: RegExp;
  readonly reason: string;
}

export const LISTED: readonly ListedDifference[] = [
  {
    scenarios: /^(?:fsdax-ext4-write-shutdown|truth-a-stale-write)$/, kernels: 'all', what: /^forecast$/,
    reason: 'the plan is made before the scenario shuts the file system down, and it is that shutdown which leaves the mapping writable',
  },
  {
    scenarios: /^(?:random-\d+|fsdax-xfs-force(?:-shapes)?|truth-a-(?:forced-xfs|unaligned|xfs-last-group|xfs-whole))$/, kernels: '>=6.18', what: /^forecast$/,
    reason: 'the plan is made before the scenario has memory_failure() unmap the pages: by itself the unbind would leave them mapped, or spin',
  },
  {
    scenarios: /^random-17$/, kernels: '6.1', what: /./,
    reason: 'with struct pages on the device the notification of XFS on 6.1 reaches the file and unmaps it before it shuts down; with struct pages in RAM it stops at the first metadata (docs/kernel-truth.md, A matrix 1). Why the two differ is not known',
  },
  {
    scenarios: /^truth-a-pin$/, kernels: 'all', what: /^forecast$/,
    reason: 'no file of /proc tells whose pages are in a pipe',
  },
  {
    scenarios: /^truth-a-stale$/, kernels: '>=6.18', what: /^forecast$/,
    reason: 'the plan is asked for the first device that the scenario unbinds; the bad page map comes of another one',
  },
  {
    scenarios: /^truth-a-stale$/, kernels: '6.18', what: /^kernel log at exit$/,
    reason: 'after its oops this kernel wrote one line more (BUG) about the task that died; what follows an oops is not modelled',
  },
  {
    scenarios: /^truth-a-xfs-whole$/, kernels: '6.1', what: /^(?:kernel log at unbind-|pages of reader at ro)/,
    reason: 'as random-17: on 6.1 the notification of XFS reaches the files of some file systems and unmaps them before it shuts down; which ones is not known',
  },
  {
    scenarios: /^slot-power-off$/, kernels: 'all', what: /^hardware at power$/,
    reason: 'QEMU takes the device out of a slot that the guest powers off; on a board, and in the simulated kernel, the card stays in it',
  },
  {
    scenarios: /^truth-b-cxl-cxl-mem$/, kernels: 'all', what: /^text at iomem$/,
    reason: 'where the window of the host bridge lies is up to the host: QEMU puts it behind the room for memory that may be plugged, the simulated machine behind its memory',
  },
  {
    scenarios: /^truth-b-pin-pipe$/, kernels: '5.10', what: /^ending of bind$/,
    reason: 'reading the pipe gives the pages back, so that the waiting unbind ends and the device can be bound; in a simulated run of a scenario a step that hangs stays where it is',
  },
  {
    scenarios: /^truth-b-dimm-add$/, kernels: 'all', what: /^hardware at pull-/,
    reason: 'the last _OST comes after the device has gone, and the step may end between the two',
  },
];

/** The reason why a difference is left; null where it is not listed. */
export function reasonFor(scenario: string, series: { readonly major: number; readonly minor: number }, difference: Pick<Difference, 'what'>): string | null {
  return LISTED.find((l) => l.scenarios.test(scenario) && inKernelRange(l.kernels, series) && l.what.test(difference.what))?.reason ?? null;
}
