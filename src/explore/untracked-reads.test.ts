/**
 * What is remembered of steps, properties and views holds only because every read is seen. Here one read after the other is
 * not: the self-check must tell, wherever the search would otherwise have said something wrong.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnseatError } from '../errors/unseat-error.ts';
import { Heap } from '../kernel/state/heap.ts';
import { AT, choose, type Path } from '../kernel/state/path.ts';
import { BreadthFirst } from './breadth-first.ts';
import { KnownAnswers } from './known-answers.ts';
import type { Look, Program, ViewPart } from './program.ts';
import { gupRemoval } from './protocols/gup-removal.ts';
import { StepTrace } from './step-trace.ts';
import type { Stepper } from './stepper.ts';

const now = (): number => 0;
const WORDS = 4;
interface Box { readonly heap: Heap; readonly base: number }

/** Three words that two threads read and write; the fourth is only ever overwritten, by choice. */
function words(): Program<Box> {
  const heap = new Heap();
  const context = { heap, base: heap.reserve(WORDS) };
  function* reader(c: Box): Path {
    yield AT('read');
    const sum = c.heap.load(c.base) + c.heap.load(c.base + 1);
    yield AT('write');
    c.heap.store(c.base + 2, sum);
    return sum;
  }
  function* writer(c: Box, at = 0): Path {
    yield AT('choose');
    c.heap.store(c.base + at, 1 + choose(c, 2, 'value'));
    yield AT('overwrite');
    c.heap.store(c.base + 3, at + 5);
    return 0;
  }
  const is = (word: number, value: number) => (c: Box): boolean => c.heap.load(c.base + word) === value;
  return {
    name: 'words', context, threads: [{ name: 'reader', path: reader, args: [] }, { name: 'w0', path: writer, args: [0] }, { name: 'w1', path: writer, args: [1] }],
    properties: [{ name: 'four', kind: 'never', holds: is(2, 4) }, { name: 'two words', kind: 'sometimes', holds: (c) => is(0, 2)(c) && is(1, 1)(c) }, { name: 'read one', kind: 'never', holds: (_c, done) => done(0) === 1 }],
    view: [0, 1, 2, 3].map((word): ViewPart => (look: Look) => [look.read(context.base + word) + 16 * word, look.at(0) + 4 * look.at(1) + 16 * look.at(2)]),
  };
}

/** What a search says; `noticed` where the self-check ended it. */
function says(make: () => Program<never>, selfCheck: number, symmetry: boolean): string {
  try {
    const { stats, violations, neverSeen } = new BreadthFirst(make(), { now, all: true, selfCheck, symmetry }).run();
    return JSON.stringify([stats.states, stats.transitions, violations.map((v) => v.property), neverSeen]);
  } catch (error) {
    if (error instanceof UnseatError && error.code === 'INTERNAL') return 'noticed';
    throw error;
  }
}

type Method = (this: unknown, first: unknown, ...others: unknown[]) => unknown;

interface Loss {
  readonly owner: object;
  readonly method: string;
  /** Those calls are not seen whose first argument is one of these, one after the other. */
  readonly of: readonly unknown[];
  /** What such a call does instead. */
  readonly blind: (self: unknown, call: (self: unknown) => unknown, first: unknown) => unknown;
  readonly make: () => Program<never>;
  readonly symmetry?: boolean;
}

/** How often a loss makes a search wrong. The self-check must tell each time. */
function wrongBy({ owner, method, of, blind, make, symmetry = false }: Loss): number {
  const right = says(make, 1, symmetry);
  const methods = owner as Record<string, Method>;
  const original = methods[method] as Method;
  let wrong = 0;
  for (const lost of of) {
    methods[method] = function watch(this: unknown, first: unknown, ...others: unknown[]): unknown {
      const call = (self: unknown): unknown => original.call(self, first, ...others);
      return first === lost ? blind(this, call, first) : call(this);
    };
    try {
      const unchecked = says(make, 0, symmetry);
      if (unchecked === right) continue;
      wrong += 1;
      assert.equal(says(make, 1, symmetry), 'noticed', `${method} of ${String(lost)} was lost, and the search said ${unchecked} instead of ${right}`);
    } finally {
      methods[method] = original;
    }
  }
  return wrong;
}

const addresses = (make: () => Program<never>): number[] => Array.from({ length: (make() as unknown as Program<Box>).context.heap.used }, (_, address) => address);
const small = words as unknown as () => Program<never>;
const protocol = (() => gupRemoval(2, 1, false)) as unknown as () => Program<never>;
const nothing = (): undefined => undefined;

test('a load of a step that is not seen', () => {
  for (const make of [small, protocol]) assert.ok(wrongBy({ owner: StepTrace.prototype, method: 'load', of: addresses(make), blind: nothing, make }) >= 2);
});

test('what a stored word held before, and a choice, that are not seen', () => {
  const storesBlindly = (self: unknown, call: (self: unknown) => unknown): void => {
    const { observed } = self as StepTrace;
    const { length } = observed;
    call(self);
    observed.length = length;
  };
  assert.ok(wrongBy({ owner: StepTrace.prototype, method: 'store', of: addresses(small), blind: storesBlindly, make: small }) >= 1);
  assert.equal(wrongBy({ owner: StepTrace.prototype, method: 'choose', of: ['value'], blind: nothing, make: small }), 1);
});

test('a word that a property or a view looks at, the end of a thread, and where one stands, that are not seen', () => {
  const stepperOf = (self: unknown): Stepper<never> => (self as { stepper: Stepper<never> }).stepper;
  const reads = (self: unknown, _call: unknown, address: unknown): number => stepperOf(self).state.read(Number(address));
  const asks = { owner: KnownAnswers.prototype, make: small };
  assert.ok(wrongBy({ ...asks, method: 'read', of: addresses(small), blind: reads }) >= 2);
  assert.ok(wrongBy({ ...asks, method: 'read', of: addresses(small), blind: reads, symmetry: true }) >= 2);
  assert.equal(wrongBy({ ...asks, method: 'done', of: [0], blind: (self, _call, thread) => stepperOf(self).result(Number(thread)) }), 1);
  assert.ok(wrongBy({ ...asks, method: 'at', of: [0, 1, 2], blind: (self, _call, thread) => stepperOf(self).point(Number(thread)), symmetry: true }) >= 1);
});
