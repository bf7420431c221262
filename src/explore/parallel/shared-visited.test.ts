/** A table that is replaced by a larger one has the same keys, whoever enters which part, and keeps where they came from. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnseatError } from '../../errors/unseat-error.ts';
import { Batch, BATCH } from '../batch.ts';
import { mixHigh, mixLow } from '../mix.ts';
import { nextSlots } from '../visited.ts';
import { controlWords, sharedWords } from './control.ts';
import type { SharedTable } from './messages.ts';
import { SharedVisited } from './shared-visited.ts';

const tableOf = (slots: number, stride: number): SharedTable => ({ words: sharedWords(slots * stride), stride });
const never = (): never => assert.fail('the table was to be large enough');

/** So many keys, with a batch of their own each time. */
function fill(table: SharedVisited, from: number, to: number): number {
  const batch = new Batch();
  let added = 0;
  for (let key = from; key < to; key += 1) {
    batch.own(0, key + 1, -key - 1);
    batch.add(0, mixLow(1, key) || 1, mixHigh(1, key) || 1);
    if (batch.count < BATCH && key + 1 < to) continue;
    added += table.addAll(batch);
    batch.clear();
  }
  return added;
}

const keysOf = ({ words, stride }: SharedTable): string[] => {
  const keys: string[] = [];
  for (let at = 0; at < words.length; at += stride) if (words[at] !== 0) keys.push(words.subarray(at, at + stride).join());
  return keys.sort();
};

for (const [stride, slots, keys] of [[2, 1 << 17, 90_000], [4, 1 << 16, 45_000], [2, 1 << 14, 12_000]] as const) {
  for (const parts of [1, 2, 3]) {
    test(`${keys} keys of ${stride} words from ${slots} slots into the next larger table, by ${parts}`, () => {
      const old = tableOf(slots, stride);
      assert.equal(fill(new SharedVisited(controlWords(1), 1, old, never), 0, keys), keys);
      const table = tableOf(nextSlots(slots), stride);
      const all = Array.from({ length: parts }, () => new SharedVisited(controlWords(1), 1, table, never));
      // Whoever comes last finds what the others have spilt over its borders.
      for (let part = parts - 1; part >= 0; part -= 1) all[part]?.takeFrom(old, part, parts);
      assert.deepEqual(keysOf(table), keysOf(old));
      assert.equal(fill(all[0] as SharedVisited, 0, keys + 100), 100);
    });
  }
}

test('keys that would all lie in one place are told, not lost', () => {
  const slots = 1 << 17;
  const old = tableOf(slots, 2);
  // As if everything in the first part belonged into the second one.
  for (let at = 0; at < slots / 4; at += 1) old.words.set([(0xc0000000 + at) | 0, 1], at * 2);
  const table = tableOf(nextSlots(slots), 2);
  const into = new SharedVisited(controlWords(1), 1, table, never);
  assert.throws(() => into.takeFrom(old, 0, 2), (e: unknown) => e instanceof UnseatError && e.code === 'INTERNAL' && /not spread/.test(e.message));
});
