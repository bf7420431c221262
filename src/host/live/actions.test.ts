import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Actions } from '../actions.ts';
import { isMissing } from '../fact.ts';
import type { Host } from '../host.ts';
import { openLive } from './open.ts';
import { parseStat } from './process-acts.ts';

const needsRoot = process.geteuid?.() === 0 ? false : 'needs root';

interface Bench { readonly host: Host; readonly actions: Actions; readonly directory: string }

function bench(t: TestContext): Bench {
  const host = openLive();
  const directory = mkdtempSync(join(tmpdir(), 'unseat-act-'));
  t.after(() => {
    host.close();
    rmSync(directory, { recursive: true });
  });
  assert.ok(host.actions !== undefined);
  return { host, actions: host.actions, directory };
}

function sleeper(t: TestContext, ...argv: string[]): ChildProcess {
  const child = spawn(argv[0] ?? 'sleep', argv.slice(1), { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

function startTime(host: Host, pid: number): number {
  const stat = host.processes.read(pid, 'stat');
  return isMissing(stat) ? -1 : (parseStat(stat)?.startTime ?? -1);
}

test('a write is one write(2) and creates nothing', async (t) => {
  const { actions, directory } = bench(t);
  const file = join(directory, 'file');
  assert.deepEqual(await actions.write(file, 'x', 60_000).then(({ ok, errno, definite }) => ({ ok, errno, definite })), { ok: false, errno: 'ENOENT', definite: true });
  writeFileSync(file, 'abcdef');
  assert.equal((await actions.write(file, 'XY', 60_000)).ok, true);
  assert.equal(readFileSync(file, 'utf8'), 'XYcdef');
});

test('what the kernel refuses is told by its errno', async (t) => {
  const { actions } = bench(t);
  const result = await actions.write('/proc/self/oom_score_adj', 'not a number', 60_000);
  assert.deepEqual({ ok: result.ok, errno: result.errno, definite: result.definite }, { ok: false, errno: 'EINVAL', definite: true });
});

test('a short write is an error', { skip: needsRoot }, async (t) => {
  const { actions, directory } = bench(t);
  // One page is all that the file system has.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'short', directory]);
  const file = join(directory, 'file');
  writeFileSync(file, '');
  const result = await actions.write(file, 'x'.repeat(6000), 60_000);
  execFileSync('umount', [directory]);
  assert.deepEqual([result.ok, result.errno, result.definite, result.detail], [false, 'SHORT_WRITE', true, '4096 of 6000 bytes taken']);
});

test('a write that hangs is given up at the deadline, its outcome uncertain, and the next one works', async (t) => {
  const { actions, directory } = bench(t);
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const hung = await actions.write(pipe, 'x', 200);
  assert.deepEqual({ ok: hung.ok, errno: hung.errno, definite: hung.definite }, { ok: false, errno: 'ETIMEDOUT', definite: false });
  const file = join(directory, 'file');
  writeFileSync(file, '');
  assert.equal((await actions.write(file, 'y', 60_000)).ok, true);
});

test('two writes at the same time do not wait for each other', async (t) => {
  const { actions, directory } = bench(t);
  const pipe = join(directory, 'pipe');
  const file = join(directory, 'file');
  execFileSync('mkfifo', [pipe]);
  writeFileSync(file, '');
  const hung = actions.write(pipe, 'x', 60_000);
  assert.equal((await actions.write(file, 'y', 60_000)).ok, true);
  execFileSync('cat', [pipe]);
  assert.equal((await hung).ok, true);
});

test('a signal goes to the process that was meant, or to none', async (t) => {
  const { host, actions } = bench(t);
  const child = sleeper(t, 'sleep', '60');
  const pid = child.pid ?? 0;
  const start = startTime(host, pid);
  assert.equal((await actions.signal({ pid, startTime: start + 1 }, 'SIGKILL')).errno, 'ESRCH');
  assert.equal((await actions.awaitExit({ pid, startTime: start }, 20)).errno, 'ETIMEDOUT');
  assert.equal((await actions.signal({ pid, startTime: start }, 'SIGKILL')).ok, true);
  assert.equal((await actions.awaitExit({ pid, startTime: start }, 60_000)).ok, true);
  while (child.signalCode === null) await host.time.sleep(1);
  assert.equal((await actions.signal({ pid, startTime: start }, 'SIGKILL')).errno, 'ESRCH');
});

test('a zombie is gone: its memory is', async (t) => {
  const { host, actions } = bench(t);
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => parent.kill('SIGKILL'));
  const pid = Number(await new Promise((done) => parent.stdout.once('data', done)));
  const target = { pid, startTime: startTime(host, pid) };
  // A shell would reap it; the sleep that the shell becomes does not.
  while (readFileSync(`/proc/${parent.pid}/comm`, 'utf8').trim() !== 'sleep') await host.time.sleep(1);
  await actions.signal(target, 'SIGKILL');
  assert.equal((await actions.awaitExit(target, 60_000)).ok, true);
  assert.ok(statSync(`/proc/${pid}`).isDirectory(), 'still there as a zombie');
});

test('programs run without a shell, with their output, status and deadline', async (t) => {
  const { actions } = bench(t);
  assert.equal((await actions.run('echo', ['$HOME; ls'], 60_000)).stdout, '$HOME; ls\n');
  const failed = await actions.run('sh', ['-c', 'echo why >&2; exit 3'], 60_000);
  assert.deepEqual([failed.ok, failed.definite, failed.detail], [false, true, 'sh: exit status 3: why']);
  assert.equal((await actions.run('sleep', ['60'], 100)).definite, false);
  assert.equal((await actions.run('no-such-program-here', [], 100)).errno, 'ENOENT');
});

test('the store appends, replaces, lists and removes', async (t) => {
  const { actions: { store }, directory } = bench(t);
  const file = join(directory, 'run/unseat/journal');
  await store.append(file, 'one\n');
  await store.append(file, 'two\n');
  assert.equal(store.read(file), 'one\ntwo\n');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await store.replace(file, 'three\n');
  assert.equal(store.read(file), 'three\n');
  assert.deepEqual(store.list(join(directory, 'run/unseat')), ['journal']);
  await store.remove(file);
  await store.remove(file);
  assert.ok(isMissing(store.read(file)));
});

test('sync, shutdown and unmount of a file system on a loop device', { skip: needsRoot }, async (t) => {
  const { host, actions, directory } = bench(t);
  const image = join(directory, 'image');
  const mountPoint = join(directory, 'mnt');
  execFileSync('sh', ['-c', 'truncate -s 16M "$1"; mkfs.ext4 -q "$1"; mkdir "$2"; mount -o loop "$1" "$2"', 'sh', image, mountPoint]);
  t.after(() => spawn('umount', ['-q', mountPoint]));
  const id = host.processes.namespace(process.pid, 'mnt');
  assert.ok(!isMissing(id));
  writeFileSync(join(mountPoint, 'file'), 'kept');
  assert.equal((await actions.sync(id, mountPoint, 60_000)).ok, true);
  const holder = sleeper(t, 'sh', '-c', 'cd "$1" && exec sleep 60', 'sh', mountPoint);
  while (!isMissing(host.processes.place(holder.pid ?? 0, 'cwd')) && (host.processes.place(holder.pid ?? 0, 'cwd') as { target: string }).target !== mountPoint) await host.time.sleep(5);
  assert.equal((await actions.unmount(id, mountPoint, 60_000)).errno, 'EBUSY');
  assert.equal((await actions.shutdownFilesystem(id, mountPoint, 1)).ok, true);
  assert.throws(() => writeFileSync(join(mountPoint, 'file'), 'lost'), { code: 'EIO' });
  const target = { pid: holder.pid ?? 0, startTime: startTime(host, holder.pid ?? 0) };
  await actions.signal(target, 'SIGKILL');
  await actions.awaitExit(target, 60_000);
  assert.equal((await actions.unmount(id, mountPoint, 60_000)).ok, true);
});

test('unmounting in the mount namespace of another process leaves ours alone', { skip: needsRoot }, async (t) => {
  const { host, actions, directory } = bench(t);
  const other = spawn('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs there-only "$1"; echo; exec sleep 60', 'sh', directory], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => other.kill('SIGKILL'));
  await new Promise((done) => other.stdout.once('data', done));
  const id = host.processes.namespace(other.pid ?? 0, 'mnt');
  assert.ok(!isMissing(id));
  const ours = host.processes.namespace(process.pid, 'mnt');
  assert.equal((await actions.unmount(Number(ours), directory, 60_000)).errno, 'EINVAL');
  // Somebody who looks at the tree just then (another test's search) keeps it busy for a moment.
  let unmounted = await actions.unmount(id, directory, 60_000);
  for (let tries = 0; tries < 50 && unmounted.errno === 'EBUSY'; tries += 1) unmounted = await actions.unmount(id, directory, 60_000);
  assert.equal(unmounted.ok, true, JSON.stringify(unmounted));
  assert.ok(!readFileSync(`/proc/${other.pid}/mountinfo`, 'utf8').includes('there-only'));
});

test('what is no swap cannot be swapped off', { skip: needsRoot }, async (t) => {
  const { actions } = bench(t);
  assert.equal((await actions.swapOff('/proc/version', 60_000)).errno, 'EINVAL');
});
