/**
 * Physical address ranges. Addresses and sizes are bytes in plain numbers: physical addresses have at most 52 bits on
 * x86-64 and arm64 (without LPA2's 52 being exceeded), so every address is a safe integer. Ranges are half open:
 * `start` is inside, `end` is the first byte outside. (`/proc/iomem` prints inclusive ends; its reader converts.)
 */
export interface PhysRange {
  /** First byte, inclusive. */
  readonly start: number;
  /** First byte after the range, exclusive. `end >= start`. */
  readonly end: number;
}

export const rangeSize = (r: PhysRange): number => r.end - r.start;
export const isEmpty = (r: PhysRange): boolean => r.end <= r.start;
export const contains = (outer: PhysRange, inner: PhysRange): boolean => outer.start <= inner.start && inner.end <= outer.end;
export const containsAddress = (r: PhysRange, address: number): boolean => r.start <= address && address < r.end;
export const overlaps = (a: PhysRange, b: PhysRange): boolean => a.start < b.end && b.start < a.end;

/** The common part of two ranges, or null where they share no byte. */
export function intersect(a: PhysRange, b: PhysRange): PhysRange | null {
  const start = Math.max(a.start, b.start);
  const end = Math.min(a.end, b.end);
  return start < end ? { start, end } : null;
}

/** `a` without `b`: none, one or two ranges, in order. */
export function subtract(a: PhysRange, b: PhysRange): PhysRange[] {
  const parts = [
    { start: a.start, end: Math.min(a.end, b.start) },
    { start: Math.max(a.start, b.end), end: a.end },
  ];
  return parts.filter((r) => !isEmpty(r));
}

/** The same bytes as sorted, disjoint ranges that do not touch each other. */
export function union(ranges: readonly PhysRange[]): PhysRange[] {
  const sorted = ranges.filter((r) => !isEmpty(r)).sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number }[] = [];
  for (const r of sorted) {
    const last = merged.at(-1);
    if (last && r.start <= last.end) last.end = Math.max(last.end, r.end);
    else merged.push({ start: r.start, end: r.end });
  }
  return merged;
}

/** Everything in `outer` that none of `inner` covers, in order. */
export function gaps(outer: PhysRange, inner: readonly PhysRange[]): PhysRange[] {
  return union(inner).reduce<PhysRange[]>((left, hole) => left.flatMap((r) => subtract(r, hole)), [outer]).filter((r) => !isEmpty(r));
}

/** Rounds down to a multiple of `unit` bytes (`unit` need not be a power of two). */
export const alignDown = (address: number, unit: number): number => address - (address % unit);
/** Rounds up to a multiple of `unit` bytes. */
export const alignUp = (address: number, unit: number): number => alignDown(address + unit - 1, unit);
/** The largest range of whole `unit`s inside `r`; may be empty (`start === end`). */
export function alignInward(r: PhysRange, unit: number): PhysRange {
  const start = alignUp(r.start, unit);
  return { start, end: Math.max(start, alignDown(r.end, unit)) };
}
/** The smallest range of whole `unit`s around `r`. */
export const alignOutward = (r: PhysRange, unit: number): PhysRange => ({ start: alignDown(r.start, unit), end: alignUp(r.end, unit) });
