import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { PAGE_RESERVED_TESTS, pageReservedDocument } from './page-reserved.ts';

const PATH = resolve(import.meta.dirname, '../../../docs/page-reserved.md');

test('2f: docs/page-reserved.md is the generated table of the PageReserved tests of one named kernel', () => {
  if (process.env['UNSEAT_UPDATE_EXPECTED'] === '1') writeFileSync(PATH, pageReservedDocument());
  assert.equal(readFileSync(PATH, 'utf8'), pageReservedDocument());
  assert.ok(PAGE_RESERVED_TESTS.every((t) => t.decides !== '' && t.without !== ''));
});
