/** `unseat check` and `unseat compare` as commands. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');
const unseat = (...args: string[]): { status: number | null; out: string; err: string } => {
  const run = spawnSync(process.execPath, [join(root, 'src/cli/main.ts'), ...args], { encoding: 'utf8', env: { ...process.env, COLUMNS: '200', NO_COLOR: '1' } });
  return { status: run.status, out: run.stdout, err: run.stderr };
};

test('an expected violation is no error, and its counterexample can be asked for', () => {
  const run = unseat('check', 'fsdax-fault-unbind', '--profile', '7.2', '--trace', 'text');
  assert.equal(run.status, 0, run.err);
  assert.match(run.out, /fsdax-fault-unbind +7\.2 +oops +as expected/);
  assert.match(run.out, /OOPS in \w+: the\s+struct page\s+is\s+gone/);
  assert.match(run.out, /--replay "0 0 0/);
});

test('a verdict that is not the pinned one is told, with its counterexample, by status 4', () => {
  const folder = mkdtempSync(join(tmpdir(), 'unseat-check-'));
  try {
    const path = join(folder, 'wrong.yaml');
    writeFileSync(path, readFileSync(join(root, 'litmus/devdax-rebind.yaml'), 'utf8').replace(/expect:[^]*/, 'expect:\n  default: ok\n'));
    const run = unseat('check', path, '--profile', '7.2');
    assert.equal(run.status, 4);
    assert.match(run.out, /cross-read +NOT EXPECTED/);
    assert.match(run.out, /reads across domains \(CPU\): 0 -> 1/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a bound that is reached is no proof, and says so by status 4', () => {
  const run = unseat('check', 'removal-detach', '--profile', '6.12', '--max-states', '10');
  assert.equal(run.status, 4);
  assert.match(run.out, /bounded +NOT EXPECTED/);
});

test('JSON is one document; a replay is its trace', () => {
  const results = JSON.parse(unseat('check', 'devdax-pin-kept', '--json').out) as { profile: string; status: string; violated: string[] }[];
  assert.deepEqual(results.find((r) => r.profile === '5.10')?.violated, ['hang']);
  const replayed = JSON.parse(unseat('check', 'fsdax-fault-unbind', '--profile', '7.2', '--replay', '0 0 1', '--json').out) as { trace: { thread: string }[] };
  assert.deepEqual(replayed.trace.map((s) => s.thread), ['reader', 'reader', 'remover']);
});

test('names that are not there are told by status', () => {
  assert.equal(unseat('check', 'no-such-test').status, 1);
  assert.equal(unseat('check', 'devdax-unbind', '--profile', '9.9').status, 2);
  assert.equal(unseat('check', 'devdax-unbind', '--max-states', 'many').status, 2);
  assert.equal(unseat('compare', 'no-such-profile').status, 2);
});

test('compare draws its curves', () => {
  const run = unseat('compare', '7.2', 'proposal:inode-walk', '--svg');
  assert.equal(run.status, 0, run.err);
  assert.match(run.out, /^<svg /);
});
