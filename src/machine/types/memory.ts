import type { PhysRange } from '../../range/phys-range.ts';

/** Words of /sys/devices/system/memory/memoryN/state (drivers/base/memory.c). */
export type BlockState = 'online' | 'offline' | 'going-offline' | 'unknown';

/** One memory block: the unit of online and offline. */
export interface MemoryBlock extends PhysRange {
  /** N of memoryN. */
  readonly index: number;
  readonly state: BlockState;
  /** Words of `valid_zones` as read (`Normal Movable`, `none`), split; null where the file is not there. */
  readonly validZones: readonly string[] | null;
  /** NUMA nodes that list the block. Two for a block that spans nodes. */
  readonly nodes: readonly number[];
  /** `removable` as read: 1 on every current kernel, whatever the truth. */
  readonly removable: boolean | null;
  /**
   * What lies in the block besides plain System RAM, in address order; from iomem. `hole`, `pmem`, `reserved` and `other`
   * are no System RAM to the kernel: with one of them the block cannot go offline. `kernel` lies inside System RAM: the
   * kernel image, crash kernel and boot reservations, whose pages do not move.
   */
  readonly foreign: readonly ForeignRange[];
  /** Page contents, only for blocks in question; absent where it was not asked for or cannot be read. */
  readonly pages?: BlockPages;
}

export interface ForeignRange extends PhysRange {
  /** For people: `hole`, or the name in iomem. */
  readonly what: string;
  readonly kind: 'hole' | 'pmem' | 'reserved' | 'kernel' | 'other';
}

/** Pages of one block by what kpageflags tells. Counts of base pages. Flags tell neither pins nor free tails. */
export interface BlockPages {
  readonly movable: number;
  readonly hugetlb: number;
  readonly kernel: number;
  readonly slab: number;
  readonly pageTables: number;
  readonly reserved: number;
  readonly poisoned: number;
  readonly free: number;
  readonly offline: number;
  readonly unknown: number;
  /** Pages that hold the block's own memmap (memmap_on_memory); they go with the block and hinder nothing. */
  readonly memmap?: number;
  /** First pfn of the first page that certainly cannot move, for people to look at. */
  readonly firstUnmovablePfn?: number;
}

export interface MemoryNode {
  readonly id: number;
  readonly online: boolean;
  readonly hasCpu: boolean;
  /** Bytes, from node meminfo; null where not readable. */
  readonly total: number | null;
  readonly free: number | null;
  readonly hugePagesTotal: number | null;
  readonly hugePagesFree: number | null;
  /** Abstract distance tier (/sys/devices/virtual/memory_tiering), where the kernel has it. */
  readonly tier: string | null;
  readonly zones: readonly { readonly name: string; readonly managedPages: number; readonly presentPages: number; readonly spannedPages: number; readonly startPfn: number }[];
}

export interface MemoryInventory {
  /** Bytes; null where memory hotplug is not there. */
  readonly blockSize: number | null;
  readonly blocks: readonly MemoryBlock[];
  readonly nodes: readonly MemoryNode[];
  readonly autoOnline: string | null;
  readonly memmapOnMemory: string | null;
  readonly hardwareCorruptedBytes: number | null;
  readonly swapFreeBytes: number | null;
  readonly availableBytes: number | null;
  /** `memhp_default_state=` of the command line; null where it is not given. */
  readonly memhpDefaultState?: string | null;
  /** CONFIG of the kernel's own default where `/sys/module/memory_hotplug/parameters/online_policy` shows it. */
  readonly onlinePolicy?: string | null;
}

/** A program or setting that acts on memory or devices behind our back. */
export interface Rival {
  readonly kind: 'auto-online' | 'cmdline' | 'udev-rule' | 'service' | 'monitor';
  /** File, parameter or process. */
  readonly where: string;
  /** What it does to us, one sentence. */
  readonly effect: string;
  readonly pid?: number;
}
