import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseKmsgRecord, parseSyslog } from './kmsg.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

test('a record of /dev/kmsg: level, sequence, seconds, text; not the dictionary', () => {
  assert.deepEqual(parseKmsgRecord(bytes('30,339,5140900,-;nd_pmem: 1;2\n SUBSYSTEM=nd\n DEVICE=+nd:x\n')),
    { level: 6, sequence: 339, seconds: 5.1409, text: 'nd_pmem: 1;2' });
  assert.equal(parseKmsgRecord(bytes('6,1,2,c,caller=T1;x\n'))?.text, 'x');
});

test('bytes that do not print come back, UTF-8 too', () => {
  assert.equal(parseKmsgRecord(bytes('6,1,2,-;a\\x09b\\xc3\\xa9\\x5cx09\n'))?.text, 'a\tb\u00e9\\x09');
});

test('noise is no record, and never throws', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
    const line = parseKmsgRecord(noise);
    if (line !== undefined) assert.ok(line.level <= 7 && line.sequence >= 0);
  }));
  for (const text of ['', ';', '6,1;x', '6,1,x,-;y']) assert.equal(parseKmsgRecord(bytes(text)), undefined);
});

test('syslog text with and without level and time', () => {
  assert.deepEqual(parseSyslog('<4>[    1.500000] one\n<0>[   12.000001] two\n', 10), [
    { level: 4, seconds: 1.5, text: 'one', sequence: 10 },
    { level: 0, seconds: 12.000001, text: 'two', sequence: 11 },
  ]);
  assert.deepEqual(parseSyslog('plain').map(({ text, level }) => ({ text, level })), [{ text: 'plain', level: 6 }]);
});
