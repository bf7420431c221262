import type { PhysRange } from '../../range/phys-range.ts';

export interface CxlMemdev {
  /** `mem0`. */
  readonly name: string;
  readonly serial: string | null;
  readonly ramSize: number | null;
  readonly pmemSize: number | null;
  readonly numaNode: number | null;
  /** PCI address `0000:0d:00.0`. */
  readonly pci: string | null;
  readonly driver: string | null;
  readonly firmware: string | null;
  readonly path: string;
}

export interface CxlDecoder {
  /** `decoder0.0`. */
  readonly name: string;
  readonly kind: 'root' | 'switch' | 'endpoint' | 'unknown';
  readonly port: string;
  readonly range: PhysRange | null;
  readonly locked: boolean | null;
  /** Decoding now; from the port's `decoders_committed`, decoders being committed in order. Null for root decoders and where it is not told. */
  readonly committed?: boolean | null;
  readonly targetType: string | null;
  readonly mode: string | null;
  /** Region that it takes part in. */
  readonly region: string | null;
  readonly interleaveWays: number | null;
  readonly interleaveGranularity: number | null;
}

export interface CxlPort {
  /** `root0`, `port1`, `endpoint2`. */
  readonly name: string;
  readonly parent: string | null;
  readonly depth: number | null;
  readonly decoders: readonly CxlDecoder[];
}

export interface CxlRegion {
  /** `region0`. */
  readonly name: string;
  readonly range: PhysRange | null;
  readonly size: number | null;
  /** `ram`, `pmem`; null where unknown. */
  readonly mode: string | null;
  /** True when `commit` reads 1. */
  readonly committed: boolean | null;
  readonly interleaveWays: number | null;
  readonly interleaveGranularity: number | null;
  /** Endpoint decoders by position, and the memdevs behind them: each of them takes the region down. */
  readonly targets: readonly { readonly decoder: string; readonly memdev: string | null }[];
  /** DAX device or nvdimm region made from it. */
  readonly daxDevices: readonly string[];
  readonly nvdimmRegion: string | null;
  readonly path: string;
}

export interface CxlInventory {
  readonly memdevs: readonly CxlMemdev[];
  readonly ports: readonly CxlPort[];
  readonly regions: readonly CxlRegion[];
  /** Soft Reserved ranges and who has them: `cxl`, `hmem`, `none`. */
  readonly softReserved: readonly (PhysRange & { readonly owner: string })[];
}
