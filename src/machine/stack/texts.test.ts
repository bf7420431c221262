/** mountinfo, swaps, overlay options, exports: what the kernel escapes is read back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { unescapeOctal } from './escapes.ts';
import { parseExportLine, parseLayers } from './layers.ts';
import { parseMountinfo, parseMountLine, splitOptions } from './mountinfo.ts';
import { daxState, mountHolding } from './mounts.ts';
import { parseSwapLine } from './swaps.ts';

/** As seq_path() writes a name: blank, tab, newline and backslash in octal. */
const escape = (name: string): string => name.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
const bytes = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((n) => String.fromCharCode(n)), minLength: 1, maxLength: 12 });

test('any name of bytes comes back from the octal form', () => {
  fc.assert(fc.property(bytes, (name) => assert.equal(unescapeOctal(escape(name)), name)));
});

test('a mountinfo line is read back, tags or none, whatever bytes are in the names', () => {
  fc.assert(fc.property(fc.nat(999), fc.nat(999), bytes, bytes, fc.array(fc.constantFrom('shared:1', 'master:2', 'unbindable')), (id, parent, point, source, tags) => {
    const line = [id, parent, '259:0', '/', escape(`/${point}`), 'rw,relatime', ...tags, '-', 'ext4', escape(source), 'rw,dax=always'].join(' ');
    const mount = parseMountLine(line);
    assert.deepEqual(mount && [mount.id, mount.parent, mount.dev, mount.mountPoint, mount.source, mount.superOptions], [id, parent, '259:0', `/${point}`, source, ['rw', 'dax=always']]);
  }));
});

test('lines that are no mounts are counted', () => {
  assert.deepEqual(parseMountinfo('nonsense\n1 2 3:4 / / rw - ext4 /dev/x rw\n1 2 x / / rw - a b c\n').mounts.length, 1);
  assert.equal(parseMountinfo('nonsense\n\n1 2 x / / rw - a b c\n').badLines, 2);
  fc.assert(fc.property(bytes, (text) => void parseMountinfo(text)));
});

test('the DAX state is what the options say, and nothing for file systems without DAX', () => {
  const of = (fsType: string, ...superOptions: string[]) => daxState({ fsType, options: [], superOptions });
  assert.deepEqual(of('ext4', 'rw', 'dax=always'), { dax: 'always', shutdown: false });
  assert.deepEqual(of('xfs', 'rw', 'dax'), { dax: 'always', shutdown: false });
  assert.deepEqual(of('ext4', 'rw', 'dax=never', 'shutdown'), { dax: 'never', shutdown: true });
  assert.deepEqual(of('btrfs', 'dax=always'), { dax: null, shutdown: false });
});

test('a path lies on the mount with the longest mount point above it, the last one of equals', () => {
  const mount = (id: number, mountPoint: string, namespaceId = 1) => ({ namespaceId, seenBy: 1, id, parent: 0, dev: `0:${id}`, root: '/', mountPoint, fsType: 'ext4', source: 'x', options: [], superOptions: [], dax: null, shutdown: false });
  const mounts = [mount(1, '/'), mount(2, '/mnt'), mount(3, '/mnt'), mount(4, '/mnt2'), mount(5, '/mnt/a', 2)];
  assert.equal(mountHolding(mounts, 1, '/mnt/a/b')?.id, 3);
  assert.equal(mountHolding(mounts, 1, '/mnt')?.id, 3);
  assert.equal(mountHolding(mounts, 1, '/mn')?.id, 1);
  assert.equal(mountHolding(mounts, 2, '/x'), null);
});

test('swap areas, deleted ones and names with blanks', () => {
  assert.deepEqual(parseSwapLine('/dev/pmem0\\040(deleted)                         partition\t520188\t\t79872\t\t-2'), { path: '/dev/pmem0', type: 'partition', sizeBytes: 520188 * 1024, usedBytes: 79872 * 1024, deleted: true });
  assert.deepEqual(parseSwapLine('/mnt/my\\040swap file 1024 0 -3'), { path: '/mnt/my swap', type: 'file', sizeBytes: 1048576, usedBytes: 0, deleted: false });
  assert.equal(parseSwapLine('Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority'), null);
});

test('overlay layers with escaped colons and commas, and the newer lowerdir+', () => {
  assert.deepEqual(parseLayers(splitOptions('rw,lowerdir=/a\\\\:b:/c,upperdir=/u,workdir=/w'.replace('\\\\', '\\'))).map((l) => [l.role, l.directory]), [
    ['lower', '/a:b'], ['lower', '/c'], ['upper', '/u'], ['work', '/w'],
  ]);
  assert.deepEqual(parseLayers(['lowerdir+=/x', 'datadir+=/d', 'nouserxattr']).map((l) => l.directory), ['/x', '/d']);
});

test('options are split at commas that no backslash keeps', () => {
  assert.deepEqual(splitOptions('rw,a=b\\,c,d'), ['rw', 'a=b\\,c', 'd']);
  assert.deepEqual(splitOptions(''), []);
});

test('exports by directory with their clients', () => {
  assert.deepEqual(parseExportLine('/mnt/pm\\040em\t192.168.0.0/24(rw,sync) host(ro)'), { directory: '/mnt/pm em', clients: ['192.168.0.0/24', 'host'] });
  assert.equal(parseExportLine('# Version 1.1'), null);
});
