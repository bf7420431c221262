import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CORE } from './core.ts';
import { allScenarios } from './project.ts';
import { bootKey } from './run/session.ts';

const scenarios = new Map(allScenarios().map((s) => [s.scenario, s]));

test('scenarios are marked as core exactly where the core has them', () => {
  const marked = [...scenarios.values()].filter((s) => s.core).map((s) => s.scenario).sort();
  assert.deepEqual([...new Set(Object.values(CORE).flat())].sort(), marked);
});

test('every kind of device is in the core', () => {
  const used = [...new Set(Object.values(CORE).flat())].map((name) => scenarios.get(name)?.machine);
  for (const kind of ['nvdimms', 'memmapPmem', 'dimms', 'virtioMem', 'virtioPmem', 'cxl'] as const) assert.ok(used.some((m) => (m?.[kind].length ?? 0) > 0), kind);
  for (const mode of ['fsdax', 'devdax']) assert.ok(used.some((m) => m?.namespaces.some((n) => n.mode === mode)), mode);
});

test('cells of one machine stand together', () => {
  for (const [kernel, names] of Object.entries(CORE)) {
    const keys = names.map((name) => bootKey(scenarios.get(name) ?? assert.fail(name)));
    assert.equal(keys.filter((key, i) => key !== keys[i - 1]).length, new Set(keys).size, kernel);
  }
});
