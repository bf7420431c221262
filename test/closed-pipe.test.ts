/** A reader that goes away is no defect, and must not end a command half way; what could not be written is told by the status. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { errorText } from '../src/cli/print/output.ts';
import { UnseatError } from '../src/errors/unseat-error.ts';

const ROOT = resolve(import.meta.dirname, '..');

test('output into a closed pipe ends in silence, with the status of the command', () => {
  // `true` reads nothing and is gone long before the first line is written.
  const script = `set -o pipefail; '${process.execPath}' src/cli/main.ts plan pmem0 --json --from fixtures/captures/fsdax-7.2-ext4.tar.gz | true`;
  const { status, stderr } = spawnSync('bash', ['-c', script], { cwd: ROOT, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('a disk that is full: said in one line without a trace, and the status tells; a file that takes only a part of it likewise', () => {
  const unseat = (script: string): { status: number | null; stderr: string } => spawnSync('bash', ['-c', `run() { '${process.execPath}' src/cli/main.ts "$@"; }; ${script}`], { cwd: ROOT, encoding: 'utf8' });
  const plan = 'plan pmem0 --from fixtures/captures/fsdax-7.2-ext4.tar.gz';
  for (const script of [`run ${plan} --json > /dev/full`, 'run scan > /dev/full']) {
    const { status, stderr } = unseat(script);
    assert.deepEqual([status, stderr], [1, 'unseat: what was to be printed could not be written (ENOSPC)\n'], script);
  }
  // Files of at most 1 KiB: the first write is a short one. The signal is ignored, so that the second says EFBIG.
  const file = join(mkdtempSync(join(tmpdir(), 'unseat-full-')), 'out');
  const { status, stderr } = unseat(`ulimit -f 1; trap '' XFSZ; run ${plan} > ${file}`);
  rmSync(dirname(file), { recursive: true });
  assert.deepEqual([status, stderr], [1, 'unseat: what was to be printed could not be written (EFBIG)\n']);
});

test('an error shows no control sequence and no line break of a name, and not all of an endless one', () => {
  for (const [name, shown] of [['\u001b[31mred', '\\x1b[31mred'], ['a\nunseat: b', 'a\\x0aunseat: b'], ['', '""'], ['x'.repeat(5000), `${'x'.repeat(200)}… (5000 characters)`]] as const) {
    assert.equal(errorText(new UnseatError('NOT_FOUND', 'no such \u0007 thing', { subject: name, seen: '\u202e', next: 'Two\nlines.' })), `unseat: ${shown}: no such \\x07 thing [NOT_FOUND]\n  seen:  \\u202e\n  next:  Two\nlines.\n`);
  }
});
