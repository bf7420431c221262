import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allScenarios, scenarioNamed } from '../project.ts';
import { bootKey } from '../run/session.ts';
import { judgedAgain, type Cell } from '../run/cell.ts';
import { inBootOrder, roomForGuests } from './run-matrix.ts';
import { cellKey } from './store.ts';

test('scenarios that differ only in what is made inside share a boot', () => {
  assert.equal(bootKey(scenarioNamed('fsdax-ext4-unbind')), bootKey(scenarioNamed('fsdax-xfs-rmapbt')));
  assert.equal(bootKey(scenarioNamed('fsdax-ext4-unbind')), bootKey(scenarioNamed('devdax-unbind')));
  assert.notEqual(bootKey(scenarioNamed('fsdax-ext4-unbind')), bootKey(scenarioNamed('kmem-online-unbind')));
});

test('the order loses no scenario and keeps those of one boot together', () => {
  const ordered = inBootOrder(allScenarios());
  assert.equal(ordered.length, allScenarios().length);
  const keys = ordered.map(bootKey);
  const changes = keys.filter((key, i) => key !== keys[i - 1]).length;
  assert.equal(changes, new Set(keys).size);
});

test('a result belongs to one text of a scenario and one package of a kernel', () => {
  const a = cellKey(scenarioNamed('devdax-unbind'), { release: '6.1', version: '1' });
  assert.equal(a, cellKey(scenarioNamed('devdax-unbind'), { release: '6.1', version: '1' }));
  assert.notEqual(a, cellKey(scenarioNamed('devdax-unbind'), { release: '6.1', version: '2' }));
  assert.notEqual(a, cellKey(scenarioNamed('kmem-online-unbind'), { release: '6.1', version: '1' }));
});

test('what is said of a scenario, and a field that is off, leave its results valid', () => {
  const kernel = { release: '6.1', version: '1' };
  const s = scenarioNamed('devdax-unbind');
  const key = cellKey(s, kernel);
  assert.equal(cellKey({ ...s, title: 'another', expect: [], core: !s.core, clauses: [] }, kernel), key);
  assert.equal(cellKey({ ...s, processes: s.processes.map((p) => ({ ...p, fresh: false, none: [] })) }, kernel), key);
  assert.notEqual(cellKey({ ...s, steps: s.steps.slice(1) }, kernel), key);
});

test('a result is judged by what its scenario expects now', () => {
  const s = scenarioNamed('fsdax-ext4-unbind');
  const cell = { scenario: s.scenario, kernel: 'debian:6.1', release: '6.1.0-1', version: '1', qemu: '7', status: 'agrees', effects: [], observations: [], disagreements: [], bootSeconds: 1, seconds: 1, log: {}, logLines: [] } as Cell;
  assert.equal(judgedAgain(cell, s)?.status, 'disagrees');
  assert.equal(judgedAgain(cell, { ...s, expect: [] })?.status, 'agrees');
  assert.equal(judgedAgain(cell, { ...s, kernels: '>=6.12' }), null);
  assert.equal(judgedAgain({ ...cell, status: 'lab-failed' }, s), null);
});

test('there is always room for one guest, and never more than memory or CPUs allow', () => {
  const GiB = 1024 ** 3;
  assert.equal(roomForGuests(1, GiB), 1);
  assert.equal(roomForGuests(2, 64 * GiB), 1);
  assert.equal(roomForGuests(16, 64 * GiB), 8);
  assert.equal(roomForGuests(16, 9 * GiB), 2);
});
