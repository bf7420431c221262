import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isMissing } from '../fact.ts';
import type { MountNamespace } from '../host.ts';
import { openLive } from './open.ts';

const skip = process.geteuid?.() === 0 ? false : 'mount namespaces need root';

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'unseat-ns-'));
  execFileSync('mount', ['--bind', directory, directory]);
  execFileSync('mount', ['--make-private', directory]);
  t.after(() => {
    execFileSync('umount', ['-l', directory]);
    rmSync(directory, { recursive: true });
  });
  return directory;
}

const tableOf = (namespace: MountNamespace): string => (isMissing(namespace.mountinfo) ? '' : Buffer.from(namespace.mountinfo).toString());

/** A namespace with a tmpfs of that name on /mnt, kept by a file alone. */
function keep(file: string, name: string): void {
  writeFileSync(file, '');
  // A namespace's file may lie only in one with a lower id, and 6.18 gives ids out per processor: not always in order.
  for (let attempt = 0; spawnSync('unshare', [`--mount=${file}`, 'mount', '-t', 'tmpfs', name, '/mnt']).status !== 0; attempt += 1) assert.ok(attempt < 50);
}

async function ready(child: ChildProcess): Promise<void> {
  await new Promise((done) => child.stdout?.once('data', done));
}

test('a namespace kept by a bind mount of its file is found, with its mount table', { skip }, (t) => {
  const directory = scratch(t);
  keep(join(directory, 'ns'), 'kept-by-file');
  const host = openLive();
  t.after(() => host.close());
  const all = host.mounts.all();
  assert.ok(!isMissing(all));
  const kept = all.filter((namespace) => tableOf(namespace).includes('kept-by-file'));
  assert.equal(kept.length, 1);
  assert.equal(kept[0]?.pid, undefined);
  assert.match(kept[0]?.keptBy ?? '', /unseat-ns-.*\/ns$/);
  assert.ok(tableOf(kept[0] as MountNamespace).endsWith('\n'));
});

test('unmounting in a namespace that only a file keeps', { skip }, async (t) => {
  const directory = scratch(t);
  keep(join(directory, 'ns'), 'kept-and-unmounted');
  const host = openLive();
  t.after(() => host.close());
  const find = (): MountNamespace | undefined => {
    const all = host.mounts.all();
    return isMissing(all) ? undefined : all.find((namespace) => tableOf(namespace).includes('kept-and-unmounted'));
  };
  const id = find()?.id ?? 0;
  assert.equal((await host.actions?.sync(id, '/mnt', 60_000))?.ok, true);
  assert.equal((await host.actions?.unmount(id, '/mnt/nothing', 60_000))?.errno, 'ENOENT');
  assert.equal((await host.actions?.unmount(id, '/mnt', 60_000))?.ok, true);
  assert.equal(find(), undefined);
  assert.equal((await host.actions?.unmount(id, '/mnt', 60_000))?.errno, 'EINVAL');
});

test('a namespace kept by an open descriptor is found', { skip }, async (t) => {
  const directory = scratch(t);
  const file = join(directory, 'ns');
  keep(file, 'kept-by-fd');
  const holder = spawn('sh', ['-c', 'exec 9<"$1"; umount -l "$1"; echo; exec sleep 60', 'sh', file], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => holder.kill('SIGKILL'));
  await ready(holder);
  const host = openLive();
  t.after(() => host.close());
  const all = host.mounts.all();
  assert.ok(!isMissing(all));
  const kept = all.find((namespace) => tableOf(namespace).includes('kept-by-fd'));
  assert.equal(kept?.keptBy, `/proc/${holder.pid}/fd/9`);
});

test('a namespace that only a thread went to is found', { skip }, async (t) => {
  const program = `
    const { native } = await import(${JSON.stringify(join(import.meta.dirname, 'native.ts'))});
    native().unshare(0x200 | 0x20000);
    console.log('there');
    setInterval(() => {}, 1000);`;
  // Node has threads beside its first one: those stay where they were.
  const holder = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => holder.kill('SIGKILL'));
  await ready(holder);
  const host = openLive();
  t.after(() => host.close());
  const first = host.processes.namespace(holder.pid ?? 0, 'mnt');
  const tasks = readdirSync(`/proc/${holder.pid}/task`).map((tid) => readlinkSync(`/proc/${holder.pid}/task/${tid}/ns/mnt`));
  assert.equal(new Set(tasks).size, 2);
  const all = host.mounts.all();
  assert.ok(!isMissing(all));
  const ids = all.map((namespace) => `mnt:[${namespace.id}]`);
  assert.ok(tasks.every((task) => ids.includes(task)), `${tasks.join(' ')} in ${ids.join(' ')}, first ${String(first)}`);
});

test('of a namespace with a process in a chroot, the whole mount table is taken', { skip }, async (t) => {
  const directory = scratch(t);
  const script = 'mkdir "$1/jail"; mount -t tmpfs outside-of-jail /mnt; mount --bind / "$1/jail"; (exec chroot "$1/jail" sleep 60) & echo $!; exec sleep 60';
  const holder = spawn('unshare', ['-m', 'sh', '-c', script, 'sh', directory], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  t.after(() => process.kill(-(holder.pid ?? 0), 'SIGKILL'));
  await ready(holder);
  const host = openLive();
  t.after(() => host.close());
  const all = host.mounts.all();
  assert.ok(!isMissing(all));
  assert.equal(all.filter((namespace) => tableOf(namespace).includes(' /mnt ') && tableOf(namespace).includes('outside-of-jail')).length, 1);
});

test('the mount table of our own namespace is the one that the kernel shows us', () => {
  const host = openLive();
  const id = host.processes.namespace(process.pid, 'mnt');
  const all = host.mounts.all();
  assert.ok(!isMissing(all));
  assert.equal(tableOf(all.find((namespace) => namespace.id === id) as MountNamespace), readFileSync('/proc/self/mountinfo', 'utf8'));
  host.close();
});
