import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UnseatError } from '../errors/unseat-error.ts';
import { readScenario, type ScenarioProblem } from './read.ts';

const GOOD = `scenario: x
title: a title
machine:
  nvdimms: [{name: nv, size: 512M}]
  namespaces: [{name: data, on: nv, mode: fsdax}]
filesystems: [{on: data, at: /mnt, type: ext4}]
processes:
  - {name: h, maps: [{file: /mnt/big, size: 4M}]}
steps:
  - unbind: data
  - {read: h, as: gone}
expect:
  - {step: gone, own: all}
`;

function problems(text: string): readonly ScenarioProblem[] {
  try {
    readScenario(text, 'x.yaml');
  } catch (error) {
    assert.ok(error instanceof UnseatError, String(error));
    assert.equal(error.code, 'BAD_SCENARIO');
    assert.equal(error.facts.subject, 'x.yaml');
    return error.facts.data?.['problems'] as readonly ScenarioProblem[];
  }
  return [];
}

test('sizes become bytes, shorthand becomes the full form, defaults are filled in', () => {
  const s = readScenario(GOOD, 'x.yaml');
  assert.equal(s.machine.nvdimms[0]?.size, 512 * 1024 ** 2);
  assert.equal(s.machine.namespaces[0]?.map, 'mem');
  assert.deepEqual(s.steps[0], { verb: 'unbind', argument: { device: 'data' }, label: null, withinSeconds: null, watch: [] });
  const map = s.processes[0]?.maps[0];
  assert.ok(map && 'file' in map);
  assert.deepEqual([map.name, map.share, map.align, map.touch], ['m', 'shared', '2M', 'write']);
});

const CASES: [string, string, string, number, string, RegExp][] = [
  ['an unknown size', 'size: 512M', 'size: much', 4, 'machine.nvdimms[0].size', /expected a size/],
  ['an unknown key', 'mode: fsdax', 'mode: fsdax, colour: red', 5, 'machine.namespaces[0]', /colour/],
  ['a namespace on nothing', 'on: nv,', 'on: nx,', 5, 'machine.namespaces[0].on', /expected an nvdimm/],
  ['an unknown device in a step', 'unbind: data', 'unbind: dita', 10, 'steps[0].unbind', /expected a device of this machine \(nv, data\)/],
  ['an unknown process', 'read: h,', 'read: k,', 11, 'steps[1].read', /expected a process of this file \(h\)/],
  ['two verbs', '{read: h,', '{read: h, wait: 1,', 11, 'steps[1]', /expected one verb, found read and wait/],
  ['an unknown label', 'step: gone', 'step: come', 13, 'expect[0].step', /label/],
  ['a page that is none', 'size: 4M', 'size: 5000', 8, 'processes[0].maps[0].size', /multiple of 4K/],
];
for (const [what, from, to, line, path, message] of CASES) {
  test(`${what} is named with its line and place`, () => {
    assert.ok(GOOD.includes(from));
    const found = problems(GOOD.replace(from, to));
    const hit = found.find((p) => p.line === line && p.path === path);
    assert.ok(hit, JSON.stringify(found));
    assert.match(hit.message, message);
  });
}

test('what is not YAML is said with its line', () => {
  assert.equal(problems('scenario: x\n  bad: [1,\n')[0]?.path, '');
  assert.match(problems('a: 1\na: 2\n')[0]?.message ?? '', /not YAML/);
});

test('no text makes the reader crash', () => {
  fc.assert(fc.property(fc.string(), fc.nat(GOOD.length), fc.nat(40), (noise, at, cut) => {
    problems(GOOD.slice(0, at) + noise + GOOD.slice(at + cut));
  }), { numRuns: 200 });
});
