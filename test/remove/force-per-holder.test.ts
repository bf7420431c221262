/** --force chooses holder by holder: who can be detached lives on unharmed, memory_failure() is for the others alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { isMissing } from '../../src/host/fact.ts';
import type { Host } from '../../src/host/host.ts';
import { simulatedHost } from '../../src/kernel/host/sim-host.ts';
import { buildScenario, type BuiltScenario } from '../../src/kernel/scenario/build.ts';
import { TASK } from '../../src/kernel/task.ts';
import { inventoryFor, optionsOf } from '../../src/plan/inventory.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { profileByName } from '../../src/profile/select.ts';
import { remove } from '../../src/remove/engine/run.ts';
import { undetachable } from '../../src/remove/ways/force/choose.ts';
import { readScenario } from '../../src/scenario/read.ts';
import type { WayPlan } from '../../src/steps/removal-plan.ts';
import { fieldsOf } from './every-call/cases.ts';

const SECCOMP = 'a seccomp filter forbids what detach needs';

function machineOf(second: Record<string, unknown>, release: string): { host: Host; built: BuiltScenario; numbers: string[]; force: WayPlan; run: () => ReturnType<typeof remove> } {
  const text = stringify({
    scenario: 'mixed', title: 'two holders', machine: { nvdimms: [{ name: 'nv', size: '64M' }], namespaces: [{ name: 'data', on: 'nv', mode: 'fsdax' }] }, filesystems: [{ on: 'data', at: '/mnt', type: 'ext4' }],
    processes: [{ name: 'free', maps: [{ file: '/mnt/a', size: '16K', align: '4K' }] }, { name: 'locked', maps: [{ file: '/mnt/b', size: '16K', align: '4K' }], ...second }], steps: [{ look: ['iomem'] }],
  });
  const profile = profileByName(release);
  assert.ok(profile !== null);
  const built = buildScenario(readScenario(text, 'mixed'), profile);
  const bare = simulatedHost(built.world);
  const locked = pidOf(bare, 'locked');
  const { trace } = bare;
  assert.ok(trace !== undefined);
  const host: Host = { ...fieldsOf(bare), trace: {
    obstacle: (process) => (process.pid === locked ? SECCOMP : trace.obstacle(process)), stop: (process, ms) => trace.stop(process, ms), inject: (process, chain, ms, carriers) => trace.inject(process, chain, ms, carriers),
    peek: (process, address, into) => trace.peek(process, address, into), release: (process) => trace.release(process),
  } };
  const inventory = inventoryFor(host, 'pmem0');
  const numbers = [...new Set(inventory.leaves.flatMap((l) => l.deviceNumbers))];
  const selection = { profile, exact: true, says: '', overridden: [] };
  const first = makePlan(inventory.machine, inventory.device, optionsOf(inventory), selection);
  const holders = first.ways.find((w) => w.way === 'kill')?.steps.flatMap(({ action }) => (action.kind === 'signal-process' ? [action.process] : [])) ?? [];
  const cannot = undetachable(host, holders, new Set(numbers));
  assert.deepEqual(cannot, [{ pid: locked, why: SECCOMP }]);
  const plan = makePlan(inventory.machine, inventory.device, { ...optionsOf(inventory), cannotDetach: [locked] }, selection);
  const force = plan.ways.find((w) => w.way === 'force');
  assert.ok(force !== undefined);
  return { host, built, numbers, force, run: () => remove(host, plan, force, numbers) };
}

function pidOf(host: Host, comm: string): number {
  const pids = host.processes.pids();
  assert.ok(!isMissing(pids));
  return pids.find((pid) => { const stat = host.processes.read(pid, 'stat'); return !isMissing(stat) && Buffer.from(stat).toString('latin1').includes(`(${comm})`); }) ?? assert.fail(comm);
}

const kinds = (force: WayPlan, comm: string): string[] => force.steps.filter((s) => s.title.includes(`(${comm})`)).map((s) => s.action.kind);

test('one is detached, the other gets memory_failure, and the mount stays until the device is bound again', async () => {
  const { host, built, numbers, force, run } = machineOf({}, '6.12');
  assert.deepEqual(kinds(force, 'free'), ['stop-process', 'detach-process', 'release-process']);
  assert.deepEqual(kinds(force, 'locked'), ['stop-process', 'memory-failure', 'release-process']);
  assert.match(force.consequences.join('\n'), /\(free\): lives on/);
  assert.match(force.consequences.join('\n'), /\(locked\): SIGBUS/);
  const record = await run();
  assert.equal(record.status, 'done', JSON.stringify(record.steps.at(-1)));
  assert.match(record.steps.map((s) => s.says).join('\n'), /4 write\(s\) to hard_offline_page/);
  assert.deepEqual(host.processes.mappings(pidOf(host, 'free'), new Set(numbers)), []);
  const { k } = built.world;
  const task = (name: string): number => built.processes.get(name)?.task ?? assert.fail(name);
  assert.equal(k.heap.load(task('free') + TASK.pending), 0, 'no signal to who was detached');
  assert.notEqual(k.heap.load(task('locked') + TASK.pending), 0);
  assert.equal(host.files.text('/proc/sys/vm/memory_failure_early_kill'), '0');
});

test('5.10, where memory_failure unmaps nothing: refused for that one alone', () => {
  const { force } = machineOf({}, '5.10');
  assert.equal(force.possible, false);
  assert.deepEqual(force.blockers.map((b) => b.reason), ['force-has-no-effect', 'held-by-mapping']);
  assert.match(force.blockers[1]?.subject ?? '', /\(locked\)/);
});

test('a holder that asked for late kill: told in the plan, and the device stays', async () => {
  const { host, force, run } = machineOf({ mceKill: 'late' }, '6.12');
  assert.match(force.consequences.join('\n'), /PR_MCE_KILL_LATE/);
  const record = await run();
  // The other one has let go and goes on without: that is not as before.
  assert.equal(record.status, 'partly');
  assert.match(record.steps.at(-1)?.says ?? '', /reported success and unmapped nothing/);
  assert.ok(!isMissing(host.files.stat('/sys/block/pmem0')));
  assert.equal(host.files.text('/proc/sys/vm/memory_failure_early_kill'), '0');
});
