import type { PhysRange } from '../../range/phys-range.ts';

export interface DaxDevice {
  /** `dax0.0`. */
  readonly name: string;
  /** `device_dax`, `kmem`, `fsdev_dax`; null when no driver is bound. */
  readonly driver: string | null;
  /** All mapping ranges, in order. Empty where sysfs hides them (unprivileged). */
  readonly ranges: readonly PhysRange[];
  readonly size: number | null;
  readonly align: number | null;
  readonly targetNode: number | null;
  readonly numaNode: number | null;
  readonly memmapOnMemory: boolean | null;
  /** Content of the whole-device `state` file (7.3 and later); null where the kernel has none. */
  readonly state: string | null;
  /** Character device number `major:minor`, null where there is none. */
  readonly dev: string | null;
  /** Sysfs name of the parent region or namespace device (`region0`, `dax0.0` of nd). */
  readonly parent: string | null;
  /** Real sysfs directory. */
  readonly path: string;
  /** Index numbers of the memory blocks that its System RAM covers. */
  readonly blocks: readonly number[];
}
