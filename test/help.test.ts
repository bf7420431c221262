/** Every command's help teaches: what it does, examples that call it, and what its exit status means. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { CODES, EXIT } from '../src/errors/codes.ts';
import { COMMANDS } from '../src/cli/commands/index.ts';

const root = resolve(import.meta.dirname, '..');
/** Statuses that a page lists in a table, or a help text in its one sentence. */
const inTable = (page: string): number[] => [...readFileSync(join(root, page), 'utf8').matchAll(/^\| (\d+) \|/gm)].map((m) => Number(m[1])).filter((n) => n !== 125);
const inHelp = (text: string): number[] => [...(text.split(/exit status: /i)[1] ?? '').replace(/\([^)]*\)/g, '').matchAll(/(?:^|,\s)(\d+)\s/g)].map((m) => Number(m[1]));

async function helpOf(name: string): Promise<string> {
  const command = new Command(name);
  (await COMMANDS.find((c) => c.name === name)?.load())?.define(command);
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

test('the README, docs/errors.md and --help name the same exit statuses; those that begin no removal say refused', async () => {
  assert.deepEqual(inTable('README.md'), Object.values(EXIT));
  assert.deepEqual(inTable('docs/errors.md'), Object.values(EXIT));
  for (const name of ['remove', 'resume', 'rollback']) assert.deepEqual(inHelp(await helpOf(name)), [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.refused, EXIT.partly], name);
  for (const code of ['HELD', 'REFUSED', 'NO_CONSENT', 'NO_PERMISSION', 'READ_ONLY'] as const) assert.equal(CODES[code].exit, EXIT.refused, code);
});

for (const entry of COMMANDS) {
  test(`unseat ${entry.name} --help`, async () => {
    const text = await helpOf(entry.name);
    assert.match(text, new RegExp(`^ +(sudo )?unseat ${entry.name}( |$)`, 'm'), 'an example');
    assert.match(text, /exit status/i);
    assert.match(text, /--json/);
    for (const line of text.split('\n')) assert.ok(line.length <= 130, `${line.length} characters: ${line}`);
  });
}
