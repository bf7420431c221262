/** The commands that README.md shows print what it shows, and its tables are those of the code. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { test } from 'node:test';
import { COMMANDS } from '../src/cli/commands/index.ts';
import { EXIT } from '../src/errors/codes.ts';

const ROOT = resolve(import.meta.dirname, '..');
const readme = readFileSync(resolve(ROOT, 'README.md'), 'utf8');
const RUNS = 'npm run -s unseat -- ';

/** `$ command` and what it prints; a line `[...]` stands for any lines. */
const shown = [...readme.matchAll(/^```console\n\$ ([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, command = '', output = '']) => ({ command, output }));

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const pattern = (output: string): RegExp => new RegExp(`^${output.split('[...]\n').map(escaped).join('(?:[^\\n]*\\n)*')}$`);

for (const { command, output } of shown) {
  test(`$ ${command}`, () => {
    assert.ok(command.startsWith(RUNS), 'a checkout runs the tool with npm run');
    const args = command.slice(RUNS.length).split(' ').map((a) => a.replace(/^'(.*)'$/, '$1'));
    const { stdout, status } = spawnSync(process.execPath, [resolve(ROOT, 'src/cli/main.ts'), ...args], { cwd: ROOT, encoding: 'utf8', env: { ...process.env, COLUMNS: '100', NO_COLOR: '1' } });
    assert.equal(status, 0);
    assert.match(stdout, pattern(output));
  });
}

test('it shows something, and an output that differs is noticed', () => {
  assert.ok(shown.length >= 3);
  assert.doesNotMatch('pmem0 fsdax\n', pattern('pmem1 fsdax\n'));
  assert.match('a\nb\nc\n', pattern('a\n[...]\n'));
});

test('its tables have every command and every exit status', () => {
  const named = [...readme.matchAll(/^\| (`[a-z][^|]*)\|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z]+)/g)].map((m) => m[1]));
  assert.deepEqual(COMMANDS.map((c) => c.name).filter((name) => !named.includes(name)), []);
  const statuses = [...readme.matchAll(/^\| (\d+) \|/gm)].map((m) => Number(m[1]));
  assert.deepEqual(statuses, Object.values(EXIT));
});

test('links in it and in docs lead somewhere', () => {
  for (const page of ['README.md', 'docs/design.md', 'docs/json.md', 'docs/plan.md', 'docs/errors.md', 'docs/kernel-truth.md', 'CONTRIBUTING.md']) {
    const text = readFileSync(resolve(ROOT, page), 'utf8');
    const dead = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map((m) => m[1] ?? '').filter((to) => !existsSync(resolve(ROOT, dirname(page), to)));
    assert.deepEqual(dead, [], page);
  }
});
