import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alignInward, gaps, intersect, rangeSize, subtract, union, type PhysRange } from './phys-range.ts';

const range = fc.tuple(fc.nat(60), fc.nat(12)).map(([start, size]): PhysRange => ({ start, end: start + size }));
const bytes = (ranges: readonly PhysRange[]): Set<number> => new Set(ranges.flatMap((r) => Array.from({ length: rangeSize(r) }, (_, i) => r.start + i)));

test('union covers exactly the bytes of its parts, sorted, disjoint and not touching', () => {
  fc.assert(fc.property(fc.array(range), (ranges) => {
    const merged = union(ranges);
    assert.deepEqual(bytes(merged), new Set([...bytes(ranges)].sort((a, b) => a - b)));
    for (let i = 1; i < merged.length; i += 1) assert.ok(merged[i - 1]!.end < merged[i]!.start);
  }));
});

test('subtract and intersect part a range without loss or overlap', () => {
  fc.assert(fc.property(range, range, (a, b) => {
    const both = intersect(a, b);
    const rest = subtract(a, b);
    assert.deepEqual(bytes(both ? [both, ...rest] : rest), bytes([a]));
    assert.equal(bytes([a]).size, (both ? rangeSize(both) : 0) + rest.reduce((n, r) => n + rangeSize(r), 0));
  }));
});

test('gaps are what the others leave', () => {
  fc.assert(fc.property(range, fc.array(range), (outer, inner) => {
    const covered = bytes(inner);
    assert.deepEqual(bytes(gaps(outer, inner)), new Set([...bytes([outer])].filter((b) => !covered.has(b))));
  }));
});

test('alignInward never leaves its range and is a multiple of the unit', () => {
  fc.assert(fc.property(range, fc.integer({ min: 1, max: 9 }), (r, unit) => {
    const inner = alignInward(r, unit);
    assert.equal(inner.start % unit, 0);
    assert.ok(rangeSize(inner) >= 0 && (rangeSize(inner) === 0 || (inner.start >= r.start && inner.end <= r.end)));
  }));
});
