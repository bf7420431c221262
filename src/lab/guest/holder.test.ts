/** The holder, run on this machine: what it says of its pages is what the lab believes. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { guestProgram } from '../initramfs/build.ts';
import { findProgram } from '../program.ts';

const skip = findProgram('gcc') === null ? 'no C compiler' : false;

interface Told { readonly ask: (command: string) => Promise<Record<string, unknown>>; readonly folder: string; readonly pid: number; readonly signal: (name: NodeJS.Signals) => void }

async function withHolder(use: (told: Told) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'unseat-holder-'));
  const child = spawn(await guestProgram(), ['hold', '7'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (command: string): Promise<Record<string, unknown>> => {
    child.stdin.write(`${command}\n`);
    return JSON.parse(String((await lines.next()).value)) as Record<string, unknown>;
  };
  try {
    await use({ ask, folder, pid: child.pid ?? 0, signal: (name) => child.kill(name) });
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

test('marks, copies, children and a SIGBUS that comes by itself', { skip }, () => withHolder(async ({ ask, folder, signal }) => {
  const file = join(folder, 'f');
  assert.equal((await ask(`map name=m file=${file} size=65536 share=shared prot=rw touch=write align=4K`))['ok'], true);
  assert.deepEqual((await ask('read map=m'))['marks'], { 7: 16 });
  assert.equal((await ask('map name=p size=32768 share=private touch=write-every-other'))['ok'], true);
  const half = await ask('read map=p');
  assert.deepEqual([half['marks'], half['zero']], [{ 7: 4 }, 4]);
  assert.equal((await ask('fork'))['ok'], true);
  assert.deepEqual((await ask('child 0 read map=m'))['marks'], { 7: 16 });
  // The kernel sends BUS_MCEERR_AO to a process that waits for its next command; it must go on waiting.
  signal('SIGBUS');
  assert.deepEqual((await ask('read map=m'))['marks'], { 7: 16 });
  assert.equal((await ask('nonsense'))['errno'], 'EINVAL');
  assert.equal((await ask('read map=none'))['errno'], 'ENOENT');
}));

test('a page that is reached after the device is known to be gone is counted as stale; a file that is gone is not made anew', { skip }, () => withHolder(async ({ ask, folder }) => {
  const file = join(folder, 'f');
  assert.equal((await ask(`churn file=${file} size=65536`))['ok'], true);
  for (let rounds = 0; rounds === 0;) rounds = Number((await ask('churned gone=0'))['rounds']);
  assert.equal((await ask('churned gone=0'))['stale'], 0);
  await ask('churned gone=1');
  // Nothing has gone here: what it touches from now on is what a stale entry would be.
  for (let stale = 0; stale === 0;) stale = Number((await ask('churned gone=1'))['stale']);
  rmSync(file);
  for (let refused = 0; refused === 0;) refused = Number((await ask('churned gone=1'))['refused']);
  assert.equal((await ask('churned stop=1'))['ok'], true);
  assert.equal(existsSync(file), false);
}));

test('whoever opens later gets what is there then, or nothing', { skip }, () => withHolder(async ({ ask, folder }) => {
  const file = join(folder, 'f');
  writeFileSync(file, Buffer.alloc(8192));
  assert.equal((await ask(`later us=1000 name=late file=${file} size=8192`))['ok'], true);
  for (let ended = 0; ended === 0;) ended = Number((await ask('latered'))['ended']);
  assert.equal((await ask('latered'))['mapped'], 1);
  assert.equal((await ask('read map=late'))['zero'], 2);
}));

test('what is written to a file carries the mark of its writer; a device is tried by a write alone', { skip }, () => withHolder(async ({ ask, folder }) => {
  const file = join(folder, 'f');
  assert.equal((await ask(`open path=${file} name=/dev/x write=16384 fsync=1 direct=0`))['ok'], true);
  assert.deepEqual((await ask('io'))['calls'], { '/dev/x pwrite': 'ok', '/dev/x pread': 'ok', '/dev/x fsync': 'ok' });
  assert.equal((await ask(`map name=m file=${file} size=16384 share=shared prot=r touch=read align=4K`))['ok'], true);
  assert.deepEqual((await ask('read map=m'))['marks'], { 7: 4 });
  assert.deepEqual(await ask(`map name=n file=${file}-none size=4096 share=shared prot=r touch=read`), { ok: false, what: 'open', errno: 'ENOENT' });
  assert.equal((await ask('signals'))['ao'], 0);
  const counted = spawnSync(await guestProgram(), ['marks', file], { encoding: 'utf8' });
  // O_DIRECT is not for every file system of a test folder.
  if (counted.status === 0) assert.deepEqual(JSON.parse(counted.stdout), { ok: true, marks: { 7: 4 } });
}));

test('an injected madvise drops the pages of a running holder, which goes on as if nothing had been', { skip }, () => withHolder(async ({ ask, pid }) => {
  const map = await ask('map name=m size=32768 share=private prot=rw touch=write align=4K');
  assert.deepEqual((await ask('read map=m'))['marks'], { 7: 8 });
  const done = spawnSync(await guestProgram(), ['inject-madvise', String(pid), String(map['address']), String(map['size'])], { encoding: 'utf8' });
  assert.deepEqual(JSON.parse(done.stdout), { ok: true });
  assert.equal((await ask('read map=m'))['zero'], 8);
}));
