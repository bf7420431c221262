import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnseatError } from '../../errors/unseat-error.ts';
import { parseRange } from './map.ts';

test('a range with its last byte, or with a size', () => {
  assert.deepEqual(parseRange('0x100000000-0x107ffffff'), { start: 0x100000000, end: 0x108000000 });
  assert.deepEqual(parseRange('4G+128M'), { start: 0x100000000, end: 0x108000000 });
});

test('anything else is a wrong command line', () => {
  for (const text of ['', '4G', '8G-4G', 'a-b', '1-2-3', '4G+0', '0x0-0xffffffffffffffff']) {
    assert.throws(() => parseRange(text), (error: unknown) => error instanceof UnseatError && error.code === 'USAGE', text);
  }
});
