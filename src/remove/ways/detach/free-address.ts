/** Finding room in an address space for a copy that will be moved over its original. */
const HUGE = 2 * 1024 * 1024;
/** User addresses end at 2^47 on x86-64 and at 2^48 on arm64; the lower bound fits both. */
const TOP = 2 ** 47 - HUGE;

/**
 * An address in the middle of the largest gap, at the same offset within 2 MiB as `like`: whole page tables can then be
 * moved, and huge pages stay huge. The largest gap is far from the heap and the stack that may still grow. Null where
 * no gap is wide enough.
 */
export function freeAddress(taken: readonly { start: number; end: number }[], length: number, like: number): number | null {
  const sorted = taken.filter((r) => r.start < TOP).sort((a, b) => a.start - b.start);
  let best = { start: 0, size: 0 };
  let end = HUGE;
  for (const r of [...sorted, { start: TOP, end: TOP }]) {
    if (r.start - end > best.size) best = { start: end, size: r.start - end };
    end = Math.max(end, r.end);
  }
  if (best.size < length + 4 * HUGE) return null;
  const middle = best.start + Math.floor((best.size - length) / 2);
  return middle - (middle % HUGE) + (like % HUGE);
}
