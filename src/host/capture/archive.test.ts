/** Archives: every compression, and everything that can be wrong with one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { CODES } from '../../errors/codes.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import { isMissing } from '../fact.ts';
import { readArchive } from './archive.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { openCapture } from './open.ts';
import { childAt } from './tree.ts';

const FIXTURE = join(import.meta.dirname, '../../../fixtures/captures/fsdax-7.2-ext4.tar.gz');
const tar = gunzipSync(readFileSync(FIXTURE));
const directory = mkdtempSync(join(tmpdir(), 'unseat-archive-'));
after(() => rmSync(directory, { recursive: true, force: true }));

type Entry = { name: string; type?: string; linkname?: string; size?: number; body?: string };

/** A tar archive of the entries, as bytes. */
async function tarOf(entries: readonly Entry[]): Promise<Uint8Array> {
  const out = pack();
  for (const { body, ...header } of entries) {
    if (body === undefined) out.entry(header as never);
    else out.entry(header as never, body);
  }
  out.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of out) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** Rewrites a field of the first header and its checksum. */
function withField(archive: Uint8Array, offset: number, bytes: Uint8Array): Uint8Array {
  const changed = Buffer.from(archive);
  changed.set(bytes, offset);
  changed.fill(0x20, 148, 156);
  const sum = changed.subarray(0, 512).reduce((a, b) => a + b, 0);
  changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return changed;
}

async function refused(bytes: Uint8Array, code: string, text: RegExp): Promise<void> {
  await assert.rejects(readArchive('x.tar', bytes, DEFAULT_LIMITS), (error) => {
    assert.ok(error instanceof UnseatError, String(error));
    assert.equal(error.code, code);
    assert.match(`${error.message} ${error.facts.cause ?? ''} ${error.facts.seen ?? ''}`, text);
    assert.ok(error.facts.next !== undefined && error.facts.subject === 'x.tar');
    return true;
  });
}

const TOOLS = { xz: ['xz', '-c'], bzip2: ['bzip2', '-c'] } as const;

/** The tar compressed by a program of the system, or null where it has none. */
function compressedBy(tool: keyof typeof TOOLS): Uint8Array | null {
  const [program, ...args] = TOOLS[tool];
  const run = spawnSync(program, args, { input: tar, maxBuffer: 1 << 28 });
  return run.status === 0 ? run.stdout : null;
}

const archives: Record<string, Uint8Array | null> = {
  none: tar, gzip: readFileSync(FIXTURE), zstd: zstdCompressSync(tar), xz: compressedBy('xz'), bzip2: compressedBy('bzip2'),
};

for (const [name, bytes] of Object.entries(archives)) {
  const skip = bytes === null ? `no program ${name} on this machine` : false;

  test(`an archive is read whatever its name says: ${name}`, { skip }, async () => {
    const path = join(directory, `misleading.${name === 'gzip' ? 'zst' : 'gz'}`);
    writeFileSync(path, bytes as Uint8Array);
    const host = await openCapture(path);
    assert.equal(host.identity.release, '7.2.12+deb13-amd64');
    assert.ok(!isMissing(host.files.text('/proc/iomem')));
  });

  test(`a truncated archive is a clear error wherever it is cut: ${name}`, { skip }, async () => {
    const whole = bytes as Uint8Array;
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: whole.length - (name === 'none' ? 1025 : 1) }), async (length) => {
      await assert.rejects(readArchive('x', whole.subarray(0, length), DEFAULT_LIMITS), (error) => error instanceof UnseatError && error.code === 'BAD_CAPTURE' && (error.facts.cause ?? '') !== '');
    }), { numRuns: name === 'bzip2' ? 6 : 25 });
  });

  test(`flipped bits give an error or a tree, never a crash: ${name}`, { skip }, async () => {
    const whole = bytes as Uint8Array;
    await fc.assert(fc.asyncProperty(fc.array(fc.nat(whole.length - 1), { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 255 }), async (places, mask) => {
      const damaged = Buffer.from(whole);
      for (const at of places) damaged[at] = (damaged[at] as number) ^ mask;
      try {
        assert.equal((await readArchive('x', damaged, DEFAULT_LIMITS)).kind, 'directory');
      } catch (error) {
        assert.ok(error instanceof UnseatError && error.code in CODES && error.code !== 'INTERNAL', String(error));
      }
    }), { numRuns: name === 'bzip2' ? 6 : 25 });
  });
}

test('damage that a checksum covers is always noticed', async () => {
  const gz = Buffer.from(archives['gzip'] as Uint8Array);
  gz[gz.length - 6] = (gz[gz.length - 6] as number) ^ 1;
  await refused(gz, 'BAD_CAPTURE', /gzip data cannot be decompressed.*check/);
});

