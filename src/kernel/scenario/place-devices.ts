/** Where the devices of a scenario lie: physical addresses and the names that a kernel would give. Pure. */
import { alignUp, type PhysRange } from '../../range/phys-range.ts';
import { GiB, MiB } from '../../range/units.ts';
import type { Machine, Namespace } from '../../scenario/layout.ts';
import type { RamRange } from '../mm/boot.ts';

/** RAM below this address; what does not fit goes above 4 GiB (QEMU q35, and most PCs). */
const LOW_RAM_END = 2 * GiB;
const ABOVE_4G = 4 * GiB;
/** CXL windows are multiples of 256 MiB (CXL 3.1, 9.18.1.3). */
const WINDOW_ALIGN = GiB / 4;

export interface PlacedNamespace {
  readonly spec: Namespace;
  /** The nvdimm, range or card it lies on, with its whole range. */
  readonly region: PhysRange;
  readonly regionIndex: number;
  /** Number within the region: namespaceR.N. */
  readonly index: number;
  readonly range: PhysRange;
  readonly legacy: boolean;
  /** The CXL card that it lies on, if it does. */
  readonly card: string | null;
  readonly node: number;
}

/** Memory that is no namespace: a DIMM, a virtio device, a CXL card. */
export interface PlacedMemory {
  readonly name: string;
  readonly kind: 'dimm' | 'virtio-mem' | 'virtio-pmem' | 'cxl';
  readonly range: PhysRange;
  readonly node: number;
}

export interface Placement {
  readonly ram: readonly RamRange[];
  /** Every region of persistent memory, in the order of its number. */
  readonly regions: readonly { readonly on: string; readonly range: PhysRange; readonly legacy: boolean }[];
  /** Those that are there from the start. */
  readonly namespaces: readonly PlacedNamespace[];
  /** Ranges of `memmap=SIZE!START`. */
  readonly memmapPmem: readonly PhysRange[];
  readonly memory: readonly PlacedMemory[];
  /** The window of the host bridge that all CXL cards lie in; null without cards. */
  readonly cxlWindow: PhysRange | null;
}

export function placeDevices(machine: Machine): Placement {
  const memmapPmem = machine.memmapPmem.map((p) => ({ start: p.at, end: p.at + p.size }));
  const ram = ramRanges(machine).flatMap((range) => carve(range, memmapPmem));
  let next = alignUp(Math.max(ABOVE_4G, ...ram.map((r) => r.end)), GiB / 8);
  const regions = new Map<string, { range: PhysRange; index: number; legacy: boolean; card?: boolean; node: number; free: number }>();
  machine.memmapPmem.forEach((p, i) => regions.set(p.name, { range: memmapPmem[i] as PhysRange, index: regions.size, legacy: true, node: 0, free: p.at }));
  for (const dimm of machine.nvdimms) {
    regions.set(dimm.name, { range: { start: next, end: next + dimm.size }, index: regions.size, legacy: false, node: dimm.node, free: next });
    next += dimm.size;
  }
  const memory: PlacedMemory[] = [];
  const place = (kind: PlacedMemory['kind'], name: string, size: number, node: number): PhysRange => {
    const range = { start: alignUp(next, GiB / 8), end: alignUp(next, GiB / 8) + size };
    memory.push({ name, kind, range, node });
    next = range.end;
    return range;
  };
  for (const dimm of machine.dimms) place('dimm', dimm.name, dimm.size, dimm.node);
  for (const vm of machine.virtioMem) place('virtio-mem', vm.name, vm.size, vm.node);
  for (const vp of machine.virtioPmem) place('virtio-pmem', vp.name, vp.size, 0);
  next = alignUp(next, WINDOW_ALIGN);
  const windowStart = next;
  const cardNode = machine.nodes?.length ?? 1;
  for (const card of machine.cxl) {
    const range = place('cxl', card.name, card.size, cardNode);
    if (card.memory === 'persistent') regions.set(card.name, { range, index: regions.size, legacy: false, card: true, node: 0, free: range.start });
  }
  const cxlWindow = machine.cxl.length === 0 ? null : { start: windowStart, end: alignUp(next, WINDOW_ALIGN) + WINDOW_ALIGN };
  const counts = new Map<string, number>();
  const namespaces = machine.namespaces.flatMap((spec): PlacedNamespace[] => {
    const region = regions.get(spec.on);
    if (region === undefined || spec.later) return [];
    const size = spec.size ?? region.range.end - region.free;
    const range = { start: region.free, end: region.free + size };
    region.free = range.end;
    const index = counts.get(spec.on) ?? 0;
    counts.set(spec.on, index + 1);
    return [{ spec, region: region.range, regionIndex: region.index, index, range, legacy: region.legacy, card: region.card === true ? spec.on : null, node: region.node }];
  });
  return { ram, regions: [...regions].map(([on, { range, legacy }]) => ({ on, range, legacy })), namespaces, memmapPmem, memory, cxlWindow };
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
