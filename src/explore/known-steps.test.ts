/** What is remembered of steps and properties is what they do: held against walking every step and asking every property. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UnseatError } from '../errors/unseat-error.ts';
import { Heap } from '../kernel/state/heap.ts';
import { AT, choose, type Path } from '../kernel/state/path.ts';
import { BreadthFirst } from './breadth-first.ts';
import { DepthFirst } from './depth-first.ts';
import { Expander } from './expander.ts';
import { STAYS } from './outcomes.ts';
import { BoundedPreemptions } from './preemptions.ts';
import type { Look, Program } from './program.ts';
import { gupRemoval } from './protocols/gup-removal.ts';
import { randomSpecs } from './random-program.arbitrary.ts';
import { randomProgram, type Box } from './random-program.ts';
import { searchReduced } from './reduced.ts';
import { Stepper } from './stepper.ts';
import type { Verdict } from './verdict.ts';
import type { ViewHash } from './view.ts';
import { Visited } from './visited.ts';

const now = (): number => 0;
const row = ({ state }: Stepper<Box>): unknown => ({ low: state.low, high: state.high, row: [...state.row.subarray(0, state.width)] });

test('on random programs every step that is remembered leaves the row and the hash that walking it leaves, with the same choices', () => {
  let [found, stayed, chosen] = [0, 0, 0];
  fc.assert(fc.property(randomSpecs, fc.array(fc.nat(), { minLength: 40, maxLength: 40 }), (spec, turns) => {
    const stepper = new Stepper(randomProgram(spec));
    const { state, known } = stepper;
    // The same way twice: what the first teaches, the second finds.
    for (const time of [1, 2]) {
      state.begin(stepper.roots);
      for (const turn of turns) {
        const thread = turn % state.threads;
        stepper.firstChoices();
        for (let skipped = turn >>> 4 & 1; skipped >= 0; skipped -= 1) {
          const outcome = known.find(thread);
          const choices = [...stepper.taken];
          state.mark();
          known.outcomes.apply(outcome, state);
          const remembered = row(stepper);
          state.undo();
          state.mark();
          assert.equal(stepper.step(thread), outcome !== STAYS);
          assert.deepEqual(row(stepper), remembered);
          assert.deepEqual(stepper.taken, choices);
          if (time === 2 && outcome !== STAYS) found += 1;
          if (outcome === STAYS) stayed += 1;
          if (skipped === 0) break;
          state.undo();
          if (!stepper.nextChoices()) break;
          chosen += 1;
        }
        state.mark();
      }
    }
  }), { numRuns: 200 });
  assert.ok(found > 0 && stayed > 0 && chosen > 0, 'nothing was found again, or nobody waited, or nobody chose: this test would show nothing');
});

const said = ({ stats, violations, neverSeen, complete }: Verdict): unknown => ({ states: stats.states, transitions: stats.transitions, violations: violations.map((v) => [v.property, v.schedule]).sort(), neverSeen, complete });

test('on random programs every search says the same with and without remembering', () => {
  fc.assert(fc.property(randomSpecs, fc.boolean(), (spec, all) => {
    const searches: readonly ((remember: boolean) => Verdict)[] = [
      (remember) => new BreadthFirst(randomProgram(spec), { now, all, remember }).run(),
      (remember) => new DepthFirst(randomProgram(spec), { now, all, remember }).run(),
      (remember) => new BoundedPreemptions(randomProgram(spec), { now, all, remember, bound: 2 }).run(),
      (remember) => searchReduced(randomProgram(spec), { now, all, remember, firstLook: 1 }),
    ];
    for (const search of searches) assert.deepEqual(said(search(true)), said(search(false)));
  }), { numRuns: 100 });
});

test('with symmetry and with a view too; the self-check finds every step and every key to be what it was', () => {
  const viewed = (): Program => ({ ...gupRemoval(2, 1, false), view: [0, 1, 2].map((thread) => (look: Look) => [look.at(thread) + thread * 100, 1]) }) as unknown as Program;
  for (const make of [() => gupRemoval(2, 2, true) as unknown as Program, () => gupRemoval(3, 1, false) as unknown as Program, viewed]) {
    const search = (how: { readonly remember?: boolean; readonly selfCheck?: number }): unknown => said(new BreadthFirst(make(), { now, all: true, symmetry: true, ...how }).run());
    assert.deepEqual(search({ selfCheck: 1 }), search({ remember: false }));
  }
});

test('a view that comes to more hashes than it may remember forgets them, and says the same', () => {
  const viewed = (): Program => ({ ...gupRemoval(2, 2, true), view: [0, 1, 2].map((thread) => (look: Look) => [look.at(thread) + thread * 100, look.read(1 + thread)]) }) as unknown as Program;
  const states = (mostHashes: number | null): number => {
    const program = viewed();
    const stepper = new Stepper(program) as unknown as Stepper<never>;
    const expander = new Expander(program, { stepper, symmetry: true, selfCheck: 1 }, new Visited(Infinity), () => undefined);
    const { special } = expander.key as unknown as { special: ViewHash };
    if (mostHashes !== null) special.mostHashes = mostHashes;
    const seen = new Set<string>();
    const { state, known } = stepper;
    state.begin(stepper.roots);
    for (let turn = 0; turn < 400; turn += 1) {
      expander.key.compute();
      stepper.firstChoices();
      const outcome = known.find((turn * 7 + (turn >>> 3)) % state.threads);
      expander.key.after(outcome);
      seen.add(`${expander.key.low} ${expander.key.high}`);
      known.outcomes.apply(outcome, state);
      state.mark();
    }
    return seen.size;
  };
  assert.equal(states(1), states(null));
  assert.ok(states(null) > 5);
});

interface Words { readonly heap: Heap; readonly x: number; readonly y: number }
const words = (): Words => {
  const heap = new Heap();
  return { heap, x: heap.reserve(1), y: heap.reserve(1) };
};

test('a word that changes for the first time late in the search, after many steps that found it as it was', () => {
  function* reader(c: Words): Path {
    for (let i = 0; i < 3; i += 1) {
      yield AT('read x');
      c.heap.store(c.y, c.heap.load(c.x) * 3 + choose(c, 2, 'bit'));
    }
    return 0;
  }
  function* writer(c: Words): Path {
    for (let i = 0; i < 6; i += 1) yield AT('wait a little');
    c.heap.store(c.x, 1);
    return 0;
  }
  const program = (): Program<Words> => ({ name: 'late', context: words(), threads: [{ name: 'r1', path: reader, args: [] }, { name: 'r2', path: reader, args: [] }, { name: 'w', path: writer, args: [] }], properties: [
    { name: 'x is seen', kind: 'never', holds: (c) => c.heap.load(c.y) >= 3 },
    { name: 'x is set', kind: 'sometimes', holds: (c, done) => done(0) === undefined && c.heap.load(c.x) === 1 },
  ] });
  for (const all of [true, false]) {
    const verdict = new BreadthFirst(program(), { now, all, selfCheck: 1 }).run();
    assert.deepEqual(said(verdict), said(new BreadthFirst(program(), { now, all, remember: false }).run()));
    assert.equal(verdict.violations[0]?.property, 'x is seen');
    assert.deepEqual(verdict.neverSeen, []);
  }
});

test('a search that remembers more than it may forgets, and goes on', () => {
  const stepper = new Stepper(gupRemoval(2, 2, true)) as unknown as Stepper<never>;
  const { outcomes } = stepper.known;
  const { clear } = outcomes;
  let forgotten = 0;
  outcomes.clear = () => { forgotten += 1; clear.call(outcomes); };
  stepper.known.mostWords = 200;
  const verdict = new BreadthFirst(gupRemoval(2, 2, true), { now, all: true, stepper }).run();
  assert.equal(verdict.stats.states, new BreadthFirst(gupRemoval(2, 2, true), { now, all: true }).run().stats.states);
  assert.ok(forgotten > 0);
});

test('the self-check tells of a step that is remembered wrongly', () => {
  const stepper = new Stepper(gupRemoval(2, 1, true)) as unknown as Stepper<never>;
  new BreadthFirst(gupRemoval(2, 1, true), { now, all: true, stepper }).run();
  const { outcomes } = stepper.known;
  outcomes.changes[(outcomes.ends[outcomes.count - 1] as number) - 1] = stepper.roots[0] as number;
  assert.throws(() => new BreadthFirst(gupRemoval(2, 1, true), { now, all: true, stepper, selfCheck: 1 }).run(), (e: unknown) => e instanceof UnseatError && e.code === 'INTERNAL' && /remembered/.test(e.message));
});
