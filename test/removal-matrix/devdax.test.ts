/**
 * Holders of device-dax: a mapping of one comes back to life at the next bind, and on 6.1 and later nobody waits for pins.
 * Whoever held it must be off it before, or it is refused with the reason.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { domainsOf } from '../../src/kernel/domains.ts';
import { simulatedHost } from '../../src/kernel/host/sim-host.ts';
import { buildScenario } from '../../src/kernel/scenario/build.ts';
import { takeStep } from '../../src/kernel/scenario/steps/take.ts';
import { eachTask, TASK_OOPSED, TASK_STOPPED, taskState } from '../../src/kernel/task.ts';
import { inventoryFor, optionsOf } from '../../src/plan/inventory.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { profileByName } from '../../src/profile/select.ts';
import { remove } from '../../src/remove/engine/run.ts';
import { readScenario } from '../../src/scenario/read.ts';

const MAP = { device: 'data', size: '8M' };
const pinned = (by: string): readonly object[] => [{ name: 'h', maps: [MAP], pins: [{ by }] }];

interface Shape {
  readonly processes: readonly object[];
  readonly releases: readonly string[];
  /** Reasons for which detach is refused; empty where nothing shows the pin, and the plan says that it cannot be seen. */
  readonly refused?: readonly string[];
}

const SHAPES: Readonly<Record<string, Shape>> = {
  'a mapping': { processes: [{ name: 'h', maps: [MAP] }], releases: ['5.10', '6.1', '6.12', '6.18', '7.2', '7.3'] },
  'several processes': { processes: [{ name: 'h', maps: [MAP] }, { name: 'h2', maps: [MAP], keepFds: true }], releases: ['5.10', '6.12', '7.2'] },
  'forked children': { processes: [{ name: 'h', maps: [MAP], forks: 2 }], releases: ['5.10', '6.12', '7.2'] },
  'read-only and mlocked': { processes: [{ name: 'h', maps: [{ ...MAP, prot: 'r', touch: 'read', locked: true }] }], releases: ['6.1', '7.2'] },
  'an io_uring fixed buffer': { processes: pinned('io-uring'), releases: ['6.12', '7.2'], refused: ['pinned-seen', 'pin-possible'] },
  'an AF_XDP umem': { processes: pinned('af-xdp'), releases: ['5.10', '6.1', '7.2'], refused: [] },
};

for (const way of ['detach', 'kill'] as const) {
  test(`devdax, ${way}: every shape of holder`, async () => {
    for (const [name, { processes, releases, refused }] of Object.entries(SHAPES)) {
      for (const release of releases) {
        const what = `${way}, ${name}, ${release}`;
        const profile = profileByName(release);
        assert.ok(profile !== null);
        const reads = way === 'detach' && refused === undefined ? [{ read: 'h' }] : [];
        const scenario = readScenario(stringify({
          scenario: 'devdax', title: name, machine: { nvdimms: [{ name: 'nv', size: '128M' }], namespaces: [{ name: 'data', on: 'nv', mode: 'devdax' }] },
          processes: [...processes, { name: 'stranger', started: false, maps: [MAP] }], steps: [{ bind: 'data' }, { start: 'stranger' }, ...reads, { read: 'stranger', as: 'stranger' }],
        }), 'devdax');
        const built = buildScenario(scenario, profile);
        const { k } = built.world;
        const host = simulatedHost(built.world);
        const inventory = inventoryFor(host, 'dax0.0');
        const plan = makePlan(inventory.machine, inventory.device, optionsOf(inventory), { profile, exact: true, says: '', overridden: [] });
        const chosen = plan.ways.find((w) => w.way === way);
        assert.ok(chosen !== undefined);
        if (way === 'detach' && refused?.length === 0) {
          assert.match(plan.unseen.join(' '), /Pins .* no file shows them/, what);
          continue;
        }
        if (way === 'detach' && refused !== undefined) {
          assert.ok(!chosen.possible && chosen.blockers.some((b) => refused.includes(b.reason) && b.pid !== undefined && b.next !== ''), `${what}: ${JSON.stringify(chosen.blockers)}`);
          continue;
        }
        assert.ok(chosen.possible, `${what}: ${JSON.stringify(chosen.blockers)}`);
        const record = await remove(host, plan, chosen, [...new Set(inventory.leaves.flatMap((l) => l.deviceNumbers))]);
        assert.equal(record.status, 'done', `${what}: ${JSON.stringify(record.steps.at(-1))}`);
        for (const step of scenario.steps) {
          const seen = takeStep(built, step);
          assert.equal(seen.ending, 'returned', `${what}: ${step.verb} ${seen.ending} ${seen.detail ?? ''}`);
          if (step.verb === 'read' && step.label === null) for (const p of seen.pages ?? []) assert.deepEqual([p.own, Object.values(p.others).length, p.sigbus], [0, 0, p.pages], `${what}: ${p.process} reads the device`);
        }
        const d = domainsOf(k);
        assert.equal([0, 1, 2].reduce((sum, via) => sum + k.heap.load(d.crossReads + via) + k.heap.load(d.crossWrites + via), 0), 0, what);
        for (const task of eachTask(k)) assert.ok(![TASK_STOPPED, TASK_OOPSED].some((bad) => taskState(k, task) === bad), what);
        assert.ok(!k.log.since(0).some((line) => /Bad page map|^BUG|Oops|kernel BUG/.test(line.text)), what);
      }
    }
  });
}

test('a page in a pipe: refused unless it is accepted by name, by detach and before anything of the holder is touched', async () => {
  const profile = profileByName('7.2');
  assert.ok(profile !== null);
  for (const acceptPins of [false, true]) {
    const scenario = readScenario(stringify({
      scenario: 'pipe', title: 'a pipe', machine: { nvdimms: [{ name: 'nv', size: '128M' }], namespaces: [{ name: 'data', on: 'nv', mode: 'devdax' }] },
      processes: [{ name: 'h', maps: [MAP], pins: [{ by: 'vmsplice', size: '64K' }] }], steps: [{ read: 'h' }],
    }), 'pipe');
    const built = buildScenario(scenario, profile);
    const host = simulatedHost(built.world);
    const inventory = inventoryFor(host, 'dax0.0');
    const plan = makePlan(inventory.machine, inventory.device, optionsOf(inventory), { profile, exact: true, says: '', overridden: [] });
    const detach = plan.ways.find((w) => w.way === 'detach');
    assert.ok(detach !== undefined);
    const record = await remove(host, plan, detach, [...new Set(inventory.leaves.flatMap((l) => l.deviceNumbers))], { acceptPins });
    assert.equal(record.status, acceptPins ? 'done' : 'called-off', JSON.stringify(record.steps.at(-1)));
    if (acceptPins) continue;
    assert.match(record.steps.at(-1)?.says ?? '', /something in its pipes fd \d+ \(65536 bytes\).*--accept pin-possible/);
    const seen = takeStep(built, scenario.steps[0] ?? assert.fail());
    assert.deepEqual((seen.pages ?? []).map((p) => p.own === p.pages), [true], 'the holder has its memory as before');
  }
});
