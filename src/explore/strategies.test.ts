/** Depth-first search and search by preemptions: they see what breadth-first sees, and find what was hidden. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Heap } from '../kernel/state/heap.ts';
import { AT, BLOCKED, choose, type Path } from '../kernel/state/path.ts';
import { BreadthFirst } from './breadth-first.ts';
import { DepthFirst } from './depth-first.ts';
import { BoundedPreemptions } from './preemptions.ts';
import type { Program } from './program.ts';
import { gupRemoval } from './protocols/gup-removal.ts';
import { randomSpecs } from './random-program.arbitrary.ts';
import { randomProgram } from './random-program.ts';
import { searchReduced } from './reduced.ts';
import { parseSchedule, replay } from './replay.ts';
import type { Verdict } from './verdict.ts';

const now = (): number => 0;
const said = (verdict: Verdict): unknown => ({ states: verdict.stats.states, violations: verdict.violations.map((v) => v.property).sort(), neverSeen: verdict.neverSeen, complete: verdict.complete });

test('on random programs depth-first (any seed) and preemptions without a bound see the states and violations that breadth-first sees', () => {
  fc.assert(fc.property(randomSpecs, fc.nat(), (spec, seed) => {
    const full = said(new BreadthFirst(randomProgram(spec), { now, all: true }).run());
    assert.deepEqual(said(new DepthFirst(randomProgram(spec), { now, all: true, seed }).run()), full);
    assert.deepEqual(said(new BoundedPreemptions(randomProgram(spec), { now, all: true, bound: 99 }).run()), full);
  }), { numRuns: 100 });
});

test('on random programs every way that a quick search names replays to itself, and fewer preemptions find nothing more', () => {
  fc.assert(fc.property(randomSpecs, fc.nat(3), (spec, bound) => {
    const full = new BreadthFirst(randomProgram(spec), { now, all: true }).run();
    const few = new BoundedPreemptions(randomProgram(spec), { now, all: true, bound }).run();
    const names = full.violations.map((v) => v.property);
    for (const verdict of [few, new DepthFirst(randomProgram(spec), { now }).run()]) {
      for (const violation of verdict.violations) {
        assert.ok(names.includes(violation.property));
        assert.deepEqual(replay(randomProgram(spec), parseSchedule(violation.schedule, spec.threads.length)).trace, violation.trace);
      }
    }
    if (few.complete) assert.deepEqual(said(few), said(full));
    assert.ok(few.stats.states <= full.stats.states);
  }), { numRuns: 100 });
});

/** Needs the second thread between the two steps of the first, once for each of `rounds`. */
function interrupted(rounds: number): Program<{ heap: Heap; x: number; bad: number }> {
  const heap = new Heap();
  const context = { heap, x: heap.reserve(1), bad: heap.reserve(1) };
  function* victim(c: typeof context): Path {
    let met = 0;
    for (let i = 0; i < rounds; i += 1) {
      yield AT('set');
      c.heap.store(c.x, 1);
      yield AT('look');
      if (c.heap.load(c.x) === 2) met += 1;
    }
    if (met === rounds) c.heap.store(c.bad, 1);
    return 0;
  }
  function* other(c: typeof context): Path {
    for (let i = 0; i < rounds; i += 1) {
      yield AT('spoil');
      c.heap.store(c.x, 2);
    }
    return 0;
  }
  return { name: 'interrupted', context, threads: [{ name: 'victim', path: victim, args: [] }, { name: 'other', path: other, args: [] }], properties: [{ name: 'spoilt', kind: 'never', holds: (c) => c.heap.load(c.bad) === 1 }] };
}

test('a defect that needs so many preemptions is found with as many, and not with fewer', () => {
  // Of n times that the other comes in between, the first thread is preempted n times and the other n - 1 times.
  for (const [rounds, needed] of [[1, 1], [2, 3], [3, 5]] as const) {
    const short = new BoundedPreemptions(interrupted(rounds), { now, bound: needed - 1 }).run();
    assert.deepEqual([short.violations.length, short.complete, short.stoppedBecause], [0, false, `the bound of ${needed - 1} preemptions was reached`]);
    assert.equal(new BoundedPreemptions(interrupted(rounds), { now, bound: needed }).run().violations[0]?.property, 'spoilt');
  }
});

