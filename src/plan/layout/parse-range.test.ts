import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UnseatError } from '../../errors/unseat-error.ts';
import { MiB } from '../../range/units.ts';
import { parseRange } from './parse-range.ts';

const parts = (text: string) => {
  const { kind, start, end } = parseRange(text);
  return [kind, start, end];
};

test('memmap= syntax', () => {
  assert.deepEqual(parts('32M!0x48000000'), ['pmem', 0x48000000, 0x4a000000]);
  assert.deepEqual(parts('memmap=4G!12G'), ['pmem', 12 * 1024 * MiB, 16 * 1024 * MiB]);
  assert.deepEqual(parts('64K$0x18690000'), ['reserved', 0x18690000, 0x186a0000]);
  assert.deepEqual(parts('1G@0'), ['ram', 0, 1024 * MiB]);
});

test('iomem syntax: the end is the last byte; the first byte after is understood too', () => {
  assert.deepEqual(parts('ram:0x100000-0x7ffdafff'), ['ram', 0x100000, 0x7ffdb000]);
  assert.deepEqual(parts('100000000-11fffffff'), ['pmem', 0x100000000, 0x120000000]);
  assert.deepEqual(parts('0x46000000-0x4a000000'), ['pmem', 0x46000000, 0x4a000000]);
});

test('START+SIZE', () => {
  assert.deepEqual(parts('reserved:0x46110000+0x3c01000'), ['reserved', 0x46110000, 0x49d11000]);
});

test('what is no range is refused with a reason', () => {
  const bad = ['', 'x', '!', '32M!', '!0x1000', '0!0x1000', '0x2000-0x1000', '1+1', '0x1001+4096', '9P!9P', 'ram:32M!0x48000000', 'pmem:', '1-2-3'];
  for (const text of bad) assert.throws(() => parseRange(text), (e) => e instanceof UnseatError && e.code === 'USAGE' && e.facts.cause !== undefined, text);
});

test('any text gives a range or a USAGE error', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-fx]+[!$@+-][0-9a-fxMG]+$/)), (text) => {
    try {
      const r = parseRange(text);
      assert.ok(r.start < r.end && Number.isSafeInteger(r.end));
    } catch (error) {
      assert.ok(error instanceof UnseatError && error.code === 'USAGE');
    }
  }));
});
