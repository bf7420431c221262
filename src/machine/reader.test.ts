import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseVpd } from './bus/vpd.ts';
import { chosen } from './nvdimm/claimant.ts';
import { parseBadblocks } from './nvdimm/badblocks.ts';
import { numbered, parseIdList, parseInteger } from './reader.ts';

test('id lists as the kernel prints bitmaps', () => {
  fc.assert(fc.property(fc.uniqueArray(fc.nat(300)), (ids) => {
    const sorted = ids.sort((a, b) => a - b);
    const parts: string[] = [];
    for (let i = 0; i < sorted.length;) {
      let end = i;
      while (sorted[end + 1] === sorted[end]! + 1) end += 1;
      parts.push(end === i ? String(sorted[i]) : `${sorted[i]}-${sorted[end]}`);
      i = end + 1;
    }
    assert.deepEqual(parseIdList(parts.join(',')), sorted);
  }));
  assert.equal(parseIdList('0-x'), null);
  assert.equal(parseIdList('0-99999999999'), null, 'an absurd list is refused, not expanded');
  assert.equal(parseIdList('99999999999999999999999'), null, 'a number to which one cannot be added');
});

test('integers are exact or none', () => {
  assert.equal(parseInteger('0x11fffffff'), 0x11fffffff);
  assert.equal(parseInteger('-1'), -1);
  assert.equal(parseInteger('99999999999999999999'), null);
  assert.equal(parseInteger('1 2'), null);
});

test('numbered names', () => assert.deepEqual(numbered(['memory10', 'memory2', 'memoryx', 'power'], 'memory'), [2, 10]));
test('the chosen sector size', () => assert.deepEqual([chosen('512 [4096] '), chosen('512'), chosen('512 4096'), chosen(null)], [4096, 512, null, null]));

test('bad blocks are bytes, and a broken list is none', () => {
  assert.deepEqual(parseBadblocks('8 1\n16 8\n'), [{ start: 4096, end: 4608 }, { start: 8192, end: 12288 }]);
  assert.deepEqual(parseBadblocks(''), []);
  assert.equal(parseBadblocks('8\n'), null);
});

test('vital product data: serial number, and any bytes survived', () => {
  const field = (name: string, text: string): number[] => [...Buffer.from(name), text.length, ...Buffer.from(text)];
  const readOnly = [...field('PN', 'AB-1'), ...field('SN', 'S123 '), ...field('RV', '\0')];
  const vpd = Uint8Array.from([0x82, 4, 0, ...Buffer.from('Card'), 0x90, readOnly.length, 0, ...readOnly, 0x78]);
  assert.deepEqual([...parseVpd(vpd)], [['PN', 'AB-1'], ['SN', 'S123']]);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void parseVpd(bytes)));
});
