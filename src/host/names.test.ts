import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { byteString, bytesOf, displayName, escapeOctal, parseDisplayName, toByteString, unescapeOctal } from './names.ts';

const anyName = fc.uint8Array({ maxLength: 24 }).map(byteString);

test('plain names are shown as they are', () => {
  assert.equal(displayName('/mnt/big'), '/mnt/big');
  assert.equal(displayName('/mnt/a b'), '/mnt/a b');
  assert.equal(displayName(toByteString('/mnt/größe/データ')), '/mnt/größe/データ');
  assert.equal(displayName('/tmp/back\\slash'), '/tmp/back\\slash');
});

test('controls, newlines, invalid bytes and direction marks are escaped inside quotes', () => {
  assert.equal(displayName('/mnt/a\nb'), '"/mnt/a\\x0ab"');
  assert.equal(displayName('/mnt/\u001b[2J'), '"/mnt/\\x1b[2J"');
  assert.equal(displayName('/mnt/\xff\xfe'), '"/mnt/\\xff\\xfe"');
  assert.equal(displayName('/mnt/\xc0\xaf'), '"/mnt/\\xc0\\xaf"', 'an overlong slash is no slash');
  assert.equal(displayName(toByteString('/mnt/a\u202eb')), '"/mnt/a\\xe2\\x80\\xaeb"');
  assert.equal(displayName('a"b\n\\'), '"a\\"b\\x0a\\\\"');
  assert.equal(displayName(''), '""');
  assert.equal(displayName(' lead'), '" lead"');
});

test('every name can be read back from its readable form, and no two names look alike', () => {
  fc.assert(fc.property(anyName, (name) => {
    assert.equal(parseDisplayName(displayName(name)), name);
  }));
});

test('the readable form has nothing that a terminal acts on', () => {
  fc.assert(fc.property(anyName, (name) => {
    assert.doesNotMatch(displayName(name), /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
  }));
});

test('bytes and ByteStrings are the same thing', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.deepEqual(bytesOf(byteString(bytes)), Buffer.from(bytes))));
});

test('octal escapes of mountinfo are undone, and only those', () => {
  assert.equal(unescapeOctal('/mnt/a\\040b\\011c\\012d\\134e'), '/mnt/a b\tc\nd\\e');
  assert.equal(unescapeOctal('/mnt/\\9\\04x\\777'), '/mnt/\\9\\04x\\777');
  fc.assert(fc.property(anyName, (name) => assert.equal(unescapeOctal(escapeOctal(name)), name)));
});
