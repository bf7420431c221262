/**
 * Claimants: the pfn, dax and btt devices that stand on a namespace and give it its mode. Source: drivers/nvdimm/
 * claim.c, pfn_devs.c, dax_devs.c, btt_devs.c. A region keeps idle seeds of each kind, which claim no namespace.
 */
import type { PhysRange } from '../../range/phys-range.ts';
import type { Reader } from '../reader.ts';
import type { MemmapPlace, NamespaceMode } from '../types/nvdimm.ts';

export interface Claimant {
  /** `pfn0.0`, `dax0.0` (of the nd bus), `btt0.0`. */
  readonly name: string;
  readonly kind: 'pfn' | 'dax' | 'btt';
  readonly namespace: string;
  readonly driver: string | null;
  readonly memmap: MemmapPlace;
  readonly align: number | null;
  readonly dataRange: PhysRange | null;
  readonly size: number | null;
  readonly sectorSize: number | null;
  readonly numaNode: number | null;
  readonly path: string;
}

export const CLAIMED_MODE: Readonly<Record<Claimant['kind'], NamespaceMode>> = { pfn: 'fsdax', dax: 'devdax', btt: 'sector' };

/** `ram` and `pmem` are the kernel's words for struct pages in RAM and on the device (nd_pfn mode_show()). */
const MEMMAP: Readonly<Record<string, MemmapPlace>> = { ram: 'mem', pmem: 'dev', none: 'none' };

export function readClaimants(reader: Reader, region: string): Claimant[] {
  const found: Claimant[] = [];
  for (const name of reader.list(region)) {
    const kind = /^(pfn|dax|btt)\d+\.\d+$/.exec(name)?.[1] as Claimant['kind'] | undefined;
    const path = `${region}/${name}`;
    const namespace = kind ? reader.text(`${path}/namespace`) : null;
    if (!kind || !namespace) continue;
    const size = reader.unsigned(`${path}/size`);
    found.push({
      name, kind, namespace, size, path,
      driver: reader.linkName(`${path}/driver`),
      memmap: kind === 'btt' ? 'none' : (MEMMAP[reader.text(`${path}/mode`) ?? ''] ?? 'unknown'),
      align: kind === 'btt' ? null : reader.unsigned(`${path}/align`),
      dataRange: rangeOf(reader.unsigned(`${path}/resource`), size),
      sectorSize: kind === 'btt' ? chosen(reader.text(`${path}/sector_size`)) : null,
      numaNode: reader.integer(`${path}/numa_node`),
    });
  }
  return found;
}

export const rangeOf = (start: number | null, size: number | null): PhysRange | null =>
  start === null || size === null || size <= 0 || !Number.isSafeInteger(start + size) ? null : { start, end: start + size };

/** The chosen one of `512 [4096]`; the only one of `512`; null where none is marked. */
export function chosen(text: string | null): number | null {
  const marked = /\[(\d+)\]/.exec(text ?? '')?.[1] ?? /^\s*(\d+)\s*$/.exec(text ?? '')?.[1];
  return marked === undefined ? null : Number(marked);
}