test('both find the use of a page that is gone, sooner than breadth-first, and a replay shows it', () => {
  const full = new BreadthFirst(gupRemoval(3, 2, false), { now }).run();
  for (const quick of [new DepthFirst(gupRemoval(3, 2, false), { now }).run(), new BoundedPreemptions(gupRemoval(3, 2, false), { now, bound: 2 }).run()]) {
    const [violation] = quick.violations;
    assert.equal(violation?.property, 'use of a page that is gone');
    assert.ok(quick.stats.states < full.stats.states, `${quick.stats.states} states, breadth-first ${full.stats.states}`);
    const last = replay(gupRemoval(3, 2, false), parseSchedule(violation.schedule, 4)).trace.at(-1);
    assert.deepEqual(last, violation.trace.at(-1));
  }
});

test('the same seed goes the same way, another one another', () => {
  const way = (seed: number): string | undefined => new DepthFirst(gupRemoval(2, 2, false), { now, seed }).run().violations[0]?.schedule;
  assert.equal(way(7), way(7));
  assert.ok(new Set([1, 2, 3, 4, 5].map(way)).size > 1);
});

test('limits of states and of time end a quick search, and say so', () => {
  const states = new DepthFirst(gupRemoval(3, 2, true), { now, maxStates: 2000 }).run();
  assert.equal(states.stoppedBecause, 'the limit of 2000 states was reached');
  assert.equal(states.complete, false);
  let clock = 0;
  assert.equal(new BoundedPreemptions(gupRemoval(3, 2, true), { now: () => (clock += 100), bound: 9, maxMilliseconds: 250 }).run().stoppedBecause, 'the limit of 0.25 s was reached');
});

/** The second thread waits for the lock by its first choice, and needs none by its second. The first thread gives the lock back only when that was seen. */
function choosy(): Program<{ heap: Heap; lock: number; flag: number }> {
  const heap = new Heap();
  const context = { heap, lock: heap.reserve(1), flag: heap.reserve(1) };
  heap.store(context.lock, 1);
  function* holder(c: typeof context): Path {
    yield AT('look');
    while (c.heap.load(c.flag) === 0) yield BLOCKED('flag');
    c.heap.store(c.lock, 0);
    return 0;
  }
  function* chooser(c: typeof context): Path {
    for (let i = 0; i < 2; i += 1) {
      yield AT('choose');
      if (choose(c, 3, 'way') !== 1) while (c.heap.load(c.lock) !== 0) yield BLOCKED('lock');
      c.heap.store(c.flag, c.heap.load(c.flag) + 1);
    }
    return 0;
  }
  return { name: 'choosy', context, threads: [{ name: 'holder', path: holder, args: [] }, { name: 'chooser', path: chooser, args: [] }], properties: [{ name: 'both under the lock', kind: 'never', holds: (c) => c.heap.load(c.flag) === 2 && c.heap.load(c.lock) === 1 }] };
}

test('a thread that waits by one choice can go on by another, in every search, and the way there can be replayed', () => {
  const searches: readonly ((remember: boolean) => Verdict)[] = [
    (remember) => new BreadthFirst(choosy(), { now, all: true, remember }).run(),
    (remember) => new DepthFirst(choosy(), { now, all: true, remember }).run(),
    (remember) => new BoundedPreemptions(choosy(), { now, all: true, remember, bound: 99 }).run(),
    (remember) => searchReduced(choosy(), { now, all: true, remember, firstLook: 1 }),
  ];
  for (const search of searches) {
    for (const remember of [true, false]) {
      const { violations } = search(remember);
      assert.deepEqual(violations.map((v) => v.property), ['both under the lock']);
      assert.deepEqual(replay(choosy(), parseSchedule(violations[0]?.schedule ?? '', 2)).trace, violations[0]?.trace);
    }
  }
  assert.throws(() => replay(choosy(), parseSchedule('1 1', 2)), /step 2 cannot be made: chooser waits/);
});
