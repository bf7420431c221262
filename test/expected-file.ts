/** Committed outputs under test/expected: compared, or with UNSEAT_UPDATE_EXPECTED=1 written anew. Look at the difference as an operator would before committing it. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const EXPECTED = resolve(import.meta.dirname, 'expected');
const UPDATE = process.env['UNSEAT_UPDATE_EXPECTED'] === '1';

export function expected(folder: string, file: string, text: string): void {
  const path = resolve(EXPECTED, folder, file);
  if (UPDATE) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  assert.equal(text, readFileSync(path, 'utf8'), `${folder}/${file}; npm run update-expected writes it anew`);
}
