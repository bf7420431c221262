/** `unseat check` by its other searches: what combines, what is kept, and that every one says the same of the same test. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { readSearchOptions } from '../src/cli/commands/check/search-options.ts';
import { progressLine, searchAll } from '../src/cli/commands/check/search.ts';
import { Output } from '../src/cli/print/output.ts';
import { UnseatError } from '../src/errors/unseat-error.ts';
import { checkLitmus } from '../src/explore/litmus/check.ts';
import { readLitmus } from '../src/explore/litmus/read.ts';
import { checkBy, type StrategyOptions } from '../src/explore/litmus/strategy.ts';
import { searchShared } from '../src/explore/parallel/shared-search.ts';
import { startThread } from '../src/host/live/threads.ts';
import type { Profile } from '../src/profile/profile.ts';
import { profileByName } from '../src/profile/select.ts';

const root = resolve(import.meta.dirname, '..');
const unseat = (...args: string[]): { status: number | null; out: string; err: string } => {
  const run = spawnSync(process.execPath, [join(root, 'src/cli/main.ts'), ...args], { encoding: 'utf8', env: { ...process.env, COLUMNS: '200', NO_COLOR: '1' } });
  return { status: run.status, out: run.stdout, err: run.stderr };
};
const TEXT = readFileSync(join(root, 'litmus/removal-latecomer.yaml'), 'utf8');
const profile = profileByName('6.12') as Profile;
const common: StrategyOptions = { strategy: { kind: 'breadth' }, now: () => 0, all: false, reduce: false, workers: 1, selfCheck: 0, startThread, sleep: async () => undefined };
const full = checkLitmus(readLitmus(TEXT, 'x'), profile, { now: () => 0, all: true, reduce: false }).verdict;

test('every search sees the same states of a test that holds, and finds the outcome of one that does not', async () => {
  const searches: Partial<StrategyOptions>[] = [{ strategy: { kind: 'depth' } }, { strategy: { kind: 'depth', seed: 5 } }, { strategy: { kind: 'preemptions', bound: 50 } }, { workers: 2 }, { selfCheck: 16 }, { remember: false }];
  for (const how of searches) {
    const { status, verdict } = await checkBy(readLitmus(TEXT, 'x'), TEXT, profile, { ...common, ...how });
    assert.deepEqual([status, verdict?.complete, verdict?.stats.states], ['ok', true, full?.stats.states], JSON.stringify(how));
  }
  const run = unseat('check', 'fsdax-fault-unbind', '--profile', '6.12', '--search', 'depth');
  assert.match(run.out, /stale-mapping +as expected/);
});

test('a search is kept when it stops, and ends as if it had not been stopped', () => {
  const folder = mkdtempSync(join(tmpdir(), 'unseat-check-'));
  try {
    const file = join(folder, 'search');
    const check = (...args: string[]): ReturnType<typeof unseat> => unseat('check', 'removal-latecomer', '--profile', '6.12', ...args);
    const first = check('--checkpoint', file, '--max-states', '600');
    assert.equal(first.status, 4);
    assert.match(first.err, /kept in .*search: 6\d\d states, depth \d+; go on with --resume/);
    const [resumed] = JSON.parse(check('--resume', file, '--json').out) as { status: string; verdict: { stats: { states: number; transitions: number } } }[];
    assert.deepEqual([resumed?.status, resumed?.verdict.stats.states, resumed?.verdict.stats.transitions], ['ok', full?.stats.states, full?.stats.transitions]);
    const nowhere = check('--checkpoint', join(folder, 'no', 'where'));
    assert.equal(nowhere.status, 1);
    assert.match(nowhere.err, /the file cannot be written \[WRITE_FAILED\]/);
    writeFileSync(file, readFileSync(file).subarray(0, 1000));
    const cut = check('--resume', file);
    assert.equal(cut.status, 1);
    assert.match(cut.err, /truncated or damaged \[BAD_INPUT\]/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('workers build a litmus test anew each, and say what one thread says', async () => {
  const together = await searchShared({ kind: 'litmus', text: TEXT, path: 'x', profile: '6.12' }, { now: () => 0, startThread, workers: 2, handOver: 50, together: true, all: true });
  assert.deepEqual([together.complete, together.stats.states, together.stats.transitions, together.neverSeen], [true, full?.stats.states, full?.stats.transitions, full?.neverSeen]);
});

test('what does not combine or is no number is refused by name', () => {
  const complaint = (options: Record<string, unknown>): string => {
    try {
      readSearchOptions(options);
      return 'none';
    } catch (error) {
      return error instanceof UnseatError ? `${error.code} ${error.facts.subject ?? ''} ${error.message}` : String(error);
    }
  };
  assert.equal(complaint({}), 'none');
  assert.match(complaint({ search: 'wide' }), /^USAGE --search there is no such search/);
  assert.match(complaint({ search: 'preemptions=' }), /^USAGE --search/);
  assert.match(complaint({ search: 'depth', workers: '2' }), /^USAGE .*search of one thread/);
  assert.match(complaint({ search: 'preemptions=2', checkpoint: 'f' }), /^USAGE/);
  assert.match(complaint({ seed: '3' }), /^USAGE .*--seed is for --search depth/);
  assert.match(complaint({ workers: '0' }), /^USAGE --workers a whole number from 1 to 64/);
  assert.match(complaint({ workers: '1.5' }), /^USAGE --workers/);
  assert.match(complaint({ maxTime: 'soon' }), /^USAGE --max-time "soon" is no number of seconds/);
  assert.match(complaint({ maxMemory: '-1' }), /^USAGE --max-memory/);
  assert.match(complaint({ maxStates: 'many' }), /^USAGE --max-states "many" is no number of states/);
});

test('what is kept is one search', async () => {
  const choice = readSearchOptions({ checkpoint: '/nowhere/x' });
  const job = { test: readLitmus(TEXT, 'x'), text: TEXT, profile };
  await assert.rejects(searchAll([job, job], choice, false, Output.forProcess(false)), (e: unknown) => e instanceof UnseatError && e.code === 'USAGE' && e.facts.seen === '2 searches');
});

test('progress tells a rate once there is one', () => {
  assert.equal(progressLine('x on 7.2', 500, 7, 900), 'x on 7.2: 500 states, depth 7');
  assert.equal(progressLine('x on 7.2', 3_000_000, 40, 4000), 'x on 7.2: 3000000 states, depth 40, 750 thousand states/s');
});
