/** The package as it is shipped: the bundle and the files beside it, run from a directory that has no sources. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { packageInto } from '../tools/package-into.ts';
import { capturePath } from './captures.ts';

const ROOT = resolve(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string; files: string[]; bin: { unseat: string }; scripts: Record<string, string> };
let place = '';
before(async () => {
  place = mkdtempSync(join(tmpdir(), 'unseat-package-'));
  const own = join(place, 'node_modules/unseat');
  mkdirSync(own, { recursive: true });
  for (const name of ['package.json', ...manifest.files.filter((f) => f !== 'dist')]) cpSync(join(ROOT, name), join(own, name), { recursive: true });
  await packageInto(join(own, 'dist'));
  // The one dependency that is no part of the bundle.
  symlinkSync(join(ROOT, 'node_modules/koffi'), join(place, 'node_modules/koffi'));
});
after(() => rmSync(place, { recursive: true, force: true }));

const run = (...args: string[]) => spawnSync(process.execPath, [join('node_modules/unseat', manifest.bin.unseat), ...args], { cwd: place, encoding: 'utf8' });

test('every file that the package names is there, and packing builds it', () => {
  assert.deepEqual(manifest.files.filter((name) => name !== 'dist' && !existsSync(join(ROOT, name))), []);
  assert.match(manifest.scripts['prepack'] ?? '', /build/);
});

test('it says its version, which is that of the package', () => {
  assert.equal(run('--version').stdout, `unseat ${manifest.version}\n`);
});

test('scan and plan, of this machine and of a capture', () => {
  const live = run('scan', '--no-holders');
  assert.deepEqual([live.status, live.stderr], [0, '']);
  const plan = run('plan', 'pmem0', '--from', capturePath('fsdax-7.2-ext4'));
  assert.equal(plan.status, 0, plan.stderr);
  assert.match(plan.stdout, /^pmem0: fsdax, 512 MiB/);
});

test('scan starts from kept code, and without it, or with code that V8 refuses, says the same', () => {
  const dist = join(place, 'node_modules/unseat/dist');
  const [name, ...others] = readdirSync(dist).filter((file) => file.endsWith('.code'));
  assert.deepEqual([others, name?.includes(process.version)], [[], true]);
  const kept = join(dist, name ?? '');
  const scan = (): string => {
    const { status, stdout, stderr } = run('scan', '--no-holders');
    assert.deepEqual([status, stderr], [0, '']);
    // Free memory changes from moment to moment.
    return stdout.replace(/\d+(\.\d+)? [KMG]iB/g, 'SIZE').replace(/ +/g, ' ');
  };
  const before = scan();
  const good = readFileSync(kept);
  for (const bad of [Buffer.from('not code'), good.subarray(0, 1000), Buffer.alloc(0)]) {
    writeFileSync(kept, bad);
    assert.equal(scan(), before);
  }
  rmSync(kept);
  assert.equal(scan(), before);
  assert.equal(spawnSync('sh', ['-c', manifest.scripts['postinstall'] ?? 'false'], { cwd: join(place, 'node_modules/unseat') }).status, 0);
  assert.ok(existsSync(kept), 'an install makes it again');
  assert.equal(scan(), before);
});

test('scenarios and litmus tests that come with it are found', () => {
  const simulated = run('scan', '--simulate', 'fsdax-ext4-detach');
  assert.equal(simulated.status, 0, simulated.stderr);
  assert.match(simulated.stdout, /pmem0\s+fsdax/);
  const check = run('check', 'devdax-rebind', '--profile', '7.2');
  assert.equal(check.status, 0, check.stderr);
});

test('an unknown device is an error with its code, as text and as JSON', () => {
  const text = run('plan', 'nothing', '--from', capturePath('fsdax-7.2-ext4'));
  assert.equal(text.status, 1);
  assert.match(text.stderr, /NOT_FOUND/);
  const json = run('plan', 'nothing', '--json', '--from', capturePath('fsdax-7.2-ext4'));
  assert.equal((JSON.parse(json.stdout) as { error: { code: string } }).error.code, 'NOT_FOUND');
});
