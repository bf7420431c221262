/** `plan` and `layout` as a shell sees them: one JSON document on stdout, errors on stderr, the documented exit status. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { capturePath } from './captures.ts';

const MAIN = resolve(import.meta.dirname, '../src/cli/main.ts');
const unseat = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', COLUMNS: '100' } });
const FROM = ['--from', capturePath('fsdax-7.2-ext4')];

test('plan --json: one document and nothing else; a mount point names the device', () => {
  const { status, stdout, stderr } = unseat('plan', '/mnt', ...FROM, '--json');
  assert.equal(status, 0, stderr);
  const plan = JSON.parse(stdout) as { device: string; ways: { way: string }[] };
  assert.equal(plan.device, 'fsdax:namespace0.0');
  assert.deepEqual(plan.ways.map((w) => w.way), ['graceful', 'detach', 'force', 'kill']);
});

test('plan: the way that is asked for, the source of each line, no escape codes', () => {
  const { status, stdout } = unseat('plan', 'pmem0', ...FROM, '--way', 'kill', '--sources');
  assert.equal(status, 0);
  assert.match(stdout, /Steps: kill/);
  assert.match(stdout, /\[docs\/kernel-truth/);
  assert.doesNotMatch(stdout, /\u001b/);
});

test('plan: what it cannot do, with the status that is documented', () => {
  const cases: [string[], number, RegExp][] = [
    [['plan', 'pmem9', ...FROM], 1, /NOT_FOUND/],
    [['plan', 'region0', '--from', capturePath('cxl-region-fsdax-7.2')], 2, /AMBIGUOUS[\s\S]*cxl:region0/],
    [['plan', ...FROM], 2, /missing required argument/],
    [['plan', 'pmem0', ...FROM, '--as-kernel', '1.0'], 2, /no profile 1\.0/],
    [['plan', 'memory5', ...FROM, '--way', 'kill'], 2, /has no way "kill"/],
    [['plan', 'pmem0', '--from', MAIN], 1, /BAD_CAPTURE/],
    [['layout', 'nonsense'], 2, /is no range/],
    [['layout'], 2, /no range is given/],
    [['layout', '64M!1G', '--block-size', '100M'], 2, /whole sections/],
    [['layout', '64M!1G', '--kernel', '3.0'], 2, /no profile 3\.0/],
    [['layout', 'ram:64M@1G', '--namespaces', '16M'], 2, /needs a pmem range/],
  ];
  for (const [args, status, text] of cases) {
    const result = unseat(...args);
    assert.equal(result.status, status, `${args.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, text);
    assert.equal(result.stdout, '');
  }
});

test('layout: of a captured machine with a range besides; --json in bytes', () => {
  const { status, stdout, stderr } = unseat('layout', '--from', capturePath('mixed-ram-pmem-6.12'), '--kernel', '6.12', '512M!4G', '--json');
  assert.equal(status, 0, stderr);
  const report = JSON.parse(stdout) as { generations: { ranges: { asRam: { lost: number } }[]; blocks: { index: number }[] }[] };
  assert.equal(report.generations[0]?.ranges[1]?.asRam.lost, 126 * 1024 * 1024);
  assert.deepEqual(report.generations[0]?.blocks.map((b) => b.index), [0, 8, 9, 15]);
});

test('a wrong command line: told on stderr with the page that helps, and as a document with --json', () => {
  const missing = unseat('plan');
  assert.deepEqual([missing.status, missing.stdout], [2, '']);
  assert.match(missing.stderr, /missing required argument 'device'\n\(see 'unseat plan --help'\)/);
  const unknown = unseat('scan', '--nonsense', '--json');
  assert.equal(unknown.status, 2);
  assert.deepEqual(JSON.parse(unknown.stdout), { error: { code: 'USAGE', message: "unknown option '--nonsense'" } });
});
