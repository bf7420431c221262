/**
 * The address map as a flat list: what lies where, each byte once, in the words of an operator. Made from iomem; where
 * iomem is hidden or missing, from the memory blocks, which then are all that is known.
 */
import { contains, intersect, overlaps, type PhysRange } from '../../range/phys-range.ts';
import type { Machine } from '../machine.ts';
import type { Resource } from '../types/address-map.ts';
import type { Device } from '../types/device.ts';
import type { MemoryBlock } from '../types/memory.ts';
import { isPersistent, isSystemRam } from './iomem.ts';

export type SegmentKind =
  | 'ram' | 'ram-offline' | 'kernel' | 'kmem' | 'virtio-mem' | 'unplugged'
  | 'pmem' | 'pmem-free' | 'pmem-unbound' | 'lost' | 'info-block' | 'devdax' | 'cxl-region' | 'cxl-window' | 'soft-reserved' | 'reserved' | 'device';

/** Kinds that are memory, as opposed to device registers, firmware's own and windows that nothing backs. */
export const MEMORY_KINDS: ReadonlySet<SegmentKind> = new Set(['ram', 'ram-offline', 'kernel', 'kmem', 'virtio-mem', 'unplugged', 'pmem', 'pmem-free', 'pmem-unbound', 'lost', 'info-block', 'devdax', 'cxl-region', 'soft-reserved']);

export interface Segment extends PhysRange {
  readonly kind: SegmentKind;
  /** Names in iomem from the outermost to the innermost; `memory block` where only the block is known. */
  readonly names: readonly string[];
  /** Id of the removable device that it belongs to; null for boot memory and everything else. */
  readonly device: string | null;
}

export function segmentsOf(machine: Machine): Segment[] {
  const { resources } = machine.addressMap;
  const flat = resources.length > 0 ? flatten(resources, []) : machine.memory.blocks.map((b): Flat => ({ start: b.start, end: b.end, names: ['memory block'] }));
  const owners = machine.devices.filter((d) => d.kind !== 'memory-block' && d.contains.length === 0);
  const offline = machine.memory.blocks.filter((b) => b.state === 'offline');
  return merged(flat.flatMap((f) => split(f, machine, owners, offline)));
}

interface Flat extends PhysRange {
  readonly names: readonly string[];
}

/** A resource's own bytes are those that none of its children has. */
function flatten(resources: readonly Resource[], above: readonly string[]): Flat[] {
  const flat: Flat[] = [];
  for (const resource of resources) {
    const names = [...above, resource.name];
    let at = resource.start;
    for (const child of [...resource.children].sort((a, b) => a.start - b.start)) {
      const part = intersect(child, { start: at, end: resource.end });
      if (part === null) continue;
      if (at < part.start) flat.push({ start: at, end: part.start, names });
      flat.push(...flatten([{ ...child, ...part }], names));
      at = part.end;
    }
    if (at < resource.end) flat.push({ start: at, end: resource.end, names });
  }
  return flat;
}

/** One kind for each piece: RAM is cut where blocks are offline, free pmem where kmem leaves a rest or a namespace is not bound. */
function split(flat: Flat, machine: Machine, owners: readonly Device[], offline: readonly MemoryBlock[]): Segment[] {
  const kind = kindOf(flat.names, machine);
  const whole: Segment = { ...flat, kind, device: kind === 'pmem-free' ? null : ownerOf(flat, owners) };
  if (kind === 'ram' || kind === 'kmem' || kind === 'virtio-mem') return cut(whole, offline.map((b) => ({ start: b.start, end: b.end, kind: 'ram-offline' as const, device: whole.device })));
  if (kind !== 'pmem-free') return [whole];
  const claims = owners.flatMap((d) => d.kind === 'kmem' || d.kind === 'unbound' ? d.ranges.map((r) => ({ start: r.start, end: r.end, kind: d.kind === 'kmem' ? 'lost' as const : 'pmem-unbound' as const, device: d.id })) : []);
  return cut(whole, claims);
}

function cut(whole: Segment, pieces: readonly (PhysRange & Pick<Segment, 'kind' | 'device'>)[]): Segment[] {
  const parts: Segment[] = [];
  let at = whole.start;
  for (const piece of pieces.filter((p) => overlaps(p, whole)).sort((a, b) => a.start - b.start)) {
    const part = intersect(piece, { start: at, end: whole.end });
    if (part === null) continue;
    if (at < part.start) parts.push({ ...whole, start: at, end: part.start });
    parts.push({ ...whole, ...part, kind: piece.kind, device: piece.device });
    at = part.end;
  }
  if (at < whole.end) parts.push({ ...whole, start: at });
  return parts;
}

function kindOf(names: readonly string[], machine: Machine): SegmentKind {
  const inner = names.at(-1)!;
  const ram = names.findLast(isSystemRam);
  if (inner === 'memory block' || inner === 'System RAM') return 'ram';
  if (inner === 'System RAM (kmem)') return 'kmem';
  if (inner === 'System RAM (virtio_mem)') return 'virtio-mem';
  if (ram !== undefined) return isSystemRam(inner) ? 'ram' : 'kernel';
  if (/^dax\d+\.\d+$/.test(inner)) return 'devdax';
  if (/^namespace\d+\.\d+$/.test(inner)) return isInfoBlock(inner, machine) ? 'info-block' : 'pmem';
  if (isPersistent(inner)) return 'pmem-free';
  if (/^region\d+$/.test(inner)) return names.some(isPersistent) ? 'pmem-free' : 'cxl-region';
  if (inner.startsWith('CXL Window')) return 'cxl-window';
  if (inner === 'Soft Reserved') return 'soft-reserved';
  if (machine.virtioMem.some((v) => v.name === inner)) return 'unplugged';
  return /reserved|ACPI|BIOS|ROM|NVS|RAM buffer/i.test(inner) ? 'reserved' : 'device';
}

/** While a devdax namespace is bound, only its info block goes by the namespace's name. */
const isInfoBlock = (name: string, machine: Machine): boolean =>
  machine.nvdimm.some((bus) => bus.regions.some((r) => r.namespaces.some((n) => n.name === name && n.mode === 'devdax' && n.chardev !== null)));

function ownerOf(flat: Flat, owners: readonly Device[]): string | null {
  const named = owners.find((d) => flat.names.some((name) => name === d.name || d.aliases.includes(name)) && (d.ranges.length === 0 || d.ranges.some((r) => overlaps(r, flat)) || flat.names.some((n) => d.aliases.includes(n))));
  return (named ?? owners.find((d) => d.kind === 'dimm' && d.ranges.some((r) => contains(r, flat))))?.id ?? null;
}

/** Neighbours that touch and are the same thing become one. */
function merged(segments: readonly Segment[]): Segment[] {
  const found: Segment[] = [];
  for (const next of [...segments].sort((a, b) => a.start - b.start)) {
    const last = found.at(-1);
    if (last && last.end === next.start && last.kind === next.kind && last.device === next.device && last.names.join('/') === next.names.join('/')) found[found.length - 1] = { ...last, end: next.end };
    else found.push(next);
  }
  return found;
}
