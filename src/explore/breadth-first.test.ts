import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heap } from '../kernel/state/heap.ts';
import { AT, BLOCKED, STOP, call, choose, repeat, type Path } from '../kernel/state/path.ts';
import { BreadthFirst } from './breadth-first.ts';
import { searchReduced } from './reduced.ts';
import type { Program } from './program.ts';

interface Box {
  heap: Heap;
  x: number;
  lock: number;
}
const box = (): Box => {
  const heap = new Heap();
  return { heap, x: heap.reserve(1), lock: heap.reserve(1) };
};
let clock = 0;
const now = (): number => (clock += 1);

function* increment(c: Box): Path {
  yield AT('read x');
  const v = c.heap.load(c.x);
  yield AT('write x');
  c.heap.store(c.x, v + 1);
  return 0;
}

function* lockedIncrement(c: Box): Path {
  yield AT('lock');
  while (c.heap.load(c.lock) !== 0) yield BLOCKED('lock');
  c.heap.store(c.lock, 1);
  yield* call(c, increment);
  yield AT('unlock');
  c.heap.store(c.lock, 0);
  return 0;
}

const lost = (n: number): Program<Box>['properties'] => [{ name: 'all increments count', kind: 'finally', holds: (c) => c.heap.load(c.x) === n }];
const threads = (n: number, path: (c: Box) => Path): Program<Box>['threads'] => Array.from({ length: n }, (_, i) => ({ name: `t${i}`, path, args: [] }));

test('a lost update is found, by a shortest way', () => {
  const verdict = new BreadthFirst({ name: 'lost', context: box(), threads: threads(2, increment), properties: lost(2) }, { now }).run();
  assert.equal(verdict.violations[0]?.property, 'all increments count');
  // Both threads make all of their steps (start, read, write): six in any order that loses one.
  assert.equal(verdict.violations[0]?.trace.length, 6);
  assert.deepEqual(verdict.violations[0]?.trace.at(-1)?.stores, [{ word: 'word 1', before: 1, after: 1 }]);
});

test('with a lock no interleaving loses an update, and every state was looked at', () => {
  const verdict = new BreadthFirst({ name: 'locked', context: box(), threads: threads(3, lockedIncrement), properties: lost(3) }, { now }).run();
  assert.deepEqual(verdict.violations, []);
  assert.equal(verdict.complete, true);
});

test('the number of states is that of a hand count', () => {
  // Two threads of one step each that store different words: start, one done, other done, both done; each has a start boundary.
  function* one(c: Box, which: number): Path {
    c.heap.store(c.x + which, 1);
    return 0;
  }
  const program: Program<Box> = { name: 'count', context: box(), threads: [{ name: 'a', path: one, args: [0] }, { name: 'b', path: one, args: [1] }], properties: [] };
  assert.equal(new BreadthFirst(program, { now }).run().stats.states, 4);
});

test('a lock that is never released is a hang, with the place', () => {
  function* greedy(c: Box): Path {
    yield AT('lock');
    while (c.heap.load(c.lock) !== 0) yield BLOCKED('waits for the lock');
    c.heap.store(c.lock, 1);
    return 0;
  }
  const verdict = new BreadthFirst({ name: 'hang', context: box(), threads: threads(2, greedy), properties: [] }, { now }).run();
  assert.match(verdict.violations[0]?.property ?? '', /hang: t\d waits at lock/);
});

test('an oops ends the thread and is found', () => {
  class KernelOops extends Error {
    override name = 'KernelOops';
  }
  function* reader(c: Box): Path {
    yield AT('use');
    if (c.heap.load(c.x) === 1) throw new KernelOops('page 7 was freed');
    return 0;
  }
  const verdict = new BreadthFirst({ name: 'oops', context: box(), threads: [...threads(1, increment), { name: 'reader', path: reader, args: [] }], properties: [] }, { now }).run();
  assert.equal(verdict.violations[0]?.property, 'oops: page 7 was freed');
});

test('every choice is tried, and an endless reader has finitely many states', () => {
  function* round(c: Box, seen: number): Path {
    yield AT('look');
    const v = c.heap.load(c.x);
    if (v >= 2) return STOP;
    return v === seen ? seen : v;
  }
  function* reader(c: Box): Path {
    return yield* repeat(c, round, 0);
  }
  function* chooser(c: Box): Path {
    yield AT('pick');
    c.heap.store(c.x, choose(c, 3, 'value'));
    return 0;
  }
  const program: Program<Box> = {
    name: 'choices', context: box(), allowHang: true,
    threads: [{ name: 'reader', path: reader, args: [] }, { name: 'chooser', path: chooser, args: [] }],
    properties: [0, 1, 2].map((n) => ({ name: `x is ${n} at the end of chooser`, kind: 'sometimes' as const, holds: (c: Box, done: (t: number) => number | undefined) => done(1) === 0 && c.heap.load(c.x) === n })),
  };
  const verdict = new BreadthFirst(program, { now, all: true }).run();
  assert.deepEqual(verdict.neverSeen, []);
  assert.equal(verdict.complete, true);
});

