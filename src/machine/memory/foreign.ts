/**
 * What lies in a memory block besides System RAM. The kernel refuses to offline a block that is not System RAM from end
 * to end (mm/memory_hotplug.c, offline_pages(), walk_system_ram_range()), silently, with EINVAL; iomem is the only place
 * that shows it.
 */
import { gaps, intersect, union, type PhysRange } from '../../range/phys-range.ts';
import { isPersistent, isSystemRam, walkResources } from '../address-map/iomem.ts';
import type { AddressMap, Resource } from '../types/address-map.ts';
import type { ForeignRange } from '../types/memory.ts';

type Kind = ForeignRange['kind'];

function kindOf(name: string): Kind {
  if (isPersistent(name) || /^(namespace|dax|pmem)\d/.test(name)) return 'pmem';
  if (/reserved|ACPI|BIOS|ROM|Crash kernel|Unusable/i.test(name)) return 'reserved';
  return 'other';
}

/** System RAM and everything else of the map, prepared once for many blocks. */
const NOTHING: readonly ForeignRange[] = [];

export class ForeignFinder {
  private readonly ram: readonly PhysRange[];
  private readonly others: readonly ForeignRange[];
  private readonly known: boolean;

  constructor(map: AddressMap) {
    const ram: Resource[] = [];
    const others: ForeignRange[] = [];
    const visit = (resources: readonly Resource[], covered: boolean): void => {
      for (const resource of resources) {
        if (isSystemRam(resource.name)) {
          ram.push(resource);
          // Inside System RAM: boot reservations and the kernel image. Their pages exist and do not move.
          for (const { resource: inner } of walkResources(resource.children)) others.push({ start: inner.start, end: inner.end, what: inner.name, kind: 'kernel' });
        } else if (holdsRam(resource)) visit(resource.children, covered);
        else if (!covered) others.push({ start: resource.start, end: resource.end, what: resource.name, kind: kindOf(resource.name) });
      }
    };
    visit(map.resources, false);
    this.ram = union(ram);
    this.others = others.sort((a, b) => a.start - b.start);
    this.known = map.resources.length > 0;
  }

  /** In address order; empty where the map is not known. */
  in(block: PhysRange): readonly ForeignRange[] {
    if (!this.known) return NOTHING;
    const found: ForeignRange[] = [];
    for (let i = firstEndingAfter(this.others, block.start); i < this.others.length && this.others[i]!.start < block.end; i += 1) {
      const other = this.others[i]!;
      const part = intersect(other, block);
      if (part) found.push({ ...part, what: other.what, kind: other.kind });
    }
    const covered: PhysRange[] = [...found];
    const firstRam = firstEndingAfter(this.ram, block.start);
    // Most blocks of a large machine lie wholly in one range of System RAM and hold nothing else.
    if (found.length === 0 && firstRam < this.ram.length && this.ram[firstRam]!.start <= block.start && this.ram[firstRam]!.end >= block.end) return NOTHING;
    for (let i = firstRam; i < this.ram.length && this.ram[i]!.start < block.end; i += 1) covered.push(this.ram[i]!);
    const holes = gaps(block, covered).map((hole): ForeignRange => ({ ...hole, what: 'hole', kind: 'hole' }));
    return [...found, ...holes].sort((a, b) => a.start - b.start);
  }
}

const holdsRam = (resource: Resource): boolean => resource.children.some((c) => isSystemRam(c.name) || holdsRam(c));

/** Index of the first range that may reach beyond `address`; ranges are sorted by start and may nest one level. */
function firstEndingAfter(ranges: readonly PhysRange[], address: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle]!.start <= address) low = middle + 1;
    else high = middle;
  }
  // Step back over earlier ranges that contain the address; kernel and reserved ranges are few, so this stays short.
  let first = low;
  for (let i = low - 1; i >= 0 && low - i <= 64; i -= 1) if (ranges[i]!.end > address) first = i;
  return first;
}
