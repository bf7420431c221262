/**
 * The end of each way that a plan offers, on the twin of each capture under every release: a way that is said to be
 * possible is carried out and leaves nothing behind; the holders end as its consequences say; what is refused because
 * memory_failure() unmaps nothing does unmap nothing. UNSEAT_EVIDENCE=all takes every release, the sample here one.
 */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { openCapture } from '../src/host/capture/open.ts';
import { simulatedHost } from '../src/kernel/host/sim-host.ts';
import type { World } from '../src/kernel/host/world.ts';
import { countFindings } from '../src/lab/log-findings.ts';
import type { Machine } from '../src/machine/machine.ts';
import { presentPages } from '../src/kernel/setup/look.ts';
import { eachTask, findTask, isAlive, tasksOf } from '../src/kernel/task.ts';
import { inventoryFor, optionsOf } from '../src/plan/inventory.ts';
import { makePlan } from '../src/plan/make-plan.ts';
import type { Profile } from '../src/profile/profile.ts';
import { profileByName, releaseNames } from '../src/profile/select.ts';
import { audit } from '../src/remove/audit/audit.ts';
import { remove } from '../src/remove/engine/run.ts';
import type { Way } from '../src/steps/reason.ts';
import { readForTwin } from '../src/twin/read.ts';
import { twinOf } from '../src/twin/twin.ts';

const ALL = process.env['UNSEAT_EVIDENCE'] === 'all';
const DEVICES: readonly (readonly [capture: string, devices: readonly string[]])[] = [
  ['fsdax-6.1-ext4', ['pmem0']], ['fsdax-6.12-xfs', ['pmem0']], ['fsdax-7.2-ext4', ['pmem0', 'region0']], ['devdax-holder-none-7.2', ['dax0.0']], ['devdax-holder-u-7.2', ['dax0.0']],
  ['sysram-online-movable-plain-6.12', ['dax0.0', 'memory34']], ['sysram-online-kernel-plain-7.2', ['dax0.0']], ['mixed-ram-pmem-6.12', ['pmem0']],
  ['many-namespaces-7.2', ['pmem0', 'pmem0.1', 'dax0.3']], ['virtio-mem-7.2', ['virtio1']],
  ['cxl-region-kmem-7.2', ['dax0.0', 'cxl-region:region0', 'mem0', 'slot:2']], ['cxl-region-fsdax-7.2', ['pmem0', 'cxl-region:region0', 'mem1', 'slot:3']],
];
/** After memory_failure() the mount is dead until the device is bound again, and VMAs stay that raise SIGBUS. */
const AFTER_FORCE: ReadonlySet<string> = new Set(['dead-mount', 'poisoned-pages', 'stale-mapping']);
const tally: Record<string, number> = {};

for (const [i, [name, devices]] of DEVICES.entries()) {
  test(`ways on the twin of ${name}`, async () => {
    const capture = await openCapture(resolve(import.meta.dirname, `../fixtures/captures/${name}.tar.gz`));
    const machine = readForTwin(capture);
    capture.close();
    const wrong: string[] = [];
    for (const release of ALL ? releaseNames() : [i % 3 === 1 ? '6.1' : '7.2']) {
      const profile = profileByName(release);
      assert.ok(profile !== null);
      for (const rmapbt of name.includes('xfs') ? [true, false] : [false]) {
        if (twinOf(machine, profile, rmapbt).left.length > 0) continue;
        for (const device of devices) for (const way of ['graceful', 'detach', 'force', 'kill'] as const) wrong.push(...(await oneWay(machine, profile, rmapbt, device, way)).map((line) => `${release}, ${device}, ${way}: ${line}`));
      }
    }
    assert.deepEqual(wrong, []);
  });
}

async function oneWay(machine: Machine, profile: Profile, rmapbt: boolean, name: string, way: Way): Promise<string[]> {
  const { world } = twinOf(machine, profile, rmapbt);
  const { k } = world;
  const host = simulatedHost(world);
  const inventory = inventoryFor(host, name);
  const plan = makePlan(inventory.machine, inventory.device, optionsOf(inventory), { profile, exact: true, says: '', overridden: [] });
  const chosen = plan.ways.find((w) => w.way === way);
  if (chosen === undefined) return [];
  const pids = inventory.leaves.flatMap((l) => inventory.machine.holders[l.id] ?? []).flatMap((h) => (h.kind === 'process' ? [h.pid] : []));
  const mark = k.log.mark;
  const record = await remove(host, plan, chosen.possible ? chosen : { ...chosen, possible: true, blockers: [] }, [...new Set(inventory.leaves.flatMap((l) => l.deviceNumbers))]);
  tally[`${chosen.possible ? 'possible' : 'blocked'} ${record.status}`] = (tally[`${chosen.possible ? 'possible' : 'blocked'} ${record.status}`] ?? 0) + 1;
  if (!chosen.possible) {
    const useless = chosen.blockers.some((b) => b.reason === 'force-has-no-effect');
    return useless && record.status === 'done' ? ['was to unmap nothing, and was done'] : [];
  }
  if (record.status !== 'done') return [`possible, and ${record.status}: ${record.steps.at(-1)?.says ?? ''}`];
  const bad = countFindings(k.log.since(mark).map((line) => line.text));
  return [
    ...(['oops', 'bug', 'bad-page-map', 'hotremove-fails', 'warning'] as const).filter((f) => (bad[f] ?? 0) > 0).map((f) => `done, and the log has ${f}`),
    ...endOfHolders(world, pids, way),
    ...inventory.device.ranges.flatMap((r) => [...eachTask(k)].filter((task) => isAlive(k, task) && presentPages(k, task, r.start / 4096, r.end / 4096) > 0).map(() => 'done, and page tables still map it')),
    ...(k.heap.load(tasksOf(k).earlyKill) === 0 ? [] : ['memory_failure_early_kill is not as before']),
    ...audit(host).findings.filter((f) => f.weight === 'left' && !(way === 'force' && AFTER_FORCE.has(f.kind))).map((f) => `done, and audit finds ${f.kind}: ${f.text}`),
  ];
}

/** Kill ends the holders; the other ways let them live. memory_failure() signals them: who has no handler dies. */
function endOfHolders({ k }: World, pids: readonly number[], way: Way): string[] {
  const alive = pids.filter((pid) => findTask(k, pid) !== 0 && isAlive(k, findTask(k, pid)) && [...eachTask(k)].includes(findTask(k, pid)));
  if (way === 'kill') return alive.map((pid) => `pid ${pid} lives`);
  return way === 'detach' ? pids.filter((pid) => !alive.includes(pid)).map((pid) => `pid ${pid} is dead`) : [];
}

test('ways that are possible, and ways that are not, were both tried', () => {
  assert.ok((tally['possible done'] ?? 0) > 20, JSON.stringify(tally));
  assert.ok(Object.entries(tally).some(([key, n]) => key.startsWith('blocked') && n > 5), JSON.stringify(tally));
});
