/** Medians and ratios as the benchmarks print them. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** `0.58 (fuser -m)`: our time over the peer's, of medians. */
export const ratio = (ours: readonly number[], peer: readonly number[]): string => (median(ours) / median(peer)).toFixed(2);

/** Prints why a benchmark cannot run here, and ends with the status for "skipped". */
export function skip(reason: string): never {
  console.log(`skipped: ${reason}`);
  process.exit(77);
}

/** Prints a wrong result and marks the run as failed; times never do. */
export function wrong(text: string): void {
  console.log(`WRONG: ${text}`);
  process.exitCode = 1;
}
