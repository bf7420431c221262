/**
 * Orders of whole lines that agree with a counterexample: lines of one thread keep their order, and a line that was over
 * before another began comes before it. Lines that overlapped may come either way round; the one that ended first is
 * tried first.
 */
import type { LineSpan } from './line-spans.ts';

/** More overlapping lines than this allow nobody to read the result. */
const MOST = 5000;

export function* coarseOrders(spans: readonly LineSpan[]): Generator<readonly LineSpan[], void, void> {
  let left = MOST;
  function* extend(order: readonly LineSpan[], rest: readonly LineSpan[]): Generator<readonly LineSpan[], void, void> {
    if (left === 0) return;
    if (rest.length === 0) {
      left -= 1;
      yield order;
      return;
    }
    for (const next of rest) {
      if (!rest.some((other) => other !== next && before(other, next))) yield* extend([...order, next], rest.filter((other) => other !== next));
    }
  }
  yield* extend([], spans);
}

const before = (a: LineSpan, b: LineSpan): boolean => (a.thread === b.thread ? a.line < b.line : a.ended && a.last < b.first);

/** Pairs of lines of which neither was over when the other began. */
export function overlaps(spans: readonly LineSpan[]): (readonly [LineSpan, LineSpan])[] {
  return spans.flatMap((a, i) => spans.slice(i + 1).filter((b) => a.thread !== b.thread && !before(a, b) && !before(b, a)).map((b) => [a, b] as const));
}
