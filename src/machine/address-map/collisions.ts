/**
 * Sections that several owners share. Since 5.3 memory is added and removed in sub-sections of 2 MiB where no memory
 * block is made (mm/sparse.c, section_activate()); System RAM still comes and goes in whole blocks. So RAM beside pmem
 * pins the block, pmem beside pmem is harmless, and two owners in one sub-section are refused.
 */
import { alignDown, overlaps, union, type PhysRange } from '../../range/phys-range.ts';
import { formatRange, SUBSECTION_SIZE } from '../../range/units.ts';
import type { MemoryBlock } from '../types/memory.ts';
import type { Segment, SegmentKind } from './segments.ts';

export interface Collision extends PhysRange {
  /** Section number. */
  readonly section: number;
  readonly owners: readonly { readonly name: string; readonly ranges: readonly PhysRange[] }[];
  /** `block`: System RAM shares a memory block with other memory. `sub-section`: two owners in one 2 MiB sub-section. `section`: only the section is shared. */
  readonly kind: 'block' | 'section' | 'sub-section';
  /** Memory blocks that cannot go offline for it. */
  readonly blocks: readonly number[];
  /** One sentence: what follows from it. */
  readonly says: string;
}

const RAM_KINDS: ReadonlySet<SegmentKind> = new Set<SegmentKind>(['ram', 'ram-offline', 'kernel', 'kmem', 'virtio-mem']);

/** What has struct pages, or would take them from its neighbour: memory that nobody has bound does neither. */
const OWNED: ReadonlySet<SegmentKind> = new Set<SegmentKind>([...RAM_KINDS, 'pmem', 'info-block', 'devdax']);

/** Boot memory is one owner; every removable device and every persistent range is one of its own. */
const ownerOf = (s: Segment): string => s.device ?? (RAM_KINDS.has(s.kind) ? 'System RAM' : s.names.at(-1)!);

export function collisionsOf(segments: readonly Segment[], sectionSize: number, blocks: readonly MemoryBlock[]): Collision[] {
  const bySection = new Map<number, Segment[]>();
  for (const segment of segments) {
    if (!OWNED.has(segment.kind)) continue;
    // Only a segment's ends can share a section with somebody else.
    for (const address of new Set([alignDown(segment.start, sectionSize), alignDown(segment.end - 1, sectionSize)])) {
      const section = address / sectionSize;
      bySection.set(section, [...(bySection.get(section) ?? []), segment]);
    }
  }
  return [...bySection].sort(([a], [b]) => a - b).flatMap(([section, found]) => collisionIn(section, sectionSize, found, blocks) ?? []);
}

function collisionIn(section: number, sectionSize: number, segments: readonly Segment[], blocks: readonly MemoryBlock[]): Collision | null {
  const range = { start: section * sectionSize, end: (section + 1) * sectionSize };
  const owners = new Map<string, PhysRange[]>();
  for (const s of segments) owners.set(ownerOf(s), [...(owners.get(ownerOf(s)) ?? []), { start: Math.max(s.start, range.start), end: Math.min(s.end, range.end) }]);
  if (owners.size < 2) return null;
  const hasRam = segments.some((s) => RAM_KINDS.has(s.kind));
  const hasOther = segments.some((s) => !RAM_KINDS.has(s.kind));
  const stuck = hasRam && hasOther ? blocks.filter((b) => overlaps(b, range) && segments.some((s) => RAM_KINDS.has(s.kind) && overlaps(s, b)) && segments.some((s) => !RAM_KINDS.has(s.kind) && overlaps(s, b))).map((b) => b.index) : [];
  const shared = sharedSubsection([...owners.values()]);
  const kind = shared !== null ? 'sub-section' : stuck.length > 0 ? 'block' : 'section';
  return { section, ...range, kind, blocks: stuck, owners: [...owners].map(([name, ranges]) => ({ name, ranges: union(ranges) })), says: says(kind, stuck, shared) };
}

function sharedSubsection(owners: readonly (readonly PhysRange[])[]): PhysRange | null {
  const taken = new Map<number, number>();
  for (const [owner, ranges] of owners.entries()) {
    for (const r of ranges) {
      for (const at of [alignDown(r.start, SUBSECTION_SIZE), alignDown(r.end - 1, SUBSECTION_SIZE)]) {
        const before = taken.get(at);
        if (before !== undefined && before !== owner) return { start: at, end: at + SUBSECTION_SIZE };
        taken.set(at, owner);
      }
    }
  }
  return null;
}

function says(kind: Collision['kind'], blocks: readonly number[], shared: PhysRange | null): string {
  const stuck = blocks.length > 0 ? `${blocks.map((b) => `memory${b}`).join(', ')} cannot go offline (EINVAL, without a message)` : '';
  if (kind === 'sub-section') return `two owners share the sub-section ${formatRange(shared!)}: only one of them can have struct pages there${stuck === '' ? '' : `; ${stuck}`}`;
  if (kind === 'block') return stuck;
  return 'each can come and go without the other, in sub-sections of 2 MiB (5.3 and later)';
}
