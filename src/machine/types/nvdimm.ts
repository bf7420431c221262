import type { PhysRange } from '../../range/phys-range.ts';

export type NamespaceMode = 'raw' | 'fsdax' | 'devdax' | 'sector' | 'unknown';
/** Where the struct pages live: RAM (`mem`), the namespace itself (`dev`), or none at all. */
export type MemmapPlace = 'mem' | 'dev' | 'none' | 'unknown';

export interface NvdimmNamespace {
  /** `namespace0.0`. */
  readonly name: string;
  readonly region: string;
  readonly mode: NamespaceMode;
  readonly memmap: MemmapPlace;
  /** The whole namespace, info block included; null where `resource` is not readable. */
  readonly range: PhysRange | null;
  /** Bytes as `size` says. */
  readonly size: number | null;
  /** What the claimant (pfn, dax, btt) offers: the range without info block and, with the memmap on the device, without it. Null for raw. */
  readonly dataRange?: PhysRange | null;
  /** Sysfs directory of the namespace; null where only its claimant is known. */
  readonly path?: string | null;
  readonly uuid: string | null;
  readonly sectorSize: number | null;
  readonly align: number | null;
  /** The device that claims it: `pfn0.0`, `dax0.0`, `btt0.0`; null for raw. */
  readonly holder: string | null;
  /** The name that is written to the driver's `unbind` (`pfn0.0`, `namespace0.0`, `btt0.0`). */
  readonly bindName: string;
  /** Driver bound to `bindName` (`nd_pmem`, `dax_pmem`), null when unbound. */
  readonly driver: string | null;
  /** Block device (`pmem0`, `pmem0s`), null for devdax and disabled namespaces. */
  readonly block: string | null;
  /** DAX character device (`dax0.0`) for devdax. */
  readonly chardev: string | null;
  readonly numaNode: number | null;
  /** Bad ranges, bytes relative to the start of the namespace. */
  readonly badblocks: readonly PhysRange[];
}

export interface NvdimmRegion {
  /** `region0`. */
  readonly name: string;
  /** `pmem`, `volatile`, `blk`; from nstype and the region's name. */
  readonly type: string;
  readonly range: PhysRange | null;
  readonly size: number | null;
  readonly align: number | null;
  readonly numaNode: number | null;
  readonly dimms: readonly string[];
  readonly persistenceDomain: string | null;

  readonly namespaces: readonly NvdimmNamespace[];
  /** Sysfs directory, real path. */
  readonly path: string;
}

export interface NvdimmBus {
  /** `ndbus0`. */
  readonly name: string;
  readonly provider: string | null;
  readonly regions: readonly NvdimmRegion[];
  readonly path: string;
}