test('a finally property that no state is asked for is named, as one that never happens is; also where searches hand each other what they found', () => {
  function* tick(c: Box): Path {
    return yield* repeat(c, function* round(k: Box): Path {
      yield AT('tick');
      k.heap.store(k.lock, 1 - k.heap.load(k.lock));
      return 0;
    }, 0);
  }
  const program = (ticks: boolean): Program<Box> => ({
    name: 'ticks', context: box(), threads: [...threads(1, increment), ...(ticks ? [{ name: 'clock', path: tick, args: [], daemon: true }] : [])],
    properties: [{ name: 'x', kind: 'sometimes', holds: (c) => c.heap.load(c.x) === 7 }, { name: 'x', kind: 'finally', holds: (c) => c.heap.load(c.x) === 1 }],
  });
  for (const ticks of [true, false]) {
    const search = new BreadthFirst(program(ticks), { now, all: true });
    search.level();
    for (const from of [undefined, search.snapshot()]) {
      const { neverSeen, neverAsked, violations } = new BreadthFirst(program(ticks), { now, all: true, ...(from === undefined ? {} : { from }) }).run();
      assert.deepEqual([neverSeen, neverAsked, violations], [['x'], ticks ? ['x'] : [], []]);
    }
    assert.deepEqual(searchReduced(program(ticks), { now, all: true, firstLook: 1 }).neverAsked, ticks ? ['x'] : []);
  }
});

test('hidden nondeterminism is told, with the usual causes', () => {
  let hidden = 0;
  function* cheat(c: Box): Path {
    yield AT('a');
    hidden += 1;
    c.heap.store(c.x, hidden);
    yield AT('b');
    c.heap.load(c.lock);
    return 0;
  }
  assert.throws(() => new BreadthFirst({ name: 'cheat', context: box(), threads: threads(1, cheat), properties: [] }, { now }).run(), /did something else although it observed the same/);
});

test('a pointer from freed memory ends the path as an oops, whatever lies there', () => {
  function* follow(c: Box): Path {
    yield AT('read the pointer');
    const pointer = c.heap.load(c.x);
    yield AT('follow it');
    return c.heap.load(pointer);
  }
  function* poison(c: Box): Path {
    yield AT('free');
    c.heap.store(c.x, 0x6b6b6b6b);
    return 0;
  }
  const program: Program<Box> = { name: 'wild', context: box(), threads: [{ name: 'user', path: follow, args: [] }, { name: 'freer', path: poison, args: [] }], properties: [] };
  assert.match(new BreadthFirst(program, { now }).run().violations[0]?.property ?? '', /^oops: BUG: a wild pointer/);
});

test('the self-check runs known steps once more: what hides from an ordinary search is told', () => {
  let hidden = 0;
  function* cheat(c: Box): Path {
    yield AT('a');
    hidden += 1;
    c.heap.store(c.x, hidden);
    return 0;
  }
  const program = (): Program<Box> => ({ name: 'cheat', context: box(), threads: threads(1, cheat), properties: [] });
  // Each step is learnt by one run, and no run repeats it: nothing to be noticed.
  assert.equal(new BreadthFirst(program(), { now }).run().complete, true);
  assert.throws(() => new BreadthFirst(program(), { now, selfCheck: 1 }).run(), /did something else although it observed the same/);
});

test('the self-check changes nothing where there is nothing to find', () => {
  const program = (): Program<Box> => ({ name: 'locked', context: box(), threads: threads(3, lockedIncrement), properties: lost(3) });
  const { milliseconds: _a, reruns, ...plain } = new BreadthFirst(program(), { now }).run().stats;
  const { milliseconds: _b, reruns: more, ...checked } = new BreadthFirst(program(), { now, selfCheck: 4 }).run().stats;
  assert.deepEqual(checked, plain);
  assert.ok(more > reruns);
});

test('rules end a search after the level in which they are reached, and the verdict says which', () => {
  const program: Program<Box> = { name: 'locked', context: box(), threads: threads(3, lockedIncrement), properties: lost(3) };
  const full = new BreadthFirst(program, { now: () => 0 }).run().stats;
  const stopped = (rules: object): unknown[] => {
    const verdict = new BreadthFirst(program, { now: () => 0, ...rules }).run();
    return [verdict.stoppedBecause, verdict.complete, verdict.stats.states < full.states];
  };
  assert.deepEqual(stopped({ maxStates: 20 }), ['the limit of 20 states was reached', false, true]);
  assert.deepEqual(stopped({ maxDepth: 2 }), ['the limit of 2 steps was reached', false, true]);
  assert.deepEqual(stopped({ maxBytes: 1 << 20 }), [null, true, false]);
  assert.deepEqual(stopped({ maxBytes: 1 << 18 }), ['the limit of 0 MiB was reached', false, true]);
  assert.deepEqual(stopped({ interrupted: () => true }), ['it was interrupted', false, true]);
  let time = 0;
  assert.deepEqual(stopped({ now: () => (time += 10), maxMilliseconds: 25 }), ['the limit of 0.025 s was reached', false, true]);
  assert.deepEqual(stopped({ maxStates: full.states * 2, maxMilliseconds: 1 }), [null, true, false]);
});