test('entries outside of the archive are refused', async () => {
  await refused(await tarOf([{ name: '../etc/passwd', body: 'x' }]), 'UNSAFE_CAPTURE', /leaves the archive/);
  await refused(await tarOf([{ name: 'proc/../../x', body: 'x' }]), 'UNSAFE_CAPTURE', /leaves the archive/);
  await refused(await tarOf([{ name: '/etc/passwd', body: 'x' }]), 'UNSAFE_CAPTURE', /absolute/);
});

test('links that leave the archive, entries below links and hard links to elsewhere are refused', async () => {
  await refused(await tarOf([{ name: 'proc/a', type: 'symlink', linkname: '../../etc' }]), 'UNSAFE_CAPTURE', /link leaves/);
  await refused(await tarOf([{ name: 'a', type: 'symlink', linkname: 'proc' }, { name: 'a/b', body: 'x' }]), 'UNSAFE_CAPTURE', /below a link/);
  await refused(await tarOf([{ name: 'a', type: 'link', linkname: '/etc/shadow' }]), 'UNSAFE_CAPTURE', /absolute/);
  await refused(await tarOf([{ name: 'a', type: 'link', linkname: 'etc/shadow' }]), 'UNSAFE_CAPTURE', /hard link/);
});

test('links inside, and hard links to earlier entries, are fine', async () => {
  const top = await readArchive('x', await tarOf([
    { name: 'sys/devices/a', body: 'A' }, { name: 'sys/bus/b', type: 'symlink', linkname: '../devices/a' },
    { name: 'abs', type: 'symlink', linkname: '/etc/passwd' }, { name: 'hard', type: 'link', linkname: 'sys/devices/a' },
  ]), DEFAULT_LIMITS);
  assert.equal(childAt(top, 'sys/bus/b')?.target, '../devices/a');
  assert.deepEqual(childAt(top, 'hard')?.data(), Buffer.from('A'));
});

test('an absolute link means the captured machine, not the one that reads', async () => {
  const path = join(directory, 'absolute.tar');
  writeFileSync(path, await tarOf([{ name: 'proc/version', body: 'Linux version 6.1.0 (x) #1 SMP\n' }, { name: 'proc/link', type: 'symlink', linkname: '/etc/passwd' }, { name: 'proc/loop', type: 'symlink', linkname: 'loop' }]));
  const host = await openCapture(path);
  assert.deepEqual(host.files.text('/proc/link'), { missing: 'not-captured', path: '/proc/link' });
  assert.deepEqual(host.files.text('/proc/loop'), { missing: 'unreadable', path: '/proc/loop', detail: 'ELOOP' });
  assert.deepEqual(host.files.text('/../../../etc/passwd'), { missing: 'not-captured', path: '/../../../etc/passwd' });
});

test('absurd sizes are refused with the numbers, before anything is read', async () => {
  const one = await tarOf([{ name: 'proc/x', body: 'x' }]);
  await refused(withField(one, 124, Buffer.from('77777777777\0')), 'UNSAFE_CAPTURE', /8589934591 bytes.*limit 268435456/);
  await refused(withField(one, 124, Buffer.from([0x80, 0, 0, 0, 0x7f, 0, 0, 0, 0, 0, 0, 0])), 'UNSAFE_CAPTURE', /bytes/);
  const many = await tarOf(Array.from({ length: 50 }, (_, i) => ({ name: `proc/${i}`, body: '' })));
  await assert.rejects(readArchive('x', many, { ...DEFAULT_LIMITS, entries: 20 }), { code: 'UNSAFE_CAPTURE' });
  await assert.rejects(readArchive('x', await tarOf([{ name: 'n/'.repeat(2100), type: 'directory' }]), DEFAULT_LIMITS), { code: 'UNSAFE_CAPTURE' });
});

test('a decompression bomb stops at the limit', async () => {
  const limits = { ...DEFAULT_LIMITS, totalBytes: 1 << 20 };
  const bomb = gzipSync(Buffer.alloc(1 << 24));
  assert.ok(bomb.length < 1 << 15);
  await assert.rejects(readArchive('bomb', bomb, limits), (e) => e instanceof UnseatError && e.code === 'UNSAFE_CAPTURE' && /limit 1048576 bytes \(1 MiB\)/.test(e.facts.seen ?? ''));
  await assert.rejects(readArchive('bomb', zstdCompressSync(Buffer.alloc(1 << 24)), limits), { code: 'UNSAFE_CAPTURE' });
  const bz = spawnSync('bzip2', ['-c'], { input: Buffer.alloc(1 << 23) });
  if (bz.status === 0) await assert.rejects(readArchive('bomb', bz.stdout, limits), { code: 'UNSAFE_CAPTURE' });
});

