/**
 * What the rules and blockers look at: the machine as it concerns one leaf device (one that contains no other), in
 * the words of the rules. Pure; everything comes from the inventory.
 */
import type { Machine } from '../../machine/machine.ts';
import { offlineObstacles, type OfflineObstacle } from '../../machine/memory/obstacles.ts';
import { displayName } from '../../host/names.ts';
import type { Device } from '../../machine/types/device.ts';
import { LONG_TERM, type Holder, type HeldMapping, type MemmapHolder, type MountHolder, type Pin, type ProcessHolder, type StackHolder, type SwapHolder } from '../../machine/types/holder.ts';
import type { MemoryBlock } from '../../machine/types/memory.ts';
import { valueOf } from '../../profile/build.ts';
import type { Profile } from '../../profile/profile.ts';
import { alignOutward, overlaps, type PhysRange } from '../../range/phys-range.ts';
import { geometryOf, KiB, type MemoryGeometry } from '../../range/units.ts';
import { blindness } from './sight.ts';

export type Known = 'yes' | 'no' | 'unknown';

/** What was found out besides the inventory, by device id. */
export interface KnownFacts {
  readonly rmapbt?: Readonly<Record<string, Known>>;
}

export interface LeafFacts {
  readonly machine: Machine;
  readonly profile: Profile;
  readonly device: Device;
  /** How it goes: by its own driver or hardware, or because a CXL memdev, region or slot above it goes. */
  readonly through: 'self' | 'cxl';
  /** What the forecast is asked for: the event, and the kind of the device that goes, itself or what it is in. */
  readonly going?: { readonly event: 'unbind' | 'pull'; readonly kind: Device['kind'] };
  /** Why its list of holders may be short; null where all was seen. */
  readonly blind: string | null;
  readonly mounts: readonly MountHolder[];
  readonly fs: 'ext4' | 'xfs' | 'other' | null;
  /** A DAX mount, or a character device: mappings go straight to the memory. */
  readonly direct: boolean;
  /** XFS reverse-mapping btree, from the superblock where it could be read (xfs-features.ts). */
  readonly rmapbt: Known;
  /** Processes with a mapping / with an open file / with cwd or root there. */
  readonly mapped: readonly ProcessHolder[];
  readonly openers: readonly ProcessHolder[];
  readonly inside: readonly ProcessHolder[];
  readonly processes: readonly ProcessHolder[];
  /** Mappings that can be PMD entries (2 MiB on x86-64), and those that cannot. */
  readonly hugeMapped: readonly ProcessHolder[];
  readonly smallMapped: readonly ProcessHolder[];
  /** Mappings of files that have a name, and of files without: with the last holder of one of those its inode goes. */
  readonly namedMapped: readonly ProcessHolder[];
  readonly unlinkedMapped: readonly ProcessHolder[];
  /** Pins seen or possible on this memory. */
  readonly pins: readonly { readonly process: ProcessHolder; readonly pin: Pin }[];
  /**
   * What becomes of the struct pages at unbind: `gone` with the memmap, also beside neighbours in the section (the memmap of
   * a sub-section is whole pages; seen on 6.12, 6.18 and 7.2: scenarios/namespaces-one-section-exit); `early`: a section
   * made at boot keeps its memmap (mm/sparse.c, section_deactivate()).
   */
  readonly memmap: 'gone' | 'early';
  readonly swaps: readonly SwapHolder[];
  readonly stack: readonly StackHolder[];
  readonly memmaps: readonly MemmapHolder[];
  readonly online: readonly MemoryBlock[];
  /** Why online blocks will not go offline, as far as it is known. */
  readonly obstacles: readonly (OfflineObstacle & { readonly block: MemoryBlock })[];
  /** Online blocks that hold a page which certainly cannot move. */
  readonly unmovable: readonly MemoryBlock[];
  /** Online blocks outside ZONE_MOVABLE whose pages were not looked at. */
  readonly maybeUnmovable: readonly MemoryBlock[];
}

/** Taken where architecture or page size are not known: x86-64, which all that was measured ran on. */
const MEASURED: MemoryGeometry = geometryOf('x86_64', 4 * KiB)!;
const geometry = ({ kernel }: Machine): MemoryGeometry => (kernel.arch === null ? MEASURED : geometryOf(kernel.arch, kernel.pageSize ?? MEASURED.pageSize) ?? MEASURED);

/** True on an architecture or page size other than that of the measurements: what follows from page tables is likely at best. */
export const notMeasuredHere = ({ kernel }: Machine): boolean => (kernel.arch !== null && kernel.arch !== 'x86_64') || (kernel.pageSize !== null && kernel.pageSize !== MEASURED.pageSize);

