import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatRange, parseSize } from './units.ts';

test('sizes for people', () => {
  assert.equal(formatBytes(0), '0 B');
  assert.equal(formatBytes(126 * 2 ** 20), '126 MiB');
  assert.equal(formatBytes(1.5 * 2 ** 30), '1.5 GiB');
  assert.equal(formatBytes(513 * 2 ** 20 + 1), '513 MiB');
});

test('ranges are printed with their last byte, as the kernel does', () => {
  assert.equal(formatRange({ start: 0x100000000, end: 0x120000000 }), '0x100000000-0x11fffffff');
});

test('sizes are read as the kernel reads them', () => {
  assert.equal(parseSize('512M'), 512 * 2 ** 20);
  assert.equal(parseSize('16MiB'), 16 * 2 ** 20);
  assert.equal(parseSize('0x46000000'), 0x46000000);
  assert.equal(parseSize('1.5G'), 1.5 * 2 ** 30);
  assert.equal(parseSize('many'), null);
  assert.equal(parseSize('99999999P'), null);
});
