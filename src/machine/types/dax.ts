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
  /** What of it is System RAM, from iomem; empty where it is not used as RAM or iomem is hidden. */
  readonly systemRam?: readonly PhysRange[];
  /** Bytes that kmem leaves unused because it takes whole memory blocks only; null where it is not bound to kmem or cannot be told. */
  readonly lostBytes?: number | null;
}
