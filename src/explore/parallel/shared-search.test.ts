/** Several threads over one table: states, verdict and length are those of one thread. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UnseatError } from '../../errors/unseat-error.ts';
import { startThread } from '../../host/live/threads.ts';
import { BreadthFirst } from '../breadth-first.ts';
import { gupRemoval } from '../protocols/gup-removal.ts';
import { randomSpecs } from '../random-program.arbitrary.ts';
import { randomProgram } from '../random-program.ts';
import { replay, parseSchedule } from '../replay.ts';
import type { Verdict } from '../verdict.ts';
import { growing } from './odd-programs.ts';
import { searchShared, type SharedOptions } from './shared-search.ts';

const now = (): number => 0;
const said = (verdict: Verdict): unknown => ({
  states: verdict.stats.states, transitions: verdict.stats.transitions, depth: verdict.stats.depth, complete: verdict.complete, stopped: verdict.stoppedBecause,
  neverSeen: verdict.neverSeen, violations: verdict.violations.map((v) => [v.property, v.kind, v.trace.length]).sort(),
});
const options = (workers: number, more: Partial<SharedOptions> = {}): SharedOptions => ({ now, startThread, workers, handOver: 100, together: true, all: true, ...more });

for (const workers of [1, 2, 3]) {
  test(`the protocol with ${workers} workers: as many states and transitions, the same verdict, the same length`, async () => {
    for (const [processes, pages, rightOrder] of [[2, 2, true], [3, 1, false]] as const) {
      const alone = new BreadthFirst(gupRemoval(processes, pages, rightOrder), { now, all: true }).run();
      const together = await searchShared({ kind: 'gup-removal', processes, pages, rightOrder }, options(workers));
      assert.deepEqual(said(together), said(alone));
    }
  });
}

test('threads that come in the middle of a search take part from there on, or come too late: the same is said', async () => {
  const alone = new BreadthFirst(gupRemoval(3, 2, true), { now, all: true }).run();
  for (const handOver of [1, 20_000]) assert.deepEqual(said(await searchShared({ kind: 'gup-removal', processes: 3, pages: 2, rightOrder: true }, options(3, { together: false, handOver }))), said(alone));
});

test('symmetry combines with workers (which of the states that are the same is expanded may differ)', async () => {
  const alone = new BreadthFirst(gupRemoval(3, 2, true), { now, all: true, symmetry: true }).run();
  const together = await searchShared({ kind: 'gup-removal', processes: 3, pages: 2, rightOrder: true }, options(2, { symmetry: true }));
  assert.deepEqual(said(together), said(alone));
});

test('the way that several threads found can be replayed, also after the table has stopped to keep where states came from', async () => {
  const source = { kind: 'gup-removal', processes: 3, pages: 2, rightOrder: false } as const;
  const nearest = new BreadthFirst(gupRemoval(3, 2, false), { now }).run();
  for (const parentsUpTo of [Infinity, 1]) {
    assert.equal(new BreadthFirst(gupRemoval(3, 2, false), { now, parentsUpTo }).run().violations[0]?.schedule, nearest.violations[0]?.schedule);
    const { violations, stoppedBecause } = await searchShared(source, options(2, { all: false, handOver: 5000, parentsUpTo }));
    assert.equal(stoppedBecause, 'a violation was found');
    assert.equal(violations[0]?.trace.length, nearest.violations[0]?.trace.length);
    assert.deepEqual(replay(gupRemoval(3, 2, false), parseSchedule(violations[0]?.schedule ?? '', 4)).trace, violations[0]?.trace);
  }
});

test('random programs, handed over after their first state', async () => {
  await fc.assert(fc.asyncProperty(randomSpecs, async (spec) => {
    const alone = new BreadthFirst(randomProgram(spec), { now, all: true }).run();
    const source = { kind: 'module', module: new URL('../random-program.ts', import.meta.url).href, make: 'randomProgram', argument: spec } as const;
    assert.deepEqual(said(await searchShared(source, options(2, { handOver: 1 }))), said(alone));
  }), { numRuns: Number(process.env['UNSEAT_SEEDS'] ?? 0) > 0 ? 200 : 8 });
});

test('a limit of states stops at the same level whoever counts', async () => {
  const alone = new BreadthFirst(gupRemoval(3, 2, true), { now, all: true, maxStates: 5000 }).run();
  assert.deepEqual(said(await searchShared({ kind: 'gup-removal', processes: 3, pages: 2, rightOrder: true }, options(2, { maxStates: 5000 }))), said(alone));
});

const odd = (make: string): Parameters<typeof searchShared>[0] => ({ kind: 'module', module: new URL('./odd-programs.ts', import.meta.url).href, make, argument: null });

test('memory that paths reserve while they are explored lies at the same place in every thread', async () => {
  const alone = new BreadthFirst(growing(), { now, all: true }).run();
  assert.deepEqual(said(await searchShared(odd('growing'), options(2, { handOver: 1 }))), said(alone));
});

test('what a worker throws arrives with its code, and a set-up that differs is told', async () => {
  await assert.rejects(searchShared(odd('fickle'), options(2, { handOver: 1 })), (e: unknown) => e instanceof UnseatError && e.code === 'INTERNAL' && /does not do the same|did something else/.test(e.message));
  await assert.rejects(searchShared(odd('unlike'), options(2, { handOver: 1 })), /set-up of this program is not the same each time/);
});
