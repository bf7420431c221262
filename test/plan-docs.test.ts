/** docs/plan.md explains every effect and every reason code, and none that there is not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { EFFECTS } from '../src/cli/print/plan-words.ts';
import { REASONS } from '../src/steps/reason.ts';

const text = readFileSync(resolve(import.meta.dirname, '../docs/plan.md'), 'utf8');

/** Rows of the table below a heading: code and meaning. */
function table(heading: string): [string, string][] {
  const part = text.slice(text.indexOf(`## ${heading}`));
  return [...part.slice(0, part.indexOf('\n## ', 3) < 0 ? undefined : part.indexOf('\n## ', 3)).matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].map((m) => [m[1] ?? '', m[2] ?? '']);
}

test('every effect is explained', () => {
  assert.deepEqual(table('Effects').map(([code]) => code).sort(), Object.keys(EFFECTS).sort());
});

test('every reason code is explained in its own words', () => {
  assert.deepEqual(Object.fromEntries(table('Reason codes')), REASONS);
});
