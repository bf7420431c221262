import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { profilesDocument } from '../src/profile/table.ts';

test('docs/profiles.md is what tools/profiles.ts writes', () => {
  const text = readFileSync(resolve(import.meta.dirname, '../docs/profiles.md'), 'utf8');
  assert.equal(text, profilesDocument(), 'node tools/profiles.ts writes it anew');
});
