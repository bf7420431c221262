/** Random litmus tests: partial-order reduction changes neither what is violated nor the length of a shortest counterexample. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkLitmus, violationName } from '../src/explore/litmus/check.ts';
import { litmus } from '../src/explore/litmus/schema.ts';
import { profileByName } from '../src/profile/select.ts';
import { RELEASES } from '../src/profile/releases/index.ts';

const LINES: Readonly<Record<'fsdax' | 'devdax' | 'ram', readonly string[]>> = {
  fsdax: ['read h', 'write h', 'munmap h', 'exit h', 'fork h', 'unbind d', 'bind d', 'umount d', 'sync d', 'truncate f', 'hard-offline f', 'unmap-file f', 'pagemap h', 'stop h', 'continue h', 'gup-fast h'],
  devdax: ['read h', 'write h', 'munmap h', 'exit h', 'unbind d', 'bind d', 'hand-over d', 'gup h', 'pin h rdma', 'pagemap h', 'pfn-walk d'],
  ram: ['offline d', 'online d', 'remove-memory d', 'alloc d', 'offline-and-remove d', 'online-walk d page=0'],
};
const MACHINES = {
  fsdax: { machine: { pmem: { d: { fs: 'ext4', files: { f: {} } } }, early_kill: true }, processes: { h: { maps: 'f', touched: 'write' } }, never: ['stale-mapping'] },
  devdax: { machine: { devdax: { d: {} } }, processes: { h: { maps: 'd', touched: 'write' } }, never: ['stale-mapping', 'cross-read', 'cross-write'] },
  ram: { machine: { ram: { d: {} } }, never: [] },
} as const;

const random = fc.constantFrom('fsdax' as const, 'devdax' as const, 'ram' as const).chain((kind) => fc.record({
  kind: fc.constant(kind),
  profile: fc.constantFrom(...RELEASES.map((p) => p.name)),
  threads: fc.array(fc.array(fc.constantFrom(...LINES[kind]), { minLength: 1, maxLength: 2 }), { minLength: 2, maxLength: 3 }),
}));

test('random litmus tests have the same verdict and the same shortest counterexample with and without reduction', () => {
  let compared = 0;
  fc.assert(fc.property(random, ({ kind, profile: name, threads }) => {
    const profile = profileByName(name) as NonNullable<ReturnType<typeof profileByName>>;
    const t = litmus.parse({ litmus: 'random', title: 'made at random', clauses: ['1a'], ...MACHINES[kind], threads: Object.fromEntries(threads.map((lines, i) => [`t${i}`, lines])), expect: {} });
    const options = { now: () => 0, maxStates: 6000 };
    const full = checkLitmus(t, profile, { ...options, reduce: false });
    if (full.status === 'bounded' || full.verdict === null) return;
    compared += 1;
    const reduced = checkLitmus(t, profile, { ...options, maxStates: 60_000 });
    // Of several violations at the same depth either may be met first.
    assert.equal(reduced.status === 'violated', full.status === 'violated', JSON.stringify({ profile: profile.name, threads, full: full.says, reduced: reduced.says }));
    assert.equal(reduced.verdict?.violations[0]?.trace.length, full.verdict.violations[0]?.trace.length);
    const all = (reduce: boolean): string[] => [...new Set((checkLitmus(t, profile, { ...options, all: true, reduce, maxStates: 60_000 }).verdict?.violations ?? []).map(violationName))].sort();
    assert.deepEqual(all(true), all(false));
  }), { numRuns: 40 });
  assert.ok(compared > 20);
});