test('files that are no archive are told so', async () => {
  await refused(Buffer.alloc(10240), 'BAD_CAPTURE', /zeros/);
  await refused(Buffer.alloc(700), 'BAD_CAPTURE', /truncated|neither/);
  await refused(Buffer.from('hello'.repeat(300)), 'BAD_CAPTURE', /neither a tar archive/);
  await refused(await tarOf([{ name: 'a', body: '' }, { name: 'a/b', body: 'x' }]), 'BAD_CAPTURE', /below a file/);
  await refused(withField(await tarOf([{ name: 'sparse', body: 'x' }]), 156, Buffer.from('S')), 'BAD_CAPTURE', /does not read/);
});

test('FIFOs and device nodes in an archive cannot be read, whatever they are called', async () => {
  const file = join(directory, 'nodes.tar');
  writeFileSync(file, await tarOf([{ name: 'proc/iomem', type: 'fifo' }, { name: 'proc/cmdline', type: 'character-device' }, { name: 'proc/meminfo', body: 'MemTotal: 1 kB\n' }]));
  const host = await openCapture(file);
  for (const path of ['/proc/iomem', '/proc/cmdline']) {
    const text = host.files.text(path);
    assert.deepEqual(isMissing(text) && [text.missing, text.detail], ['unreadable', 'EINVAL']);
  }
  assert.equal(host.files.text('/proc/meminfo'), 'MemTotal: 1 kB');
  host.close();
});

test('a sparse archive is told how to be packed', async () => {
  await assert.rejects(readArchive('x', withField(await tarOf([{ name: 'sparse', body: 'x' }]), 156, Buffer.from('S')), DEFAULT_LIMITS), (error: UnseatError) => /without --sparse/.test(error.facts.next ?? ''));
});

test('an archive cut exactly between two entries is noticed by its missing end', async () => {
  const whole = await tarOf([{ name: 'proc/a', body: 'x' }, { name: 'proc/b', body: 'y' }]);
  await refused(whole.subarray(0, 1024), 'BAD_CAPTURE', /without the zero block/);
  assert.equal((await readArchive('x', whole, DEFAULT_LIMITS)).kind, 'directory');
});

test('what is none of this machine is not opened', async () => {
  const fifo = join(directory, 'fifo');
  spawnSync('mkfifo', [fifo]);
  for (const path of [fifo, '/dev/zero']) await assert.rejects(openCapture(path), { code: 'BAD_CAPTURE' });
  await assert.rejects(openCapture(join(directory, 'nowhere')), { code: 'NOT_FOUND' });
  await assert.rejects(openCapture('/dev/null'), { code: 'BAD_CAPTURE' });
  writeFileSync(join(directory, 'empty.tar.gz'), '');
  await assert.rejects(openCapture(join(directory, 'empty.tar.gz')), { code: 'BAD_CAPTURE' });
  const two = join(directory, 'two.tar');
  writeFileSync(two, await tarOf([{ name: 'a/proc/version', body: 'x' }, { name: 'b/proc/version', body: 'x' }]));
  await assert.rejects(openCapture(two), (e) => e instanceof UnseatError && e.code === 'BAD_CAPTURE' && /a, b/.test(e.facts.cause ?? ''));
  const none = join(directory, 'none.tar');
  writeFileSync(none, await tarOf([{ name: 'readme', body: 'x' }]));
  await assert.rejects(openCapture(none), { code: 'BAD_CAPTURE' });
});

test('a manifest that makes no sense, or comes from a later unseat, is told', async () => {
  const open = async (manifest: string): Promise<unknown> => {
    const path = join(directory, 'manifest.tar');
    writeFileSync(path, await tarOf([{ name: 'manifest.json', body: manifest }, { name: 'root/proc/version', body: 'x' }]));
    return openCapture(path);
  };
  const whole = { format: 'unseat-capture', version: 1, tool: 't', command: null, takenAt: null, host: 'h', kind: 'live', release: null, kernelVersion: null, arch: null, pageSize: null, uid: 0, capabilities: null, anonymized: false, complete: ['/etc/none'], leftOut: [] };
  const host = await open(JSON.stringify(whole)) as Awaited<ReturnType<typeof openCapture>>;
  assert.deepEqual([host.identity.uid, host.files.text('/etc/none'), host.files.text('/etc/other')], [0, { missing: 'absent', path: '/etc/none' }, { missing: 'not-captured', path: '/etc/other' }]);
  await assert.rejects(open('{"format":"unseat-capture",'), (e) => e instanceof UnseatError && e.code === 'BAD_CAPTURE' && /no JSON/.test(e.message));
  await assert.rejects(open('{"format":"unseat-capture","version":"x"}'), (e) => e instanceof UnseatError && e.code === 'BAD_CAPTURE' && /form/.test(e.message));
  await assert.rejects(open(JSON.stringify({ ...whole, version: 99 })), (e) => e instanceof UnseatError && e.code === 'BAD_CAPTURE' && /later format/.test(e.message));
});
