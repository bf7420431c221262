/** What stands in the pipe of another process is counted, and nothing is taken. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isMissing } from '../../fact.ts';
import { pipeBytes } from './pipe-bytes.ts';
import { readStat } from './proc.ts';

const skip = process.geteuid?.() === 0 ? false : 'needs root (pidfd_getfd of another process)';

test('bytes in a pipe: as many as were written, and as many at the next look; none in an empty one', { skip }, (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'unseat-pipe-'));
  execFileSync('mkfifo', [join(directory, 'fifo')]);
  // Node gives its children sockets where it says pipes.
  const fifo = openSync(join(directory, 'fifo'), 'r+');
  const child = spawn('sleep', ['60'], { stdio: [fifo, 'ignore', 'ignore'] });
  t.after(() => {
    child.kill('SIGKILL');
    closeSync(fifo);
    rmSync(directory, { recursive: true });
  });
  const pid = child.pid ?? 0;
  const ref = { pid, startTime: readStat(pid)?.startTime ?? -1 };
  assert.equal(pipeBytes(ref, 0), 0);
  writeSync(fifo, '0123456789');
  assert.equal(pipeBytes(ref, 0), 10);
  assert.equal(pipeBytes(ref, 0), 10);
  const other = pipeBytes({ ...ref, startTime: ref.startTime + 1 }, 0);
  assert.ok(isMissing(other) && other.missing === 'vanished');
  const none = pipeBytes(ref, 999);
  assert.ok(isMissing(none) && none.detail === 'EBADF');
});
