import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Answer } from './operations.ts';
import { mountTableOf } from './statmount.ts';

const [major = 0, minor = 0] = readFileSync('/proc/sys/kernel/osrelease', 'utf8').split('.').map(Number);
const skip = process.geteuid?.() !== 0 ? 'mount namespaces need root' : major < 6 || (major === 6 && minor < 13) ? 'statmount(2) tells the source of a mount from 6.13 on' : false;

test('our own mount table is that of /proc/self/mountinfo', { skip }, () => {
  assert.equal(mountTableOf(statSync('/proc/self/ns/mnt').ino), readFileSync('/proc/self/mountinfo', 'latin1'));
});

test('a namespace in which nobody is, with hard names, bind mounts and propagation, as it was seen from inside', { skip }, (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'unseat-statmount-'));
  execFileSync('mount', ['--bind', directory, directory]);
  execFileSync('mount', ['--make-private', directory]);
  t.after(() => {
    execFileSync('umount', ['-l', directory]);
    rmSync(directory, { recursive: true });
  });
  const file = join(directory, 'ns');
  writeFileSync(file, '');
  mkdirSync(join(directory, 'a b\nc#\\d'));
  const script = `mount -t tmpfs -o size=4096k,mode=700,ro,nosuid,noatime 'sour ce#1' "$1/a b
c#\\\\d" && mount --make-shared "$1/a b
c#\\\\d" && mkdir -p /mnt && mount -t tmpfs -o nodev,noexec,strictatime,nodiratime,sync x /mnt && mkdir "/mnt/s ub" && mount --bind "/mnt/s ub" /mnt && mount --make-unbindable /mnt && cat /proc/self/mountinfo`;
  let inside = { status: 1 as number | null, stdout: '', stderr: '' };
  // A namespace's file may lie only in one with a lower id, and 6.18 gives ids out per processor: not always in order.
  for (let attempt = 0; inside.status !== 0 && attempt < 500; attempt += 1) inside = spawnSync('unshare', [`--mount=${file}`, 'sh', '-c', script, 'sh', directory], { encoding: 'latin1' });
  assert.equal(inside.status, 0, inside.stderr);
  const table = mountTableOf(statSync(file).ino);
  assert.match(table ?? '', /a\\040b\\012c#\\134d ro,nosuid,noatime shared:\d+ - tmpfs sour\\040ce\\0431 /);
  assert.equal(table, inside.stdout);
  // What older kernels need: a child that goes there.
  const id = statSync(file).ino;
  const child = spawnSync(process.execPath, [join(import.meta.dirname, 'child.ts'), JSON.stringify({ do: 'mountinfo', doors: [{ id, file }] })], { encoding: 'latin1' });
  assert.equal((JSON.parse(child.stdout) as Answer).texts?.[id], table);
});

test('a namespace that is not there', { skip }, () => {
  assert.equal(mountTableOf(1), undefined);
});
