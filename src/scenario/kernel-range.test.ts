import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inKernelRange, isKernelRange, parseRelease } from './kernel-range.ts';

test('releases are read from what uname and packages say', () => {
  assert.deepEqual(parseRelease('6.12.107+deb13-amd64'), { major: 6, minor: 12 });
  assert.deepEqual(parseRelease('v7.3-rc7'), { major: 7, minor: 3 });
  assert.equal(parseRelease('six'), null);
});

test('ranges', () => {
  const at = (range: string) => ['5.10', '6.1', '6.12', '6.18', '7.2'].filter((k) => inKernelRange(range, parseRelease(k)!));
  assert.deepEqual(at('all'), ['5.10', '6.1', '6.12', '6.18', '7.2']);
  assert.deepEqual(at('>=6.12'), ['6.12', '6.18', '7.2']);
  assert.deepEqual(at('<6.12'), ['5.10', '6.1']);
  assert.deepEqual(at('6.1-6.12'), ['6.1', '6.12']);
  assert.deepEqual(at('5.10, >6.12'), ['5.10', '6.18', '7.2']);
  assert.deepEqual(at('nonsense'), []);
});

test('a range that is accepted never throws, and text that is not holds nothing', () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const inside = inKernelRange(text, { major: 6, minor: 12 });
    if (!isKernelRange(text) && !text.split(',').some((part) => isKernelRange(part))) assert.equal(inside, false);
  }));
});
