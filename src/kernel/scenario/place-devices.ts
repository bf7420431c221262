/** Where the devices of a scenario lie: physical addresses and the names that a kernel would give. Pure. */
import { alignUp, type PhysRange } from '../../range/phys-range.ts';
import { GiB, MiB } from '../../range/units.ts';
import type { Machine, Namespace } from '../../scenario/layout.ts';
import type { RamRange } from '../mm/boot.ts';

/** RAM below this address; what does not fit goes above 4 GiB (QEMU q35, and most PCs). */
const LOW_RAM_END = 2 * GiB;
const ABOVE_4G = 4 * GiB;

export interface PlacedNamespace {
  readonly spec: Namespace;
  /** The nvdimm, range or card it lies on, with its whole range. */
  readonly region: PhysRange;
  readonly regionIndex: number;
  /** Number within the region: namespaceR.N. */
  readonly index: number;
  readonly range: PhysRange;
  readonly legacy: boolean;
  readonly node: number;
}

export interface Placement {
  readonly ram: readonly RamRange[];
  readonly namespaces: readonly PlacedNamespace[];
  /** Ranges of `memmap=SIZE!START`. */
  readonly memmapPmem: readonly PhysRange[];
}

export function placeDevices(machine: Machine): Placement {
  const memmapPmem = machine.memmapPmem.map((p) => ({ start: p.at, end: p.at + p.size }));
  const ram = ramRanges(machine).flatMap((range) => carve(range, memmapPmem));
  let next = alignUp(Math.max(ABOVE_4G, ...ram.map((r) => r.end)), GiB / 8);
  const regions = new Map<string, { range: PhysRange; index: number; legacy: boolean; node: number; free: number }>();
  machine.memmapPmem.forEach((p, i) => regions.set(p.name, { range: memmapPmem[i] as PhysRange, index: regions.size, legacy: true, node: 0, free: p.at }));
  for (const dimm of machine.nvdimms) {
    regions.set(dimm.name, { range: { start: next, end: next + dimm.size }, index: regions.size, legacy: false, node: dimm.node, free: next });
    next += dimm.size;
  }
  const counts = new Map<string, number>();
  const namespaces = machine.namespaces.flatMap((spec): PlacedNamespace[] => {
    const region = regions.get(spec.on);
    if (region === undefined) return [];
    const size = spec.size ?? region.range.end - region.free;
    const range = { start: region.free, end: region.free + size };
    region.free = range.end;
    const index = counts.get(spec.on) ?? 0;
    counts.set(spec.on, index + 1);
    return [{ spec, region: region.range, regionIndex: region.index, index, range, legacy: region.legacy, node: region.node }];
  });
  return { ram, namespaces, memmapPmem };
}

/** The first MiB belongs to firmware; the last pages below 2 GiB too, as on the machines that were measured. */
function ramRanges(machine: Machine): RamRange[] {
  const nodes = machine.nodes ?? [{ ram: machine.ram }];
  const ranges: RamRange[] = [];
  let at = 0;
  nodes.forEach((node, nid) => {
    let left = node.ram;
    const low = Math.min(left, Math.max(0, LOW_RAM_END - at));
    if (low > 0) {
      const start = at === 0 ? MiB : at;
      const end = at + low === LOW_RAM_END ? LOW_RAM_END - 0x25000 : at + low;
      ranges.push({ start, end, nid });
      at += low;
      left -= low;
    }
    if (left > 0) {
      const start = Math.max(at, ABOVE_4G);
      ranges.push({ start, end: start + left, nid });
      at = start + left;
    }
  });
  return ranges;
}

function carve(range: RamRange, holes: readonly PhysRange[]): RamRange[] {
  return holes.reduce<RamRange[]>((left, hole) => left.flatMap((r) => {
    if (hole.end <= r.start || hole.start >= r.end) return [r];
    return [{ ...r, end: hole.start }, { ...r, start: hole.end }].filter((part) => part.start < part.end);
  }), [range]);
}
