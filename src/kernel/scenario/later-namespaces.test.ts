import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readScenario } from '../../scenario/read.ts';
import { profileNamed } from './simulate.ts';
import { buildScenario } from './build.ts';
import { takeStep } from './steps/take.ts';
import type { Seen } from './steps/outcome.ts';

const TEXT = `
scenario: later
title: namespaces that steps make
machine:
  memmapPmem: [{name: odd, at: 0x46110000, size: 0x3c01000}]
  nvdimms: [{name: dimm, size: 64M}]
  namespaces:
    - {name: small, on: dimm, mode: fsdax, size: 18M, later: true}
    - {name: a, on: dimm, mode: fsdax, size: 32M, later: true}
    - {name: b, on: dimm, mode: devdax, size: 32M, later: true}
    - {name: c, on: dimm, mode: fsdax, size: 16M, later: true}
steps:
  - {create: small, as: small}
  - {create: a, as: a}
  - {create: b, as: b}
  - {create: c, as: full}
  - {destroy: a}
  - {create: c, as: room}
  - {put: {file: '/sys/bus/nd/devices/{dimm.region}/align', text: '2097152'}}
  - {get: {file: '/sys/bus/nd/devices/{dimm.region}/align'}, as: align}
  - {put: {file: '/sys/bus/nd/devices/{odd.region}/align', text: '2097152'}, as: fixed}
  - {put: {file: /sys/bus/nd/drivers/nd_pmem/bind, text: 'namespace{odd.number}.0'}, as: raw}
`;

function run(kernel: string): Record<string, Seen> {
  const scenario = readScenario(TEXT, 'later.yaml');
  const built = buildScenario(scenario, profileNamed(kernel));
  return Object.fromEntries(scenario.steps.map((step, i) => [step.label ?? String(i), takeStep(built, step)]));
}

test('sizes that the region does not take are refused, room is found again, and what is left of it is the info block less', () => {
  const seen = run('7.2');
  assert.equal(seen['small']?.ending, 'refused');
  assert.deepEqual(['a', 'b'].map((name) => seen[name]?.value), ['31457280', '31457280']);
  assert.equal(seen['full']?.ending, 'refused');
  assert.equal(seen['room']?.value, '14680064');
  assert.equal(seen['align']?.value, '0x200000');
});

test('what a region without DIMMs and a probe that fails say differs by kernel', () => {
  assert.deepEqual([run('5.10')['fixed']?.errno, run('5.10')['raw']?.errno], ['ENXIO', 'ENODEV']);
  assert.deepEqual([run('7.2')['fixed']?.ending, run('7.2')['raw']?.errno], ['returned', 'EOPNOTSUPP']);
});
