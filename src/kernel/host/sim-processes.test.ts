import assert from 'node:assert/strict';
import { test } from 'node:test';
import { profileByName } from '../../profile/select.ts';
import { readScenario } from '../../scenario/read.ts';
import { fork } from '../mm/fork.ts';
import { buildScenario } from '../scenario/build.ts';
import { run } from '../setup/run.ts';
import { findTask, taskPid } from '../task.ts';
import { simulatedHost } from './sim-host.ts';
import { FIRST_NAMESPACE, namespaceOfTask } from './world.ts';

/** Found by seed 5982 of the removals under living processes: the parent was taken for an address, and the walk to it did not end. */
test('whoever is forked while the machine runs has its parent and is in its mount namespace', () => {
  const profile = profileByName('7.2');
  assert.ok(profile !== null);
  const { world } = buildScenario(readScenario(`
scenario: forks
title: a process in a mount namespace of its own
machine: {nvdimms: [{name: nv, size: 512M}]}
processes: [{name: first}]
steps: [{look: [iomem]}]
`, 'forks'), profile);
  const { k } = world;
  const first = findTask(k, 100);
  (world.namespaceOf as Map<number, number>).set(first, FIRST_NAMESPACE + 7);
  const child = run(k, fork(k, first), first).rc;
  const grandchild = run(k, fork(k, child), child).rc;
  for (const [task, parent] of [[child, first], [grandchild, child]] as const) {
    assert.equal(namespaceOfTask(world, task), FIRST_NAMESPACE + 7);
    assert.match(String(simulatedHost(world).files.text(`/proc/${taskPid(k, task)}/status`)), new RegExp(`\\nPPid:\\t${taskPid(k, parent)}\\n`));
  }
});
