/** A search that is interrupted and taken up again says what an uninterrupted one says; a file that is not whole is refused. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { UnseatError } from '../errors/unseat-error.ts';
import { startThread } from '../host/live/threads.ts';
import { readWhole, replaceWhole } from '../host/live/whole-file.ts';
import { BreadthFirst } from './breadth-first.ts';
import { decodeCheckpoint, encodeCheckpoint, type Identity } from './checkpoint.ts';
import { fingerprint } from './fingerprint.ts';
import { runLong } from './long-search.ts';
import { searchShared } from './parallel/shared-search.ts';
import type { Program, WithHeap } from './program.ts';
import { gupRemoval } from './protocols/gup-removal.ts';
import { randomSpecs } from './random-program.arbitrary.ts';
import { randomProgram } from './random-program.ts';
import type { Snapshot } from './snapshot.ts';
import type { Verdict } from './verdict.ts';

const now = (): number => 0;
const said = (verdict: Verdict): unknown => ({
  violations: verdict.violations.map((v) => [v.property, v.schedule]).sort(), neverSeen: verdict.neverSeen, complete: verdict.complete,
  states: verdict.stats.states, transitions: verdict.stats.transitions, depth: verdict.stats.depth, nodes: verdict.stats.nodes, columns: verdict.stats.columns,
});
const identity = <C extends WithHeap>(program: Program<C>, all = true): Identity => ({ program: program.name, fingerprint: fingerprint(program), all, symmetry: false });
const whole = (parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(parts));

/** Levels, then everything through bytes into a program that is built anew. */
function interrupted<C extends WithHeap>(make: () => Program<C>, levels: number, all: boolean): Verdict {
  const search = new BreadthFirst(make(), { now, all });
  for (let i = 0; i < levels && !search.over; i += 1) search.level();
  const bytes = whole(encodeCheckpoint(identity(make(), all), search.snapshot()));
  const program = make();
  return new BreadthFirst(program, { now, all, from: decodeCheckpoint(bytes, identity(program, all), 'x') }).run();
}

test('random programs, interrupted after any level, end with the verdict, the counts and the very ways of one that was not', () => {
  fc.assert(fc.property(randomSpecs, fc.nat(14), fc.boolean(), (spec, levels, all) => {
    assert.deepEqual(said(interrupted(() => randomProgram(spec), levels, all)), said(new BreadthFirst(randomProgram(spec), { now, all }).run()));
  }), { numRuns: 100 });
});

test('one thread takes up what several left, and several what one left', async () => {
  const whole2 = new BreadthFirst(gupRemoval(3, 1, true), { now, all: true }).run();
  const source = { kind: 'gup-removal', processes: 3, pages: 1, rightOrder: true } as const;
  const kept: Snapshot[] = [];
  const keeper = { due: () => true, keep: (snapshot: Snapshot) => { kept.push(snapshot); } };
  const stopped = await searchShared(source, { now, all: true, startThread, workers: 2, handOver: 100, together: true, maxStates: 2000, keeper });
  assert.equal(stopped.complete, false);
  const from = kept.at(-1) as Snapshot;
  const counts = ({ stats: { states, transitions, depth } }: Verdict): unknown => [states, transitions, depth];
  const afresh = (snapshot: Snapshot): Snapshot => decodeCheckpoint(whole(encodeCheckpoint(identity(gupRemoval(3, 1, true)), snapshot)), identity(gupRemoval(3, 1, true)), 'x');
  assert.deepEqual(counts(new BreadthFirst(gupRemoval(3, 1, true), { now, all: true, from: afresh(from) }).run()), counts(whole2));
  const alone = new BreadthFirst(gupRemoval(3, 1, true), { now, all: true });
  for (let i = 0; i < 9; i += 1) alone.level();
  assert.deepEqual(counts(await searchShared(source, { now, all: true, startThread, workers: 2, handOver: 1, together: true, from: afresh(alone.snapshot()) })), counts(whole2));
});

