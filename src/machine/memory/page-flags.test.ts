import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { classify, emptyTally, PAGE_CLASSES, tallyWords, type PageClass } from './page-flags.ts';

const nameOf = (word: bigint, flagless: 'kernel' | 'unknown' = 'kernel'): PageClass => PAGE_CLASSES[classify(Number(word & 0xffffffffn), Number(word >> 32n), flagless)]!;

test('words as they were read on real kernels', () => {
  assert.equal(nameOf(0x0000000000000400n), 'free');
  assert.equal(nameOf(0x000000040041582cn), 'movable', 'anonymous THP, 7.2');
  assert.equal(nameOf(0x0000000400615828n), 'movable', 'anonymous page of 6.12, which sets KSM on all of them');
  assert.equal(nameOf(0x000000000000403cn), 'movable', 'shmem');
  assert.equal(nameOf(0x0000000000010080n), 'slab');
  assert.equal(nameOf(0x0000000004000000n), 'pageTables');
  assert.equal(nameOf(0x0000000100000000n), 'reserved');
  assert.equal(nameOf(0x0000000000100000n), 'offline', 'ZONE_DEVICE of 6.12: NOPAGE');
  assert.equal(nameOf(0x0000002000000000n), 'memmap', 'OWNER_PRIVATE: memmap on memory');
  assert.equal(nameOf(0x000000000002982cn | (1n << 19n)), 'poisoned', 'a poisoned huge page is poisoned first');
  assert.equal(nameOf(0xffffffffffffffffn), 'unknown');
});

test('a page without flags is the kernel\'s own outside of ZONE_MOVABLE, and unknown inside', () => {
  assert.equal(nameOf(0n, 'kernel'), 'kernel');
  assert.equal(nameOf(0n, 'unknown'), 'unknown');
  assert.equal(nameOf(0x8000n, 'kernel'), 'kernel', 'a compound page that nothing describes');
});

test('the tally counts every word once, as classifying each alone does, wherever the buffer is cut', () => {
  const word = fc.oneof(fc.constantFrom(0n, 0x400n, 0x40041582cn, 0x10080n, 0x4000000n, 0x100000000n, 0x100000n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
  fc.assert(fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), fc.nat(40), fc.constantFrom('kernel' as const, 'unknown' as const), (values, at, flagless) => {
    const cut = Math.min(at, values.length);
    const tally = emptyTally();
    for (const [part, first] of [[values.slice(0, cut), 0], [values.slice(cut), cut]] as const) {
      const words = new Uint32Array(new BigUint64Array(part).buffer);
      tallyWords(words, part.length, 1000 + first, flagless, tally);
    }
    const expected = new Float64Array(PAGE_CLASSES.length);
    for (const value of values) expected[classify(Number(value & 0xffffffffn), Number(value >> 32n), flagless)]! += 1;
    assert.deepEqual(tally.counts, expected);
    const fixed = values.findIndex((v) => ['slab', 'pageTables', 'reserved'].includes(nameOf(v, flagless)));
    assert.equal(tally.firstUnmovablePfn, fixed < 0 ? -1 : 1000 + fixed);
  }));
});
