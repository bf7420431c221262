/** The holder, run on this machine: what it says of its pages is what the lab believes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { guestProgram } from '../initramfs/build.ts';
import { findProgram } from '../program.ts';

const skip = findProgram('gcc') === null ? 'no C compiler' : false;

test('marks, copies, children and a SIGBUS that comes by itself', { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'unseat-holder-'));
  const child = spawn(await guestProgram(), ['hold', '7'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (command: string): Promise<Record<string, unknown>> => {
    child.stdin.write(`${command}\n`);
    return JSON.parse(String((await lines.next()).value)) as Record<string, unknown>;
  };
  try {
    const file = join(folder, 'f');
    assert.equal((await ask(`map name=m file=${file} size=65536 share=shared prot=rw touch=write align=4K`))['ok'], true);
    assert.deepEqual((await ask('read map=m'))['marks'], { 7: 16 });
    assert.equal((await ask('map name=p size=32768 share=private touch=write-every-other'))['ok'], true);
    const half = await ask('read map=p');
    assert.deepEqual([half['marks'], half['zero']], [{ 7: 4 }, 4]);
    assert.equal((await ask('fork'))['ok'], true);
    assert.deepEqual((await ask('child 0 read map=m'))['marks'], { 7: 16 });
    // The kernel sends BUS_MCEERR_AO to a process that waits for its next command; it must go on waiting.
    child.kill('SIGBUS');
    assert.deepEqual((await ask('read map=m'))['marks'], { 7: 16 });
    assert.equal((await ask('nonsense'))['errno'], 'EINVAL');
    assert.equal((await ask('read map=none'))['errno'], 'ENOENT');
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});
