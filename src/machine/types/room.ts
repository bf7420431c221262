/** Whether what must leave some memory blocks has room elsewhere, with numbers. All sizes in bytes. */
export interface Room {
  /** Bytes in use on the leaving blocks that must be moved; null where their pages could not be read. */
  readonly movable: number | null;
  /** Bytes of huge pages among the leaving ones; null as above. */
  readonly hugetlb: number | null;
  /** Upper bound for `movable` where pages could not be read: size of the online blocks that leave. */
  readonly atMost: number;
  /** Nodes that lose all their memory. */
  readonly emptied: readonly number[];
  readonly receivers: readonly RoomOnNode[];
  readonly swapFree: number | null;
  readonly hugePages: readonly HugePool[];
  /** Cgroups and processes that may use no memory but that of the emptied nodes. The kernel moves their pages all the same. */
  readonly confined: readonly { readonly who: string; readonly memoryNodes: readonly number[]; readonly source: string }[];
  /**
   * Cgroups with a limit that have memory on the leaving nodes. The limit does not stop a migration (the charge moves along),
   * but bounds what can be swapped where room is tight, and the copies that `--detach` makes of private mappings.
   */
  readonly limited: readonly LimitedCgroup[];
  /** `no` only when it is certain from the numbers; `tight` when it needs reclaim or swap. */
  readonly fits: 'yes' | 'tight' | 'no' | 'unknown';
  /** One sentence with the numbers that decide. */
  readonly says: string;
}

export interface RoomOnNode {
  readonly node: number;
  /** Free now, without what is free on the leaving blocks and without the low watermark that the allocator keeps. */
  readonly free: number;
  /** File pages that can be dropped. */
  readonly reclaimable: number;
}

export interface HugePool {
  readonly node: number;
  /** Bytes of one huge page. */
  readonly pageSize: number;
  readonly total: number;
  readonly free: number;
}

/** Sizes in bytes; null where there is no limit or the file is not there. */
export interface LimitedCgroup {
  readonly who: string;
  readonly max: number | null;
  readonly current: number | null;
  readonly swapMax: number | null;
  readonly swapCurrent: number | null;
  /** Of its memory, what lies on the nodes of the leaving blocks. */
  readonly onNodes: number | null;
  readonly source: string;
}
