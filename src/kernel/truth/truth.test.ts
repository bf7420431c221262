/** Every row of docs/kernel-truth that names a profiled kernel: the simulated kernel does what the real one did. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RELEASES } from '../../profile/releases/index.ts';
import { kernelOf, sorted } from './row.ts';
import { TRUTH_ROWS } from './rows.ts';

for (const row of TRUTH_ROWS) {
  for (const [column, written] of Object.entries(row.seen)) {
    const seen = row.corrected?.[column] ?? written;
    if ('notModelled' in seen) {
      test(`${row.id}: ${row.says} (${column})`, { skip: `not modelled: ${seen.notModelled}` }, () => {});
      continue;
    }
    const profile = RELEASES.find((p) => p.name === kernelOf(column));
    test(`${row.id}: ${row.says} (${column})`, () => {
      assert.ok(profile, `no profile ${kernelOf(column)}`);
      const got = row.run(profile, column);
      assert.deepEqual({ effects: sorted(got.effects), figures: got.figures }, { effects: sorted(seen.effects), figures: seen.figures });
    });
  }
}
