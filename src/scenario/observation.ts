/**
 * What is seen when a scenario runs: one record per step, the same from the simulated kernel and from a real one.
 * Only facts are recorded here; what they amount to is decided by `effects-of.ts`, for both in the same way.
 */
import type { Verb } from './step.ts';

/** How a step ended. */
export type Ending =
  /** It came back with success. */
  | 'returned'
  /** It came back with an error. */
  | 'refused'
  /** It had not come back at its deadline, and no CPU is busy with it. */
  | 'hangs'
  /** It had not come back at its deadline, and a CPU is busy with it in the kernel. */
  | 'spins'
  /** Whoever did it was killed by a kernel oops. */
  | 'oops'
  /** The guest could not do it (a tool or a kernel facility is missing); says nothing about the kernel's behaviour. */
  | 'not-available';

/** What a process found in the pages of one map, counted in 4 KiB pages. The counts add up to `pages`. */
export interface PageCounts {
  readonly process: string;
  readonly map: string;
  readonly pages: number;
  /** Its own mark. For `write`: pages that could be written. */
  readonly own: number;
  /** All zeroes. */
  readonly zero: number;
  /** All ones. */
  readonly ones: number;
  /** The mark of another process, by name. */
  readonly others: Readonly<Record<string, number>>;
  readonly unknown: number;
  readonly sigbus: number;
  readonly sigsegv: number;
  /** si_code values of the SIGBUS that were caught: 2 BUS_ADRERR, 4 BUS_MCEERR_AR, 5 BUS_MCEERR_AO. */
  readonly codes: readonly number[];
}

/** A kind of line in the kernel log that matters, with how often it came since the step before. */
export type LogFinding =
  | 'oops' | 'bug' | 'warning' | 'bad-page-map' | 'rcu-stall' | 'hung-task' | 'soft-lockup'
  | 'fs-shutdown' | 'hotremove-fails' | 'migrate-fails' | 'unmovable' | 'no-reserve' | 'memory-failure' | 'no-rebind' | 'io-error';

export interface Observation {
  /** Index of the step in the file, from 0. */
  readonly step: number;
  readonly verb: Verb;
  readonly label: string | null;
  /** Device or process or path concerned. */
  readonly subject: string;
  readonly ending: Ending;
  readonly errno?: string;
  /** Milliseconds; never compared. */
  readonly milliseconds: number;
  readonly pages?: readonly PageCounts[];
  /** Pages present that belong to the device, by process (`pagemap`). */
  readonly present?: number;
  /** How a process ended: `exit 0`, `SIGBUS`, `SIGKILL`, `oops`, `hangs`. */
  readonly died?: Readonly<Record<string, string>>;
  /** `look`: /proc/iomem lines inside the device's range, leaf names only, in address order. */
  readonly iomem?: readonly string[];
  /** `look`: state of the memory blocks of the devices, in address order. */
  readonly blocks?: readonly string[];
  /** `look`: mount points of declared file systems that are mounted. */
  readonly mounts?: readonly string[];
  /** `look`: by device: `driver NAME`, `no driver`, `absent`. */
  readonly devices?: Readonly<Record<string, string>>;
  /** Descriptor results of `files`, by call: an errno name or `ok`. */
  readonly calls?: Readonly<Record<string, string>>;
  readonly log?: Readonly<Partial<Record<LogFinding, number>>>;
  /** ACPI _OST status codes or hot-plug events seen, for `pull` and `eject`. */
  readonly hardware?: readonly string[];
  /** The answer of unseat for `remove`, `scan` and `plan`. */
  readonly unseat?: unknown;
  /** Text of the file that `get` read. */
  readonly value?: string;
  /** Of the texts that the step watches for: those that the kernel logged. Absent where it watches for none. */
  readonly said?: readonly string[];
  /** The different sets of flags that `pageFlags` saw. */
  readonly flags?: readonly string[];
  /** Counts of a step: `writes` and `refused` of `hardOffline`, `ao` of `signals`, pages by process of `medium`. */
  readonly figures?: Readonly<Record<string, number>>;
  /** For people: stderr, the oops text, the stack. */
  readonly detail?: string;
}