test('what is kept when a rule stops a search is what it needs to go on', async () => {
  const program = gupRemoval(3, 1, true);
  let last: Snapshot | null = null;
  let due = 0;
  const keeper = { due: () => (due += 1) % 4 === 0, keep: (snapshot: Snapshot) => { last = decodeCheckpoint(whole(encodeCheckpoint(identity(program), snapshot)), identity(program), 'x'); } };
  let interrupt = false;
  const search = new BreadthFirst(program, { now, all: true, interrupted: () => interrupt });
  let levels = 0;
  const verdict = await runLong(search, { keeper, breathe: async () => { interrupt = (levels += 1) === 10; } });
  assert.equal(verdict.stoppedBecause, 'it was interrupted');
  assert.ok(last !== null);
  assert.deepEqual(said(new BreadthFirst(gupRemoval(3, 1, true), { now, all: true, from: last }).run()), said(new BreadthFirst(gupRemoval(3, 1, true), { now, all: true }).run()));
});

const complaint = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof UnseatError) return `${error.code} ${error.message}: ${error.facts.cause ?? ''}`;
    throw error;
  }
  return 'nothing';
};

test('a file that is cut, changed or of another search is refused, and says which', () => {
  const program = gupRemoval(2, 1, true);
  const search = new BreadthFirst(program, { now, all: true });
  for (let i = 0; i < 5; i += 1) search.level();
  const bytes = whole(encodeCheckpoint(identity(program), search.snapshot()));
  const read = (b: Uint8Array<ArrayBuffer>, i: Identity = identity(program)): unknown => decodeCheckpoint(b, i, 'x');
  fc.assert(fc.property(fc.nat(bytes.length - 1), (length) => { assert.match(complaint(() => read(bytes.slice(0, length))), /^BAD_INPUT (the checkpoint is truncated|this is no checkpoint)/); }));
  fc.assert(fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
    const changed = bytes.slice();
    changed[at] = (changed[at] as number) ^ flip;
    assert.match(complaint(() => read(changed)), /^BAD_INPUT (the checkpoint is truncated or damaged|this is no checkpoint)/);
  }));
  assert.match(complaint(() => read(bytes, identity(gupRemoval(2, 2, true)))), /^BAD_INPUT the checkpoint is of another search: its program/);
  assert.match(complaint(() => read(bytes, { ...identity(program), all: false })), /another search: its all/);
  assert.match(complaint(() => read(bytes, { ...identity(program), fingerprint: '00' })), /another search: the test, the profile or the simulated kernel has changed since/);
});

test('a checkpoint of a program whose paths have changed since is refused, although it begins in the same state', () => {
  const spec = (b: number) => ({ threads: [[{ kind: 'set' as const, a: 0, b }, { kind: 'add' as const, a: 1, b: 0 }], [{ kind: 'add' as const, a: 0, b: 0 }]], word: 0, value: 9, kind: 'never' as const });
  const search = new BreadthFirst(randomProgram(spec(1)), { now, all: true });
  for (let i = 0; i < 3; i += 1) search.level();
  const program = randomProgram(spec(2));
  assert.match(complaint(() => new BreadthFirst(program, { now, all: true, from: search.snapshot() }).run()), /^BAD_INPUT what the checkpoint says of this program is not what it does/);
});

test('files are replaced as a whole, and what cannot be read or written is told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'unseat-checkpoint-'));
  try {
    const path = join(folder, 'c');
    writeFileSync(path, 'old');
    replaceWhole(path, [Uint8Array.of(1, 2), Uint8Array.of(3)]);
    assert.deepEqual([...readWhole(path)], [1, 2, 3]);
    assert.match(complaint(() => readWhole(join(folder, 'none'))), /^NOT_FOUND there is no such file/);
    assert.match(complaint(() => readWhole(folder)), /^BAD_INPUT the file cannot be read: EISDIR/);
    assert.match(complaint(() => replaceWhole(join(folder, 'no', 'where'), [])), /^WRITE_FAILED .*ENOENT/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
