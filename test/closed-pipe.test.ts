/** A reader that goes away is no defect, and must not end a command half way. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '..');

test('output into a closed pipe ends in silence, with the status of the command', () => {
  // `true` reads nothing and is gone long before the first line is written.
  const script = `set -o pipefail; '${process.execPath}' src/cli/main.ts plan pmem0 --json --from fixtures/captures/fsdax-7.2-ext4.tar.gz | true`;
  const { status, stderr } = spawnSync('bash', ['-c', script], { cwd: ROOT, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
});
