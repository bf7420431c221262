import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { endianness } from 'node:os';
import { test } from 'node:test';
import { ProcessDoor } from './process-door.ts';

const skip = endianness() === 'LE' ? false : 'little-endian machines only';

test('what is seen through the door is what node:fs sees', { skip }, (t) => {
  const door = ProcessDoor.make();
  assert.ok(door !== undefined, 'the C library has all of its calls');
  t.after(() => door.leave());
  const fd = openSync('/dev/null', 'r');
  t.after(() => closeSync(fd));
  assert.ok(door.enter(process.pid));
  for (const place of ['exe', 'cwd', 'root'] as const) {
    const { dev, ino, mode, rdev } = statSync(`/proc/self/${place}`);
    assert.deepEqual(door.numbers(place), { dev, ino, mode, rdev });
    assert.equal(door.link(place), readlinkSync(`/proc/self/${place}`));
  }
  const descriptors = door.descriptors();
  const { dev, ino, mode, rdev } = statSync('/dev/null');
  assert.deepEqual(descriptors.find((one) => one.fd === fd)?.stats, { dev, ino, mode, rdev });
  assert.equal(door.linkOf(fd), '/dev/null');
  assert.equal(new Set(descriptors.map((one) => one.fd)).size, descriptors.length);
  assert.throws(() => door.linkOf(1_000_000), { code: 'ENOENT' });
  assert.equal(door.threads(), Number(/^Threads:\s*(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]));
  assert.deepEqual(Buffer.from(door.content('cmdline')), readFileSync('/proc/self/cmdline'));
  assert.equal(door.link('ns/mnt'), readlinkSync('/proc/self/ns/mnt'));
});

test('a process that is not there, and one that has ended while the door was open', { skip }, async (t) => {
  const door = ProcessDoor.make();
  t.after(() => door?.leave());
  assert.equal(door?.enter(5_000_000), false);
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  assert.equal(door?.enter(child.pid ?? 0), true);
  child.kill('SIGKILL');
  await new Promise((done) => { child.once('exit', done); });
  assert.equal(door?.numbers('exe'), undefined);
  assert.throws(() => door?.content('stat'), { code: 'ESRCH' });
  assert.throws(() => door?.threads(), { code: 'ESRCH' });
});

test('many descriptors: the list of them comes in pieces', { skip }, (t) => {
  const fds = Array.from({ length: 6000 }, () => openSync('/dev/null', 'r'));
  t.after(() => { for (const fd of fds) closeSync(fd); });
  const door = ProcessDoor.make();
  t.after(() => door?.leave());
  door?.enter(process.pid);
  const seen = new Set(door?.descriptors().map(({ fd }) => fd));
  assert.deepEqual(fds.filter((fd) => !seen.has(fd)), []);
});
