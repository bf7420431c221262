import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allScenarios, scenarioNamed } from '../project.ts';
import { bootKey } from '../run/session.ts';
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

test('there is always room for one guest, and never more than memory or CPUs allow', () => {
  const GiB = 1024 ** 3;
  assert.equal(roomForGuests(1, GiB), 1);
  assert.equal(roomForGuests(2, 64 * GiB), 1);
  assert.equal(roomForGuests(16, 64 * GiB), 8);
  assert.equal(roomForGuests(16, 9 * GiB), 2);
});
