import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GiB, MiB } from '../../range/units.ts';
import type { MemoryBlock } from '../types/memory.ts';
import { collisionsOf } from './collisions.ts';
import type { Segment, SegmentKind } from './segments.ts';

const SECTION = 128 * MiB;
const segment = (kind: SegmentKind, startMiB: number, endMiB: number, device: string | null = null): Segment => ({ start: startMiB * MiB, end: endMiB * MiB, kind, names: [kind], device });
const block = (index: number): MemoryBlock => ({ index, start: index * SECTION, end: (index + 1) * SECTION, state: 'online', validZones: ['Normal'], nodes: [0], removable: true, foreign: [] });
const kinds = (...segments: Segment[]) => collisionsOf(segments, SECTION, [0, 1, 2].map(block)).map((c) => [c.section, c.kind, c.blocks]);

test('RAM beside pmem pins the block', () => assert.deepEqual(kinds(segment('ram', 0, 64), segment('pmem', 64, 192, 'fsdax:a'), segment('ram', 192, 384)), [[0, 'block', [0]], [1, 'block', [1]]]));
test('pmem beside pmem shares only the section', () => assert.deepEqual(kinds(segment('pmem', 256, 272, 'fsdax:a'), segment('pmem', 272, 288, 'fsdax:b')), [[2, 'section', []]]));
test('two owners in one sub-section', () => assert.deepEqual(kinds(segment('pmem', 256, 273, 'fsdax:a'), segment('pmem', 273, 288, 'fsdax:b')), [[2, 'sub-section', []]]));
test('the kernel image is System RAM, not an owner of its own', () => assert.deepEqual(kinds(segment('ram', 0, 32), segment('kernel', 32, 64), segment('ram', 64, 128)), []));
test('free persistent memory, reserved areas and registers collide with nobody', () => assert.deepEqual(kinds(segment('ram', 0, 64), segment('pmem-free', 64, 96), segment('reserved', 96, 100), segment('device', 100, 128)), []));
test('a segment over many sections is looked at only at its ends', () => {
  const found = collisionsOf([segment('ram', 64, 1024 * 1024 + 64), { ...segment('devdax', 0, 64, 'devdax:a') }], SECTION, []);
  assert.deepEqual(found.map((c) => [c.section, c.start, c.kind]), [[0, 0, 'section']]);
  assert.ok(found[0]!.end < GiB);
});
