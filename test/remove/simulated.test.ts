/** The same engine on the simulated kernel: every release, every way, and crashes in between. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { isMissing } from '../../src/host/fact.ts';
import type { Host } from '../../src/host/host.ts';
import { Crashed } from '../../src/host/recording/fault.ts';
import { recordHost } from '../../src/host/recording/recording-host.ts';
import { simulatedHost } from '../../src/kernel/host/sim-host.ts';
import { buildScenario } from '../../src/kernel/scenario/build.ts';
import { inventoryFor } from '../../src/plan/inventory.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { profileByName, releaseNames } from '../../src/profile/select.ts';
import { holdersNow } from '../../src/remove/acts/holders.ts';
import { audit } from '../../src/remove/audit/audit.ts';
import { remove, resume, rollback } from '../../src/remove/engine/run.ts';
import { findJournals } from '../../src/remove/journal/journal.ts';
import type { RemovalRecord } from '../../src/remove/record.ts';
import { readScenario } from '../../src/scenario/read.ts';
import type { Way } from '../../src/steps/reason.ts';

const EARLY_KILL = '/proc/sys/vm/memory_failure_early_kill';
const DEVICE = 'pmem0';

function machineOf(scenario: string, release: string): Host {
  const text = readFileSync(resolve(import.meta.dirname, `../../scenarios/${scenario}.yaml`), 'utf8');
  const profile = profileByName(release);
  assert.ok(profile !== null);
  return simulatedHost(buildScenario(readScenario(text, scenario), profile).world);
}

/** Null where the plan refuses. */
async function removeOn(host: Host, acting: Host, release: string, wanted: Way): Promise<RemovalRecord | null> {
  const profile = profileByName(release);
  assert.ok(profile !== null);
  const { machine, device, leaves, room } = inventoryFor(host, DEVICE);
  const plan = makePlan(machine, device, room === null ? {} : { room }, { profile, exact: true, says: '', overridden: [] });
  const way = plan.ways.find((w) => w.way === wanted);
  if (way === undefined || !way.possible) return null;
  return remove(acting, plan, way, [...new Set(leaves.flatMap((l) => l.deviceNumbers))]);
}

const bound = (host: Host): boolean => !isMissing(host.files.stat(`/sys/block/${DEVICE}`));

/** Nothing of the device is left with anybody, settings are as before, nobody is stopped. */
function clean(host: Host, way: Way, early: string, what: string): void {
  assert.equal(bound(host), false, what);
  assert.equal(host.files.text(EARLY_KILL), early, what);
  if (way !== 'force') assert.deepEqual(holdersNow(host, new Set(['259:0'])).holders.map((h) => h.pid), [], what);
  for (const pid of pidsOf(host)) assert.doesNotMatch(stateOf(host, pid), /^[Tt]$/, `${what}: pid ${pid} is stopped`);
  assert.deepEqual(audit(host).findings.filter((f) => f.kind === 'interrupted-removal'), [], what);
}

const pidsOf = (host: Host): readonly number[] => {
  const pids = host.processes.pids();
  return isMissing(pids) ? [] : pids;
};

function stateOf(host: Host, pid: number): string {
  const stat = host.processes.read(pid, 'stat');
  return isMissing(stat) ? '' : (/\) (\S)/.exec(Buffer.from(stat).toString('latin1'))?.[1] ?? '');
}

const CASES: readonly (readonly [string, Way])[] = [
  ['remove-detach-shapes-ext4', 'detach'], ['remove-detach-shapes-xfs', 'detach'], ['remove-force-ext4', 'force'], ['remove-force-xfs', 'force'],
  ['remove-kill-ext4', 'kill'], ['remove-kill-xfs', 'kill'],
];

for (const [scenario, way] of CASES) {
  test(`${scenario}: done or refused beforehand on every release`, async () => {
    let done = 0;
    for (const release of releaseNames()) {
      const host = machineOf(scenario, release);
      const early = String(host.files.text(EARLY_KILL));
      const alive = pidsOf(host).length;
      const record = await removeOn(host, host, release, way);
      const what = `${scenario} on ${release}`;
      if (record === null) {
        assert.equal(bound(host), true, what);
        continue;
      }
      done += 1;
      assert.equal(record.status, 'done', `${what}: ${JSON.stringify(record.steps.at(-1))}`);
      assert.deepEqual(record.kernelLog, [], what);
      clean(host, way, early, what);
      if (way === 'detach') assert.equal(pidsOf(host).length, alive, `${what}: a holder has ended`);
    }
    assert.ok(done > 0, 'refused everywhere');
  });
}

/** The child and unseat are gone: the kernel lets every stopped process go. */
async function bothDie(host: Host): Promise<void> {
  for (const pid of pidsOf(host)) {
    const stat = host.processes.read(pid, 'stat');
    const startTime = isMissing(stat) ? -1 : Number(Buffer.from(stat).toString('latin1').split(') ')[1]?.split(' ')[19]);
    await host.trace?.release({ pid, startTime });
  }
}

const RELEASE = '6.12';
/** Every call is taken on small machines (every-call/); the first one moves with the seed. */
const EVERY = 61;
const SEED = Number(process.env['UNSEAT_SEED'] ?? 4);

for (const [scenario, way] of [['fsdax-ext4-detach', 'detach'], ['remove-force-ext4', 'force'], ['remove-kill-ext4', 'kill']] as const) {
  test(`${scenario}: a crash at any call, then resume ends it and rollback puts it back (seed ${SEED}, each ${EVERY}th call)`, async () => {
    const counting = machineOf(scenario, RELEASE);
    const counted = recordHost(counting);
    await removeOn(counting, counted.host, RELEASE, way);
    assert.ok(counted.calls.length > 50);
    for (let at = SEED % EVERY; at < counted.calls.length; at += EVERY) {
      for (const how of [resume, rollback]) {
        const host = machineOf(scenario, RELEASE);
        const early = String(host.files.text(EARLY_KILL));
        const recorded = recordHost(host, [{ at, fault: { kind: 'crash', when: at % 2 === 0 ? 'before' : 'after' } }]);
        await assert.rejects(removeOn(host, recorded.host, RELEASE, way), Crashed);
        await bothDie(host);
        const what = `${scenario}, crash at call ${at}, ${how.name}`;
        const [journal] = findJournals(host);
        if (journal === undefined) continue;
        const record = await how(host, journal.path, journal.content);
        if (how === resume) {
          assert.equal(record.status, 'done', `${what}: ${JSON.stringify(record.steps.at(-1))}`);
          clean(host, way, early, what);
        } else {
          assert.equal(record.status, 'rolled-back', `${what}: ${JSON.stringify(record.undone)}`);
          assert.equal(bound(host), true, what);
          assert.equal(host.files.text(EARLY_KILL), early, what);
        }
      }
    }
  });
}
