/**
 * Words of /proc/kpageflags. Source: include/uapi/linux/kernel-page-flags.h, fs/proc/page.c stable_page_flags(); what
 * they are worth was measured on 5.10 to 7.2 (docs/kernel-truth, part B, 3(d), 4 and 5): a pinned page carries no flag at
 * all; 6.12 sets KSM on every anonymous page; every page of a free block has BUDDY, but free pages on a CPU's own list
 * have no flag, like other kernel allocations; offline and ZONE_DEVICE pages read NOPAGE (6.12) or nothing (7.2).
 */
const bit = (n: number): number => (1 << n) >>> 0;

/** Bits of the low 32-bit half. */
export const LOW = {
  uptodate: bit(3), lru: bit(5), slab: bit(7), buddy: bit(10), anon: bit(12), swapbacked: bit(14), huge: bit(17), unevictable: bit(18),
  hwpoison: bit(19), nopage: bit(20), offline: bit(23), zeroPage: bit(24), pgtable: bit(26),
} as const;

/** Bits of the high half; the kernel calls them unstable (kernel-page-flags.h, "kernel hacking assistances"). */
export const HIGH = { reserved: bit(0), ownerPrivate: bit(37 - 32) } as const;

export const PAGE_CLASSES = ['movable', 'hugetlb', 'kernel', 'slab', 'pageTables', 'reserved', 'poisoned', 'free', 'offline', 'unknown', 'memmap'] as const;
export type PageClass = (typeof PAGE_CLASSES)[number];

const INDEX = Object.fromEntries(PAGE_CLASSES.map((name, index) => [name, index])) as Record<PageClass, number>;
const PAGE_CACHE_OR_ANON = LOW.lru | LOW.anon | LOW.swapbacked | LOW.uptodate | LOW.unevictable;
const ALL_ONES = 0xffffffff;

/** How a page without any flag counts: in ZONE_MOVABLE it is no ordinary kernel allocation, elsewhere it most likely is. */
export type FlaglessIs = 'kernel' | 'unknown';

/** Index into PAGE_CLASSES of one word. The order matters: a poisoned or huge page has other flags as well. */
export function classify(low: number, high: number, flagless: FlaglessIs): number {
  if (low === ALL_ONES && high === ALL_ONES) return INDEX.unknown;
  if (low & LOW.hwpoison) return INDEX.poisoned;
  if (low & (LOW.nopage | LOW.offline)) return INDEX.offline;
  if (high & HIGH.reserved) return INDEX.reserved;
  if (low & LOW.buddy) return INDEX.free;
  if (low & LOW.huge) return INDEX.hugetlb;
  if (low & LOW.slab) return INDEX.slab;
  if (low & LOW.pgtable) return INDEX.pageTables;
  if (low & LOW.zeroPage) return INDEX.kernel;
  if (low & PAGE_CACHE_OR_ANON) return INDEX.movable;
  if (high & HIGH.ownerPrivate) return INDEX.memmap;
  // Nothing that tells what it is: bare COMPOUND bits or none are an allocation of the kernel's own; MMAP alone is a driver's.
  return flagless === 'kernel' ? INDEX.kernel : INDEX.unknown;
}

const CERTAINLY_UNMOVABLE = new Set([INDEX.slab, INDEX.pageTables, INDEX.reserved]);

export interface PageTally {
  /** Pages by class, in the order of PAGE_CLASSES. */
  readonly counts: Float64Array;
  /** First pfn of a page that certainly cannot move; -1 where there is none. */
  firstUnmovablePfn: number;
}

export const emptyTally = (): PageTally => ({ counts: new Float64Array(PAGE_CLASSES.length), firstUnmovablePfn: -1 });

const HALVES_SWAPPED = new Uint8Array(new Uint32Array([1]).buffer)[0] === 0;

/** Adds `count` words to the tally; `words` are pairs of 32-bit halves in the machine's byte order, the first of them is of `pfn`. */
export function tallyWords(words: Uint32Array, count: number, pfn: number, flagless: FlaglessIs, tally: PageTally): void {
  const lowAt = HALVES_SWAPPED ? 1 : 0;
  const { counts } = tally;
  let [lastLow, lastHigh, index, run] = [-1, -1, 0, 0];
  for (let i = 0; i < count; i += 1) {
    const low = words[2 * i + lowAt]!;
    const high = words[2 * i + 1 - lowAt]!;
    // Neighbouring pages mostly read the same: one comparison instead of the classification.
    if (low === lastLow && high === lastHigh) {
      run += 1;
      continue;
    }
    counts[index]! += run;
    run = 1;
    lastLow = low;
    lastHigh = high;
    index = classify(low, high, flagless);
    if (tally.firstUnmovablePfn < 0 && CERTAINLY_UNMOVABLE.has(index)) tally.firstUnmovablePfn = pfn + i;
  }
  counts[index]! += run;
}
