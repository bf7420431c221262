/** What `layout` answers: plain data, sizes and addresses in bytes, ranges half open. */
import type { PhysRange } from '../../range/phys-range.ts';
import type { MemoryGeometry } from '../../range/units.ts';

export type LayoutKind = 'ram' | 'pmem' | 'reserved';

export interface LayoutRange extends PhysRange {
  readonly kind: LayoutKind;
  /** Where it came from: the argument as given, or a line of iomem. */
  readonly text: string;
}

export interface LayoutMachine {
  readonly geometry: MemoryGeometry;
  /** Bytes of a memory block; a multiple of the section size. */
  readonly blockSize: number;
}

/** How a range can be used; the words are those of `ndctl create-namespace` (-m and -M). */
export type LayoutMode = 'raw' | 'fsdax-mem' | 'fsdax-dev' | 'devdax' | 'sector';

export interface LayoutError {
  /** Who refuses: the kernel (with its log line) or ndctl in user space. */
  readonly from: 'kernel' | 'ndctl';
  readonly text: string;
  /** Errno name for the kernel, exit status for ndctl. */
  readonly code: string;
}

export interface ModeVerdict {
  readonly mode: LayoutMode;
  /** Who sets it up: the kernel at boot, `ndctl create-namespace`, or writes to sysfs by hand. */
  readonly by: 'boot' | 'ndctl' | 'sysfs';
  readonly works: boolean;
  /** The bytes that can be used, after info block, struct pages and padding; null where it does not work. */
  readonly usable: PhysRange | null;
  /** Bytes lost at the start and the end to alignment (not to the info block). */
  readonly lostAtStart: number;
  readonly lostAtEnd: number;
  readonly errors: readonly LayoutError[];
  /** Something that works and is not sound, or that the kernel logs although it works. */
  readonly remark: string | null;
}

export interface Neighbour {
  /** Section that the two share. */
  readonly section: number;
  readonly with: LayoutRange;
  /** True when they meet inside one 2 MiB sub-section. */
  readonly sameSubSection: boolean;
  /** True when this kernel generation cannot keep the two apart. */
  readonly collides: boolean;
}

/** What kmem would make of it as a device-dax device. */
export interface BlockYield {
  /** The device-dax range (after the info block). */
  readonly from: PhysRange | null;
  readonly blocks: number;
  readonly bytes: number;
  readonly range: PhysRange | null;
  readonly lost: number;
  /** The line that kmem logs about the loss; null where this kernel says nothing. */
  readonly says: string | null;
}

export interface RangeVerdict {
  readonly range: LayoutRange;
  /** `region0`, in address order of the pmem ranges. */
  readonly region: string;
  readonly fits: 'yes' | 'partly' | 'no';
  readonly sections: readonly [number, number];
  readonly modes: readonly ModeVerdict[];
  readonly neighbours: readonly Neighbour[];
  readonly asRam: BlockYield;
}

/** A memory block that holds System RAM and something else. */
export interface BlockVerdict extends PhysRange {
  readonly index: number;
  readonly ramBytes: number;
  readonly foreign: readonly (PhysRange & { readonly what: 'pmem' | 'reserved' | 'hole' })[];
  /** Whether `offline` can ever succeed on it. */
  readonly canGoOffline: boolean;
  readonly because: string;
}

export interface GenerationVerdict {
  /** Profiles that answer alike, oldest first: `5.10`, ..., `7.2`. */
  readonly profiles: readonly string[];
  readonly ranges: readonly RangeVerdict[];
  readonly blocks: readonly BlockVerdict[];
}

export interface LayoutReport {
  readonly blockSize: number;
  readonly sectionSize: number;
  readonly subSectionSize: number;
  readonly ranges: readonly LayoutRange[];
  /** Ranges that claim the same bytes. */
  readonly overlaps: readonly { readonly a: LayoutRange; readonly b: LayoutRange; readonly common: PhysRange }[];
  readonly generations: readonly GenerationVerdict[];
}
