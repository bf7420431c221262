import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { allScenarios, scenarioNamed } from '../project.ts';
import { findProgram } from '../program.ts';
import { HOLDER_C } from './holder-c.ts';
import { reproducer } from './reproducer.ts';

test('the script of every scenario is a script that sh can read', () => {
  for (const s of allScenarios()) {
    const script = reproducer(s).files.find((f) => f.path === 'reproduce.sh')?.text ?? '';
    const checked = spawnSync('sh', ['-n'], { input: script });
    assert.equal(checked.status, 0, `${s.scenario}: ${checked.stderr}`);
  }
});

test('it makes the namespace, the file system and the unbind, in that order', () => {
  const script = reproducer(scenarioNamed('fsdax-xfs-rmapbt')).files[0]?.text ?? '';
  const at = ['ndctl create-namespace -f -e namespace0.0 -m fsdax -M mem', 'mkfs.xfs -q -f -d su=2m,sw=1,agcount=4 -l su=4096 -m reflink=0,rmapbt=1 /dev/pmem0', 'mount -t xfs -o dax=always /dev/pmem0 /mnt',
    './holder /mnt/big 4194304 shared 2M', 'echo pfn0.0 > /sys/bus/nd/drivers/nd_pmem/unbind'].map((line) => script.indexOf(line));
  assert.ok(at.every((place, i) => place >= 0 && (i === 0 || place > (at[i - 1] ?? 0))), `${at}\n${script}`);
});

test('no script names a device that is not there', () => {
  for (const s of allScenarios()) {
    const script = reproducer(s).files[0]?.text ?? '';
    assert.doesNotMatch(script, /undefined|NaN|(?:region|namespace|pmem|dax|pfn)-1/, s.scenario);
    for (const used of script.matchAll(/echo \$(\w+) > \/sys/g)) assert.match(script, new RegExp(`^${used[1]}=`, 'm'), s.scenario);
  }
  assert.match(reproducer(scenarioNamed('cxl-ram-unbind')).files[0]?.text ?? '', /cxl create-region -t ram -d decoder0\.0 -m mem0[\s\S]*echo \$\w+ > \/sys\/bus\/pci\/drivers\/cxl_pci\/unbind/);
});

test('what it leaves out is said', () => {
  assert.ok(reproducer(scenarioNamed('devdax-pin-af-xdp')).notShown.some((line) => line.includes('af-xdp')));
});

test('the C program compiles without a warning', { skip: findProgram('gcc') === null ? 'no C compiler' : false }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'unseat-holder-'));
  writeFileSync(join(folder, 'holder.c'), HOLDER_C);
  const made = spawnSync('gcc', ['-O1', '-Wall', '-Werror', '-Wno-clobbered', '-o', join(folder, 'holder'), join(folder, 'holder.c')]);
  rmSync(folder, { recursive: true });
  assert.equal(made.status, 0, String(made.stderr));
});