/** True when `mapping` covers a whole aligned unit of `pmdSize` bytes at a congruent file offset, so that a PMD entry is possible. */
export function canBeHuge(mapping: HeldMapping, pmdSize: number = MEASURED.pmdSize): boolean {
  const first = Math.ceil(mapping.start / pmdSize) * pmdSize;
  return first + pmdSize <= mapping.end && (mapping.start - mapping.offset) % pmdSize === 0;
}

const of = <K extends Holder['kind']>(holders: readonly Holder[], kind: K): Extract<Holder, { kind: K }>[] =>
  holders.filter((h): h is Extract<Holder, { kind: K }> => h.kind === kind);

const fsOf = (mounts: readonly MountHolder[]): LeafFacts['fs'] => {
  const type = mounts[0]?.fsType;
  return type === undefined ? null : type === 'ext4' || type === 'xfs' ? type : 'other';
};

const CHARACTER = ['devdax', 'kmem', 'unbound'];

export function leafFacts(machine: Machine, profile: Profile, device: Device, through: LeafFacts['through'], known: KnownFacts = {}): LeafFacts {
  const holders = machine.holders[device.id] ?? [];
  const processes = of(holders, 'process');
  const mounts = of(holders, 'mount');
  const character = CHARACTER.includes(device.kind);
  const mapped = processes.filter((p) => p.mappings.length > 0);
  const online = blocksOf(machine, device).filter((b) => b.state !== 'offline');
  const { pmdSize } = geometry(machine);
  const obstacles = online.flatMap((block) => offlineObstacles(block).map((o) => ({ ...o, block })));
  return {
    machine, profile, device, through,
    blind: blindness(machine, device),
    mounts, fs: fsOf(mounts),
    direct: character || mounts.some((m) => m.dax !== null && m.dax !== 'never'),
    rmapbt: known.rmapbt?.[device.id] ?? 'unknown',
    mapped, processes,
    openers: processes.filter((p) => p.files.length > 0),
    inside: processes.filter((p) => p.cwd !== null || p.root !== null),
    hugeMapped: mapped.filter((p) => p.mappings.some((m) => canBeHuge(m, pmdSize))),
    smallMapped: mapped.filter((p) => p.mappings.some((m) => !canBeHuge(m, pmdSize))),
    namedMapped: mapped.filter((p) => p.mappings.some((m) => !m.deleted)),
    unlinkedMapped: mapped.filter((p) => p.mappings.some((m) => m.deleted)),
    pins: processes.flatMap((process) => process.pins.map((pin) => ({ process, pin }))).filter(({ pin }) => character || valueOf(profile, 'gup.longterm-on-fsdax') || !LONG_TERM.includes(pin.kind)),
    memmap: memmapFate(machine, device),
    swaps: of(holders, 'swap'), stack: of(holders, 'stack'), memmaps: of(holders, 'memmap'),
    online, obstacles,
    unmovable: [...new Set(obstacles.filter((o) => o.errno === 'EBUSY').map((o) => o.block))],
    maybeUnmovable: online.filter((b) => b.pages === undefined && !isMovableZone(b)),
  };
}

function memmapFate(machine: Machine, device: Device): LeafFacts['memmap'] {
  const { sectionSize } = geometry(machine);
  const wide = device.ranges.map((r) => alignOutward(r, sectionSize));
  const inside = (r: PhysRange): boolean => wide.some((w) => overlaps(w, r));
  return device.blocks.length === 0 && machine.memory.blocks.some(inside) ? 'early' : 'gone';
}

export function blocksOf(machine: Machine, device: Device): MemoryBlock[] {
  const wanted = new Set(device.blocks);
  return machine.memory.blocks.filter((b) => wanted.has(b.index));
}

export const isMovableZone = (b: MemoryBlock): boolean => b.validZones?.[0] === 'Movable';

/** `pid 150 (h)`. */
export const who = (p: ProcessHolder): string => `pid ${p.pid} (${displayName(p.comm)})`;
/** Names for a sentence: at most six; the blockers of a plan name everybody. */
export const everybody = (list: readonly ProcessHolder[]): string => (list.length > 7 ? `${list.slice(0, 6).map(who).join(', ')} and ${list.length - 6} more` : list.map(who).join(', '));
export const mountNames = (list: readonly MountHolder[]): string => [...new Set(list.map((m) => displayName(m.mountPoint)))].join(', ');
