/** Memory blocks: what a device-dax range yields as System RAM, and which RAM blocks can never go offline. */
import { valueOf } from '../../profile/build.ts';
import type { Profile } from '../../profile/profile.ts';
import { alignDown, alignInward, alignUp, gaps, intersect, type PhysRange, rangeSize, union } from '../../range/phys-range.ts';
import { formatBytes, MiB } from '../../range/units.ts';
import type { BlockVerdict, BlockYield, LayoutMachine, LayoutRange } from './types.ts';

/** Whole blocks inside a device-dax range: drivers/dax/kmem.c, dax_kmem_range(). */
export function blockYield(dax: PhysRange | null, name: string, blockSize: number, profile: Profile): BlockYield {
  if (dax === null) return { from: null, blocks: 0, bytes: 0, range: null, lost: 0, says: null };
  const whole = alignInward(dax, blockSize);
  const bytes = rangeSize(whole);
  const lost = rangeSize(dax) - bytes;
  const speaks = lost > 0 && bytes > 0 && valueOf(profile, 'ram.kmem-says-truncated');
  return {
    from: dax, blocks: bytes / blockSize, bytes, range: bytes > 0 ? whole : null, lost,
    says: speaks ? `kmem ${name}: DAX region truncated by ${Math.floor(lost / MiB)} MiB due to alignment` : null,
  };
}

/** Every block that holds System RAM together with something else (or with nothing: a hole), in order. */
export function mixedBlocks(ranges: readonly LayoutRange[], machine: LayoutMachine, profile: Profile): BlockVerdict[] {
  const ram = ranges.filter((r) => r.kind === 'ram');
  const indexes = new Set<number>();
  const edges = [...ranges.flatMap((r) => [r.start, r.end - 1])];
  for (const address of edges) indexes.add(Math.floor(address / machine.blockSize));
  const found: BlockVerdict[] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const block = { start: index * machine.blockSize, end: (index + 1) * machine.blockSize };
    const inside = ram.map((r) => intersect(r, block)).filter((r): r is PhysRange => r !== null);
    const ramBytes = union(inside).reduce((sum, r) => sum + rangeSize(r), 0);
    if (ramBytes === 0 || ramBytes === rangeSize(block)) continue;
    found.push(verdict(index, block, ramBytes, foreignIn(block, ranges, inside), profile));
  }
  return found;
}

function foreignIn(block: PhysRange, ranges: readonly LayoutRange[], ram: readonly PhysRange[]): BlockVerdict['foreign'] {
  const known = ranges.filter((r) => r.kind !== 'ram').flatMap((r) => {
    const part = intersect(r, block);
    return part ? [{ ...part, what: r.kind as 'pmem' | 'reserved' }] : [];
  });
  const holes = gaps(block, [...ram, ...known]).map((r) => ({ ...r, what: 'hole' as const }));
  return [...known, ...holes].sort((a, b) => a.start - b.start);
}

function verdict(index: number, block: PhysRange, ramBytes: number, foreign: BlockVerdict['foreign'], profile: Profile): BlockVerdict {
  const what = [...new Set(foreign.map((f) => f.what))].join(' and ');
  const rest = rangeSize(block) - ramBytes;
  const check = valueOf(profile, 'block.hole-check');
  if (check === 'resource-walk') {
    return { index, ...block, ramBytes, foreign, canGoOffline: false, because: `it also holds ${what} (${formatBytes(rest)} that are not System RAM): offline says EINVAL at once and logs nothing; valid_zones and removable give no hint` };
  }
  return { index, ...block, ramBytes, foreign, canGoOffline: false, because: `it also holds ${what} (${formatBytes(rest)} that are not System RAM), whose pages are PG_reserved: offline says EBUSY or EINVAL` };
}

/** Sections that a range touches, first and last. */
export const sectionsOf = (r: PhysRange, sectionSize: number): readonly [number, number] =>
  [Math.floor(alignDown(r.start, sectionSize) / sectionSize), Math.floor(alignUp(r.end, sectionSize) / sectionSize) - 1];
