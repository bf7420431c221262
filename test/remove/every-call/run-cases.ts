/** The tests of a list of cases: each call of each, or a sample that moves with the seed. */
import { test } from 'node:test';
import type { Case } from './cases.ts';
import { faultsAt, oneFault, referenceOf } from './one-fault.ts';

/** Set in a stage of CI of its own: every call. */
const EVERY = process.env['UNSEAT_EVERY_CALL'] === '1';
/** One call alone, to look at a failure. */
const ONLY = process.env['UNSEAT_CALL'];
const STRIDE = EVERY ? 1 : 31;
const DAY = Math.floor(Date.now() / 86_400_000);
const SEED = Number(process.env['UNSEAT_SEED'] ?? (process.env['CI'] === 'true' ? 1 : DAY));

export function testCases(cases: readonly Case[]): void {
  cases.forEach((c, i) => {
    test(`${c.name} on ${c.release}: crash, failure and hang at ${EVERY ? 'every call' : `each ${STRIDE}th call (UNSEAT_SEED=${SEED})`}`, async () => {
      const reference = await referenceOf(c);
      for (const call of reference.calls) {
        if (ONLY !== undefined ? call.index !== Number(ONLY) : (call.index + SEED * 7 + i * 5) % STRIDE !== 0) continue;
        for (const fault of faultsAt(call)) await oneFault(c, reference, call, fault);
      }
    });
  });
}
