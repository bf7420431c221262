/** `unseat remove` refuses, shows and asks before it does anything. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { consent } from '../../src/cli/print/consent.ts';
import { Output } from '../../src/cli/print/output.ts';
import { UnseatError } from '../../src/errors/unseat-error.ts';

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts');
const CAPTURE = resolve(import.meta.dirname, '../../fixtures/captures/fsdax-7.2-ext4.tar.gz');
const unseat = (...args: string[]): { status: number | null; out: string; err: string } => {
  const ran = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', input: '' });
  return { status: ran.status, out: ran.stdout, err: ran.stderr };
};

test('a held device is refused: exit 3, the holder named, the next step', () => {
  const { status, err } = unseat('remove', 'pmem0', '--from', CAPTURE);
  assert.equal(status, 3);
  assert.match(err, /pid 150 \(h\) maps 4 MiB.*\[HELD\]/);
  assert.match(err, /--detach/);
});

test('--dry-run says every write and call, in order, and refuses nothing', () => {
  const { status, out } = unseat('remove', 'pmem0', '--detach', '--dry-run', '--from', CAPTURE);
  assert.equal(status, 0);
  const order = [/stop pid 150/, /inject into pid 150: memfd_create\("unseat", MFD_CLOEXEC\)/, /inject into pid 150: mmap\(0x7f560fa00000, 0x400000, PROT_READ\|PROT_WRITE, MAP_SHARED\|MAP_FIXED, 5, 0\)/, /umount2\(\/mnt, 0\)/, /write: pfn0\.0 > \/sys\/bus\/nd\/drivers\/nd_pmem\/unbind/];
  const places = order.map((line) => out.search(line));
  assert.ok(places.every((at, i) => at >= 0 && (i === 0 || at > (places[i - 1] ?? 0))), out);
});

test('a capture cannot be changed: refused like every removal that is not begun; two ways at once are a wrong command line', () => {
  const { status, out } = unseat('remove', 'pmem0', '--detach', '--yes', 'pmem0', '--from', CAPTURE, '--json');
  assert.deepEqual([status, JSON.parse(out).error.code], [3, 'READ_ONLY']);
  assert.equal(unseat('remove', 'pmem0', '--detach', '--kill', '--from', CAPTURE).status, 2);
});

test('consent is the name of the device, or nothing happens', async () => {
  const out = new Output({ json: true, color: false, width: 80, progress: false });
  const way = { way: 'detach', consequences: [], steps: [] } as const;
  await consent({ deviceName: 'pmem0' }, ['pmem0', '/mnt'], '/mnt', way, out);
  for (const given of ['pmem1', 'yes', '']) {
    await assert.rejects(consent({ deviceName: 'pmem0' }, ['pmem0'], given, way, out), (e) => e instanceof UnseatError && e.code === 'NO_CONSENT');
  }
  if (process.stdin.isTTY !== true) await assert.rejects(consent({ deviceName: 'pmem0' }, ['pmem0'], null, way, out), (e) => e instanceof UnseatError && e.code === 'NO_CONSENT');
});
