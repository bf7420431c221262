/** What removing a device would do. One vocabulary for forecasts (plan/), outcomes of the simulated kernel and of the lab. */

/** How the device goes. `unbind`: driver unbind by sysfs; `pull`: the hardware leaves (unplug, eject, surprise). */
export type RemovalEvent = 'unbind' | 'pull';

/**
 * Things that can come of it. The names are stable: they appear in `--json`, in litmus tests and in the lab's data.
 */
export type Effect =
  | 'clean'
  /** Page tables still map the device after it is gone; reads and perhaps writes go on. */
  | 'stale-mapping'
  /** The stale mapping can be written and hits the medium. */
  | 'stale-write'
  /** After a rebind the old process reads (or writes) the next owner's data. */
  | 'next-owner-exposed'
  /** Holders get SIGBUS when they touch the memory. */
  | 'sigbus'
  /** The unbind waits until pins are dropped. */
  | 'unbind-hangs'
  /** The unbind spins in the kernel, one CPU busy. */
  | 'unbind-spins'
  /** Pinned pages outlive their memmap: DMA or a later put touches freed struct pages. */
  | 'pin-outlives-memmap'
  | 'oops-at-exit'
  | 'oops-at-umount'
  | 'oops-on-pagemap'
  | 'oops-on-smaps'
  | 'oops-on-write'
  | 'umount-hangs'
  | 'bad-page-map'
  | 'fs-shutdown'
  /** The System RAM range stays in iomem and cannot be used again until reboot. */
  | 'region-leaked'
  /** Online memory behind a dead decoder: zeroes or all-ones, and the allocator goes on. */
  | 'reads-zero'
  | 'allocator-continues'
  /** The kernel or firmware says no. */
  | 'veto'
  /** The driver cannot be bound again before a reboot. */
  | 'no-rebind'
  /** Offline or eject goes on for ever until a pin is dropped. */
  | 'never-ends'
  | 'kernel-bug-later'
  | 'swap-lost'
  | 'io-errors';

export interface Forecast {
  readonly event: RemovalEvent;
  readonly effects: readonly {
    readonly effect: Effect;
    /** Whom it hits: a holder, a mount, the device; for people. */
    readonly whom: string;
    /** Why, one sentence, in the kernel's words. */
    readonly because: string;
    /** Where that is known from: a kernel file and version, or a row of docs/kernel-truth. */
    readonly source: string;
    /** `certain` where the profile's mechanisms decide it, `likely` where it hangs on timing or on what is unseen. */
    readonly certainty: 'certain' | 'likely' | 'possible';
  }[];
}
