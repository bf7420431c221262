import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { define } from './commands/scan.ts';
import { quickOptions } from './quick-arguments.ts';

test('quick command lines have the options that commander would give', () => {
  for (const flags of [[], ['--json'], ['--no-holders'], ['--pages', '--json'], ['--no-holders', '--no-holders', '--pages']]) {
    const command = new Command('scan').exitOverride();
    define(command);
    command.parse(flags, { from: 'user' });
    assert.deepEqual(quickOptions(['scan', ...flags]), command.opts());
  }
});

test('every other command line is left to commander', () => {
  for (const line of [[], ['plan', 'pmem0'], ['scan', '--from', 'x'], ['scan', '--from=x'], ['scan', '--jso'], ['scan', '--help'], ['scan', 'x'], ['--json', 'scan'], ['scan', '--', '--json'], ['scan', 'constructor']]) {
    assert.equal(quickOptions(line), null, line.join(' '));
  }
});

test('a reader that goes away ends a quick command quietly', () => {
  const { status, stderr } = spawnSync('sh', ['-c', '"$0" "$1" scan --json | head -c 10', process.execPath, join(import.meta.dirname, 'main.ts')], { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
});
