import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cpioArchive, type CpioEntry } from './cpio.ts';

/** Reads an archive back: an independent reading of the format. */
function read(archive: Uint8Array): { path: string; mode: number; data: Buffer }[] {
  const bytes = Buffer.from(archive);
  const found = [];
  for (let at = 0; ;) {
    assert.equal(bytes.toString('latin1', at, at + 6), '070701');
    const field = (i: number): number => Number.parseInt(bytes.toString('latin1', at + 6 + 8 * i, at + 14 + 8 * i), 16);
    const nameEnd = at + 110 + field(11);
    const path = bytes.toString('utf8', at + 110, nameEnd - 1);
    const dataAt = Math.ceil(nameEnd / 4) * 4;
    if (path === 'TRAILER!!!') return found;
    found.push({ path, mode: field(1), data: bytes.subarray(dataAt, dataAt + field(6)) });
    at = Math.ceil((dataAt + field(6)) / 4) * 4;
  }
}

test('what goes in comes out', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9/._-]{0,30}$/);
  fc.assert(fc.property(fc.array(fc.tuple(name, fc.uint8Array({ maxLength: 50 }), fc.boolean())), (files) => {
    const entries = files.map(([path, content, executable]): CpioEntry => ({ path, kind: 'file', content, executable }));
    const archive = cpioArchive(entries);
    assert.equal(archive.length % 512, 0);
    assert.deepEqual(read(archive).map((e) => [e.path, e.data.toString('hex'), e.mode]),
      files.map(([path, content, executable]) => [path, Buffer.from(content).toString('hex'), executable ? 0o100755 : 0o100644]));
  }), { numRuns: 50 });
});

test('directories, links and nodes have the modes of their kinds', () => {
  const found = read(cpioArchive([
    { path: 'd', kind: 'directory' }, { path: 'd/l', kind: 'link', target: '/x' }, { path: 'd/console', kind: 'char', major: 5, minor: 1 },
  ]));
  assert.deepEqual(found.map((e) => [e.path, e.mode, e.data.toString()]), [['d', 0o040755, ''], ['d/l', 0o120777, '/x'], ['d/console', 0o020600, '']]);
});
