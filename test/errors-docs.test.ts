/** docs/errors.md has a paragraph for each error code and each exit status, and none that there is not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { CODES, EXIT } from '../src/errors/codes.ts';

const text = readFileSync(resolve(import.meta.dirname, '../docs/errors.md'), 'utf8');

test('every error code has its exit status, its meaning and a paragraph of its own', () => {
  const parts = text.split(/^### /m).slice(1).map((part) => part.split('\n').filter((line) => line !== ''));
  assert.deepEqual(parts.map(([code]) => code), Object.keys(CODES));
  for (const [code = '', meaning, ...paragraph] of parts) {
    const { exit, says } = CODES[code as keyof typeof CODES];
    assert.equal(meaning, `Exit status ${exit}: ${says}.`);
    assert.ok(paragraph.join(' ').length > 80, code);
  }
});

test('every exit status is explained', () => {
  const listed = [...text.matchAll(/^\| (\d+) \|/gm)].map((m) => Number(m[1]));
  // 125 belongs to `lab run`, for git bisect; it comes from no error code.
  assert.deepEqual(listed.filter((n) => n !== 125), Object.values(EXIT));
});
