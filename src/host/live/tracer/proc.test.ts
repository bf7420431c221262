/** The parsers of the tracer never throw, and find what is there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { abortAddress } from './arch/x86-64/rseq.ts';
import { toFrameState } from './arch/x86-64/xstate.ts';
import { statusObstacle } from './obstacle.ts';
import { parseMaps, parseStat, statusField } from './proc.ts';

test('maps: lines round-trip, anything else is skipped', () => {
  const line = fc.record({ start: fc.integer({ min: 0, max: 2 ** 35 }), pages: fc.integer({ min: 1, max: 9999 }), ino: fc.nat(), name: fc.stringMatching(/^[/a-z. ()]{0,20}$/) });
  fc.assert(fc.property(fc.array(line), fc.string(), (lines, noise) => {
    const text = lines.map((l) => `${(l.start * 4096).toString(16)}-${((l.start + l.pages) * 4096).toString(16)} rw-s 00001000 fd:01 ${l.ino}   ${l.name}`).join('\n');
    const parsed = parseMaps(text);
    assert.deepEqual(parsed.map((m) => [m.start, m.end, m.ino, m.name]), lines.map((l) => [l.start * 4096, (l.start + l.pages) * 4096, l.ino, l.name.replace(/^ +/, '')]));
    parseMaps(noise);
  }));
});

test('stat: a name with spaces and parentheses does not shift the fields; noise is null or a line', () => {
  const rest = `S 1 2 3 ${Array.from({ length: 15 }, () => 0).join(' ')} 4711 0`;
  assert.deepEqual(parseStat(`12 (a) b (c) ${rest}`), { state: 'S', startTime: 4711 });
  fc.assert(fc.property(fc.string(), (text) => { parseStat(text); statusField(text, 'TracerPid'); }));
});

test('status: seccomp, another tracer and a shadow stack are obstacles', () => {
  assert.equal(statusObstacle('TracerPid:\t0\nSeccomp:\t0\n', 7), null);
  assert.match(statusObstacle('TracerPid:\t55\nSeccomp:\t0\n', 7) ?? '', /traced by process 55/);
  assert.match(statusObstacle('TracerPid:\t0\nSeccomp:\t2\n', 7) ?? '', /seccomp mode 2/);
  assert.match(statusObstacle('TracerPid:\t0\nSeccomp:\t0\nx86_Thread_features:\tshstk wrss\n', 7) ?? '', /shadow stack/);
});

test('rseq: inside the section to the abort handler, outside not', () => {
  const section = Buffer.alloc(32);
  section.writeBigUInt64LE(0x1000n, 8);
  section.writeBigUInt64LE(0x20n, 16);
  section.writeBigUInt64LE(0x9000n, 24);
  assert.equal(abortAddress(section, 0x1000n), 0x9000n);
  assert.equal(abortAddress(section, 0x101fn), 0x9000n);
  assert.equal(abortAddress(section, 0x1020n), null);
  assert.equal(abortAddress(section, 0xfffn), null);
});

test('extended state: the magic words of a signal frame; AMX is left out where it is not in use', () => {
  const plain = Buffer.alloc(2696);
  plain.writeBigUInt64LE(0xe7n, 464);
  const frame = toFrameState(plain)!.bytes;
  assert.equal(frame.length, 2700);
  assert.equal(frame.readUInt32LE(464), 0x46505853);
  assert.equal(frame.readUInt32LE(468), 2700);
  assert.equal(frame.readUInt32LE(480), 2696);
  assert.equal(frame.readUInt32LE(2696), 0x46505845);
  const amx = Buffer.alloc(11008);
  amx.writeBigUInt64LE(0x600e7n, 464);
  assert.equal(toFrameState(amx)!.bytes.length, 2700);
  assert.equal(toFrameState(amx)!.bytes.readBigUInt64LE(472), 0xe7n);
  amx.writeBigUInt64LE(0x60007n, 512);
  assert.equal(toFrameState(amx)!.bytes.length, 11012);
  assert.equal(toFrameState(Buffer.alloc(100)), null);
});
