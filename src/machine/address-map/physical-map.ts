/** The physical address map with what an operator asks of it. Plain data, half-open ranges in bytes; `map --json` prints it. */
import { intersect, type PhysRange } from '../../range/phys-range.ts';
import { geometryOf } from '../../range/units.ts';
import type { Machine } from '../machine.ts';
import type { BlockState } from '../types/memory.ts';
import { collisionsOf, type Collision } from './collisions.ts';
import { segmentsOf, type Segment } from './segments.ts';

export interface PhysicalMap {
  readonly host: Machine['host'];
  /** `iomem`; `memory-blocks` where iomem is hidden or not there, and nothing but System RAM is known. */
  readonly source: 'iomem' | 'memory-blocks';
  /** The part that was asked for; null for all. */
  readonly range: PhysRange | null;
  /** Bytes; null where the architecture is not known. */
  readonly sectionSize: number | null;
  readonly blockSize: number | null;
  readonly segments: readonly Segment[];
  readonly blocks: readonly (PhysRange & { readonly index: number; readonly state: BlockState; readonly zone: string | null; readonly nodes: readonly number[] })[];
  readonly collisions: readonly Collision[];
  readonly notes: Machine['notes'];
}

/** Sections are left out where the architecture is not known. */
export function physicalMap(machine: Machine, range: PhysRange | null = null): PhysicalMap {
  const { arch, pageSize } = machine.kernel;
  const sectionSize = arch !== null && pageSize !== null ? (geometryOf(arch, pageSize)?.sectionSize ?? null) : null;
  const all = segmentsOf(machine);
  const cut = <T extends PhysRange>(items: readonly T[]): T[] => range === null ? [...items] : items.flatMap((item) => {
    const part = intersect(item, range);
    return part === null ? [] : [{ ...item, ...part }];
  });
  const touching = <T extends PhysRange>(items: readonly T[]): T[] => items.filter((item) => range === null || intersect(item, range) !== null);
  return {
    host: machine.host,
    source: machine.addressMap.resources.length > 0 ? 'iomem' : 'memory-blocks',
    range, sectionSize,
    blockSize: machine.memory.blockSize,
    segments: cut(all),
    blocks: touching(machine.memory.blocks).map((b) => ({ start: b.start, end: b.end, index: b.index, state: b.state, zone: b.validZones?.length === 1 && b.validZones[0] !== 'none' ? b.validZones[0]! : null, nodes: b.nodes })),
    collisions: sectionSize === null ? [] : touching(collisionsOf(all, sectionSize, machine.memory.blocks)),
    notes: machine.notes.filter((n) => n.subject === '/proc/iomem' || n.code === 'unknown-geometry'),
  };
}
