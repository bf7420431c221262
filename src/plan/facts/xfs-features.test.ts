import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasRmapbt } from './xfs-features.ts';

function superblock(version: number, roCompat: number): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x58465342);
  view.setUint16(100, version);
  view.setUint32(212, roCompat);
  return bytes;
}

test('the reverse-mapping bit of a version 5 superblock', () => {
  assert.equal(hasRmapbt(superblock(0xb4b5, 0b1011)), true);
  assert.equal(hasRmapbt(superblock(0xb4b5, 0b1101)), false);
});

test('version 4 has none, whatever stands there', () => {
  assert.equal(hasRmapbt(superblock(0xb4a4, 0xffffffff)), false);
});

test('what is no XFS superblock says nothing', () => {
  assert.equal(hasRmapbt(new Uint8Array(512)), null);
  assert.equal(hasRmapbt(superblock(5, 2).subarray(0, 100)), null);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
    const answer = hasRmapbt(bytes);
    if (answer !== null) assert.equal(String.fromCharCode(...bytes.subarray(0, 4)), 'XFSB');
  }));
});
