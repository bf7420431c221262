/** The engine's tests: the fake machine of each way, a removal of it, and how it must stand at the end. */
import assert from 'node:assert/strict';
import type { Host } from '../../src/host/host.ts';
import { Crashed } from '../../src/host/recording/fault.ts';
import { recordHost } from '../../src/host/recording/recording-host.ts';
import { remove } from '../../src/remove/engine/run.ts';
import { findJournals } from '../../src/remove/journal/journal.ts';
import type { RemovalRecord } from '../../src/remove/record.ts';
import type { Way } from '../../src/steps/reason.ts';
import { EARLY_KILL, FS_DEV, FakeMachine } from './fake-machine.ts';
import { planFor } from './plans.ts';

export const WAYS: readonly Way[] = ['graceful', 'detach', 'force', 'kill'];

export function machineFor(way: Way): FakeMachine {
  const machine = new FakeMachine();
  if (way === 'graceful') {
    machine.blocks.set(33, 'online');
    machine.blocks.set(34, 'online');
    return machine;
  }
  machine.add(100, { shared: 1, fds: 1, cwd: FS_DEV });
  machine.add(101, way === 'force' ? { shared: 1 } : { shared: 1, privates: 1 });
  return machine;
}

export const start = (host: Host, machine: FakeMachine, way: Way): Promise<RemovalRecord> => {
  const { plan, way: wayPlan } = planFor(machine, way);
  return remove(host, plan, wayPlan, [FS_DEV]);
};

export function settled(machine: FakeMachine, what: string): void {
  assert.deepEqual(machine.harm, [], what);
  assert.ok([...machine.processes.values()].every((p) => !p.stopped), `${what}: a process is left stopped`);
  assert.equal(machine.settings.get(EARLY_KILL), '0', what);
}

/** The end state of a whole removal. */
export function gone(machine: FakeMachine, way: Way, what: string): void {
  settled(machine, what);
  assert.equal(machine.bound, false, what);
  assert.ok([...machine.processes.values()].every((p) => p.present.size === 0), what);
  if (way !== 'force') assert.deepEqual(machine.mounted, [], what);
  if (way === 'detach') assert.ok([...machine.processes.values()].every((p) => p.alive), what);
  assert.equal(findJournals(machine.host()).length, 0, what);
}

export async function crashAt(way: Way, at: number, when: 'before' | 'after'): Promise<FakeMachine> {
  const machine = machineFor(way);
  const recorded = recordHost(machine.host(), [{ at, fault: { kind: 'crash', when } }]);
  await assert.rejects(start(recorded.host, machine, way), Crashed);
  machine.crash();
  return machine;
}
