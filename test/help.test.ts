/** Every command's help teaches: what it does, examples that call it, and what its exit status means. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { COMMANDS } from '../src/cli/commands/index.ts';

for (const entry of COMMANDS) {
  test(`unseat ${entry.name} --help`, async () => {
    const command = new Command(entry.name);
    (await entry.load()).define(command);
    let text = '';
    command.configureOutput({ writeOut: (part) => (text += part) });
    command.outputHelp();
    assert.match(text, new RegExp(`^ +(sudo )?unseat ${entry.name}( |$)`, 'm'), 'an example');
    assert.match(text, /exit status/i);
    assert.match(text, /--json/);
    for (const line of text.split('\n')) assert.ok(line.length <= 130, `${line.length} characters: ${line}`);
  });
}
