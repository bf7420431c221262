/** Every row of docs/kernel-truth.md that a source, a forecast or a comment cites is there to be read. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '..');
const page = readFileSync(resolve(ROOT, 'docs/kernel-truth.md'), 'utf8');
const SECTIONS = new Set([...page.matchAll(/^### ([AB] (?:matrix|surprises|\d+b?))/gm)].map((m) => m[1]));
const ITEMS = new Set([...page.matchAll(/^\| ([AB] \d+ \([a-z]\)) \|/gm)].map((m) => m[1]));

/** `kernel-truth B 3 (c), vmsplice row`, `measured: A matrix and A 1`, `kernel-truth, part B, 1b)`: the ids in it. */
function cited(text: string): { section: string; item: string | null }[] {
  return [...text.matchAll(/(?:kernel-truth,? (?:part )?|measured: )([^'"`\n]*)/g)].flatMap(([, rest = '']) =>
    [...rest.matchAll(/\b([AB]),? (?:section )?(matrix|surprises|\d+b?)(?: ?\(([a-z])\))?/g)].map(([, part = '', section = '', item]) => ({ section: `${part} ${section}`, item: item === undefined ? null : `${part} ${section} (${item})` })));
}

const files = globSync(['src/{profile,plan,kernel,machine,steps,remove}/**/*.ts', 'test/*.ts', 'docs/profiles.md', 'docs/plan.md', 'scenarios/*.yaml'], { cwd: ROOT });
const all = files.flatMap((file) => cited(readFileSync(resolve(ROOT, file), 'utf8')).map((c) => ({ ...c, file })));

test('the sections that are cited are there', () => {
  assert.ok(all.length > 200, `${all.length} citations found`);
  assert.deepEqual(all.filter((c) => !SECTIONS.has(c.section)), []);
});

test('so are the items in them', () => {
  assert.ok(all.some((c) => c.item !== null));
  // Items of sections whose items are rows with an id; elsewhere the words after the id say which row.
  const lettered = new Set([...ITEMS].map((item) => item?.replace(/ \([a-z]\)$/, '')));
  assert.deepEqual(all.filter((c) => c.item !== null && lettered.has(c.section) && !ITEMS.has(c.item)), []);
});

test('every profile says for what was measured which row it is', () => {
  const lines = readFileSync(resolve(ROOT, 'docs/profiles.md'), 'utf8').split('\n').filter((l) => /measured: /.test(l));
  assert.ok(lines.length > 50);
  assert.deepEqual(lines.filter((l) => cited(l).length === 0), []);
});
