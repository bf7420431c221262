/** The holder, run on this machine: what it says of its pages is what the lab believes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { guestProgram } from '../initramfs/build.ts';
import { findProgram } from '../program.ts';

const skip = findProgram('gcc') === null ? 'no C compiler' : false;

interface Told { readonly ask: (command: string) => Promise<Record<string, unknown>>; readonly folder: string; readonly signal: (name: NodeJS.Signals) => void }

async function withHolder(use: (told: Told) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'unseat-holder-'));
  const child = spawn(await guestProgram(), ['hold', '7'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (command: string): Promise<Record<string, unknown>> => {
    child.stdin.write(`${command}\n`);
    return JSON.parse(String((await lines.next()).value)) as Record<string, unknown>;
  };
  try {
    await use({ ask, folder, signal: (name) => child.kill(name) });
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
