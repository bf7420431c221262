import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rangeSize, union, intersect } from '../../range/phys-range.ts';
import { parseIomem } from '../address-map/iomem.ts';
import { ForeignFinder } from './foreign.ts';

const finder = (text: string): ForeignFinder => new ForeignFinder(parseIomem(text));

test('pmem, reserved areas, holes and the kernel inside one block, in order', () => {
  const found = finder(`00001000-00004fff : System RAM
  00002000-000020ff : Kernel code
00005000-00005fff : Persistent Memory (legacy)
  00005000-00005fff : namespace0.0
00007000-00007fff : Reserved
`).in({ start: 0x1000, end: 0x8000 });
  assert.deepEqual(found.map((f) => [f.kind, f.start, f.end]), [
    ['kernel', 0x2000, 0x2100], ['pmem', 0x5000, 0x6000], ['hole', 0x6000, 0x7000], ['reserved', 0x7000, 0x8000],
  ]);
});

test('System RAM deep inside a CXL window is System RAM', () => {
  assert.deepEqual(finder('1000-1fff : CXL Window 0\n  1000-1fff : region0\n    1000-1fff : dax0.0\n      1000-1fff : System RAM (kmem)\n').in({ start: 0x1000, end: 0x2000 }), []);
});

test('nothing is said where the map is not known', () => {
  assert.deepEqual(finder('').in({ start: 0, end: 0x1000 }), []);
});

test('what is not System RAM is exactly what is not covered by it', () => {
  const piece = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.constantFrom('System RAM', 'Reserved', 'gap', 'Persistent Memory'));
  fc.assert(fc.property(fc.array(piece, { minLength: 1, maxLength: 90 }), fc.nat(200), fc.integer({ min: 1, max: 200 }), (pieces, start, size) => {
    let at = 4;
    const laid = pieces.map(([length, name]) => ({ name, start: at, end: (at += length) }));
    const text = laid.filter((p) => p.name !== 'gap').map((p) => `${p.start.toString(16)}-${(p.end - 1).toString(16)} : ${p.name}\n`).join('');
    if (text === '') return;
    const block = { start, end: start + size };
    const found = finder(text).in(block);
    const ram = laid.filter((p) => p.name === 'System RAM').map((p) => intersect(p, block)).filter((r) => r !== null);
    const covered = union(ram).reduce((sum, r) => sum + rangeSize(r), 0);
    assert.equal(union(found).reduce((sum, r) => sum + rangeSize(r), 0), size - covered);
  }));
});
