/** The engine on a machine in memory: every way to its end, and with faults and crashes at every host call. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault, FaultRule } from '../../src/host/recording/fault.ts';
import { recordHost } from '../../src/host/recording/recording-host.ts';
import { resume, rollback } from '../../src/remove/engine/run.ts';
import { findJournals } from '../../src/remove/journal/journal.ts';
import type { Way } from '../../src/steps/reason.ts';
import { EARLY_KILL } from './fake-machine.ts';
import { crashAt, gone, machineFor, settled, start, WAYS } from './engine-rig.ts';

for (const way of WAYS) {
  test(`${way}: to its end, with a record and no journal left`, async () => {
    const machine = machineFor(way);
    const record = await start(machine.host(), machine, way);
    assert.equal(record.status, 'done', JSON.stringify(record.steps.at(-1)));
    gone(machine, way, way);
    assert.equal([...machine.store.keys()].filter((k) => k.startsWith('/var/lib/unseat/')).length, 1);
  });
}

async function callsOf(way: Way): Promise<number> {
  const machine = machineFor(way);
  const recorded = recordHost(machine.host());
  await start(recorded.host, machine, way);
  return recorded.calls.length;
}

for (const way of WAYS) {
  test(`${way}: a crash at every host call, then resume reaches the end`, async () => {
    const calls = await callsOf(way);
    for (let at = 0; at < calls; at += 1) {
      for (const when of ['before', 'after'] as const) {
        const machine = await crashAt(way, at, when);
        const what = `${way}, crash ${when} call ${at}`;
        const [journal] = findJournals(machine.host());
        // Before the header was written nothing was touched; behind the last line nothing is left to do.
        const record = journal === undefined
          ? machine.bound ? await start(machine.host(), machine, way) : null
          : await resume(machine.host(), journal.path, journal.content);
        if (record !== null) assert.equal(record.status, 'done', `${what}: ${JSON.stringify(record.steps.at(-1))}`);
        gone(machine, way, what);
      }
    }
  });

  test(`${way}: a crash at every host call, then rollback puts everything back`, async () => {
    const calls = await callsOf(way);
    for (let at = 0; at < calls; at += 1) {
      const machine = await crashAt(way, at, 'before');
      const [journal] = findJournals(machine.host());
      if (journal === undefined) continue;
      const record = await rollback(machine.host(), journal.path, journal.content);
      const what = `${way}, rollback after a crash at call ${at}`;
      assert.equal(record.status, 'rolled-back', what);
      settled(machine, what);
      assert.equal(machine.bound, true, what);
      assert.ok([...machine.blocks.values()].every((s) => s === 'online'), what);
    }
  });

  for (const fault of [{ kind: 'errno', errno: 'EIO' }, { kind: 'errno', errno: 'EIO', effect: 'done' }, { kind: 'deadline' }, { kind: 'deadline', effect: 'done' }] as readonly Fault[]) {
    test(`${way}: ${JSON.stringify(fault)} at every action: no harm, nobody left stopped`, async () => {
      const actions = await actionsOf(way);
      for (const at of actions) {
        const machine = machineFor(way);
        const rules: FaultRule[] = [{ at, fault }];
        const record = await start(recordHost(machine.host(), rules).host, machine, way);
        const what = `${way}, ${JSON.stringify(fault)} at call ${at}: ${record.status}`;
        assert.deepEqual(machine.harm, [], what);
        if (record.status === 'done') assert.equal(machine.bound, false, what);
        if (record.status === 'called-off') {
          assert.equal(machine.bound, true, what);
          assert.equal(machine.settings.get(EARLY_KILL), '0', what);
        }
        if (record.status === 'partly') assert.equal(findJournals(machine.host()).length, 1, what);
      }
    });
  }
}

/** Calls that act on the machine, the store left out: a removal whose journal cannot be written stops with an error. */
async function actionsOf(way: Way): Promise<number[]> {
  const machine = machineFor(way);
  const recorded = recordHost(machine.host());
  await start(recorded.host, machine, way);
  return recorded.calls.filter((c) => (c.facet === 'actions' || c.facet === 'trace') && c.method !== 'release' && c.method !== 'holds').map((c) => c.index);
}
