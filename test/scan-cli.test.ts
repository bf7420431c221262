/** scan and map as they are called: one document on stdout, colour only where it is wanted, exit codes, this machine. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { capturePath } from './captures.ts';

const MAIN = resolve(import.meta.dirname, '../src/cli/main.ts');
const call = (args: readonly string[], env: Record<string, string> = {}) => {
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...rest } = process.env;
  const run = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env: { ...rest, ...env } });
  return { status: run.status, out: run.stdout, err: run.stderr };
};
const ESC = '\u001b[';

test('map draws colour only when told to, and NO_COLOR wins', () => {
  const args = ['map', '--from', capturePath('fsdax-7.2-ext4')];
  assert.ok(!call(args).out.includes(ESC), 'not a terminal');
  assert.ok(call(args, { FORCE_COLOR: '1' }).out.includes(ESC));
  assert.ok(!call(args, { FORCE_COLOR: '1', NO_COLOR: '1' }).out.includes(ESC));
});

test('--json is one document and nothing else, also for an error', () => {
  const scan = call(['scan', '--json', '--from', capturePath('mixed-ram-pmem-6.12')]);
  assert.equal(scan.status, 0);
  assert.equal(JSON.parse(scan.out).devices[0].name, 'pmem0');
  const wrong = call(['map', 'no-such-device', '--json', '--from', capturePath('mixed-ram-pmem-6.12')]);
  assert.deepEqual([wrong.status, JSON.parse(wrong.out).error.code], [1, 'NOT_FOUND']);
});

test('a wrong range is a wrong command line (2), an ambiguous name too', () => {
  assert.equal(call(['map', '--range', 'x', '--from', capturePath('fsdax-7.2-ext4')]).status, 2);
  const both = call(['map', 'region0', '--from', capturePath('cxl-region-fsdax-7.2')]);
  assert.equal(both.status, 2);
  assert.match(both.err, /nvdimm:region0 or cxl:region0/);
});

test('this machine: every memory block that sysfs lists', { skip: process.platform !== 'linux' && 'not Linux' }, (t) => {
  const names = (() => {
    try {
      return readdirSync('/sys/devices/system/memory').filter((n) => /^memory\d+$/.test(n));
    } catch {
      return [];
    }
  })();
  if (names.length === 0) return t.skip('this machine shows no memory blocks');
  const { status, out } = call(['scan', '--json']);
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(out).memory.blocks.map((b: { index: number }) => `memory${b.index}`).sort(), names.sort());
});
