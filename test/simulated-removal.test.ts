/**
 * unseat's removals on the simulated kernel, one shape of holder at a time: nothing is left, nobody sees the next
 * owner's data, the files are there after a rebind, survivors live, settings are as before; or it is refused beforehand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { simulateScenario } from '../src/evidence/simulated-run.ts';
import { domainsOf } from '../src/kernel/domains.ts';
import { isAlive, tasksOf } from '../src/kernel/task.ts';
import { profileByName } from '../src/profile/select.ts';
import type { Profile } from '../src/profile/profile.ts';
import type { Observation } from '../src/scenario/observation.ts';
import { readScenario } from '../src/scenario/read.ts';

const KERNELS = ['5.10', '6.1', '6.12', '6.18', '7.2'];
const MAP = { file: '/mnt/data', size: '4M' };

/** Processes `h`, `h2`, ... of each shape. */
const SHAPES: Readonly<Record<string, readonly Record<string, unknown>[]>> = {
  '2 MiB pages': [{ name: 'h', maps: [MAP] }],
  '4 KiB pages': [{ name: 'h', maps: [{ file: '/mnt/data', size: '256K', align: '4K' }] }],
  'several processes': [{ name: 'h', maps: [MAP] }, { name: 'h2', maps: [MAP] }, { name: 'h3', maps: [{ ...MAP, align: '4K' }] }],
  'forked children': [{ name: 'h', maps: [MAP], forks: 2 }],
  'private, every other page copied': [{ name: 'h', maps: [{ ...MAP, share: 'private', touch: 'write-every-other' }] }, { name: 'h2', maps: [MAP] }],
  'read-only': [{ name: 'h', maps: [{ ...MAP, prot: 'r', touch: 'read' }] }, { name: 'h2', maps: [MAP] }],
  'mlocked': [{ name: 'h', maps: [{ ...MAP, locked: true }] }],
  'many mappings': [{ name: 'h', maps: Array.from({ length: 24 }, (_, i) => ({ name: `m${i}`, file: `/mnt/f${i}`, size: '64K' })).concat([{ name: 'm', ...MAP }]) }],
  'a deleted file': [{ name: 'h', maps: [{ file: '/mnt/gone', size: '2M', unlink: true }] }, { name: 'h2', maps: [MAP] }],
  'an open file': [{ name: 'h', maps: [MAP], keepFds: true, files: [{ path: '/mnt/log', write: '64K' }] }],
  'a working directory': [{ name: 'h', maps: [MAP], cwd: '/mnt' }],
  'PR_MCE_KILL_LATE': [{ name: 'h', mceKill: 'late', maps: [MAP] }],
  'no SIGBUS handler': [{ name: 'h', sigbus: 'default', maps: [MAP] }],
};

function scenarioOf(shape: string, fs: Record<string, unknown>, way: 'detach' | 'force' | 'kill'): string {
  const holders = SHAPES[shape] ?? [];
  const size = JSON.stringify(holders).includes('256K') ? '256K' : '4M';
  const after = way === 'kill' ? [] : holders.map((h) => ({ read: h['name'] }));
  const ends = holders.map((h) => ({ kill: h['name'] }));
  const intact = [{ mount: '/mnt' }, { start: 'again' }, { read: 'again', as: 'intact' }, { exit: 'again' }, { unmount: '/mnt', as: 'umount' }];
  const next = [{ mkfs: '/mnt' }, { mount: '/mnt' }, { start: 'stranger' }];
  // After memory_failure() the mount stays until the device is bound again; after the other ways it is gone before.
  const forks = holders.some((h) => h['forks'] !== undefined);
  // No step ends the children of a process: they keep the mount busy, and the next owner has to wait.
  const rest = way === 'force' && forks ? [{ read: 'h' }, { bind: 'data' }, { read: 'h' }] : way === 'force'
    ? [{ bind: 'data', as: 'bound' }, ...ends, { unmount: '/mnt', as: 'umount-old' }, ...intact, ...next]
    : [...after, { bind: 'data' }, ...intact, ...next, ...after, ...ends];
  return stringify({
    scenario: 'removal', title: `${shape}, ${way}`, machine: { nvdimms: [{ name: 'nv', size: '512M' }], namespaces: [{ name: 'data', on: 'nv', mode: 'fsdax' }] }, filesystems: [{ on: 'data', at: '/mnt', ...fs }],
    processes: [...holders, { name: 'again', started: false, maps: [{ file: '/mnt/data', size, touch: 'none' }] }, { name: 'stranger', started: false, maps: [{ file: '/mnt/new', size: '8M' }] }],
    steps: [{ remove: { device: 'data', way }, as: 'remove', within: 120 }, ...rest],
  });
}

const crossed = (k: Parameters<typeof domainsOf>[0]): number => {
  const d = domainsOf(k);
  return [0, 1, 2].reduce((sum, via) => sum + k.heap.load(d.crossReads + via) + k.heap.load(d.crossWrites + via), 0);
};
const counts = (o: Observation | undefined, key: 'own' | 'pages'): number => (o?.pages ?? []).reduce((sum, p) => sum + p[key], 0);
const others = (o: Observation): number => (o.pages ?? []).flatMap((p) => Object.values(p.others)).reduce((a, b) => a + b, 0);

for (const fs of [{ type: 'ext4' }, { type: 'xfs', rmapbt: true }]) {
  for (const way of ['detach', 'force', 'kill'] as const) {
    test(`${fs.type}, ${way}: every shape of holder on every kernel`, async () => {
      let done = 0;
      for (const shape of Object.keys(SHAPES)) {
        const scenario = readScenario(scenarioOf(shape, fs, way), 'removal');
        for (const name of KERNELS) {
          if (fs.type === 'xfs' && name === '5.10') continue;
          const what = `${fs.type}, ${way}, ${shape}, ${name}`;
          const { observations, built } = await simulateScenario(scenario, profileByName(name) as Profile);
          const { k } = built.world;
          const removed = observations.find((o) => o.label === 'remove') as Observation;
          if (removed.ending === 'refused') {
            const answer = removed.unseat as { status?: unknown; blockers?: unknown };
            // Whether a holder asked for late kill is nowhere to be seen: only the second look at pagemap tells, and all is put back.
            if (shape === 'PR_MCE_KILL_LATE' && way === 'force' && answer.status === 'called-off') {
              assert.equal(k.heap.load(tasksOf(k).earlyKill), 0, `${what}: memory_failure_early_kill is not as before`);
              assert.equal(observations.find((o) => o.label === 'bound')?.errno, 'EBUSY', `${what}: the device is not bound as before`);
              continue;
            }
            assert.equal(answer.status, 3, `${what}: refused, but not beforehand: ${removed.detail}`);
            assert.ok(Array.isArray(answer.blockers) && answer.blockers.length > 0, what);
            assert.notEqual(way, 'detach', `${what}: ${JSON.stringify(answer.blockers)}`);
            continue;
          }
          done += 1;
          assert.equal(removed.ending, 'returned', `${what}: ${removed.detail}`);
          for (const o of observations) {
            assert.ok(['returned', 'not-available'].includes(o.ending), `${what}: ${o.verb} ${o.subject} ${o.ending} ${o.errno ?? ''} ${o.detail ?? ''}`);
            assert.equal(o.log?.['bad-page-map'] ?? 0, 0, what);
            if (o.verb === 'read' && o.label === null) assert.equal(others(o), 0, `${what}: ${o.subject} sees the next owner`);
          }
          assert.equal(crossed(k), 0, `${what}: somebody reached into another domain`);
          assert.equal(k.heap.load(tasksOf(k).earlyKill), 0, `${what}: memory_failure_early_kill is not as before`);
          const intact = observations.find((o) => o.label === 'intact');
          if (intact === undefined) {
            assert.ok(way === 'force' && shape === 'forked children', what);
            continue;
          }
          assert.ok(counts(intact, 'pages') > 0, what);
          assert.equal(counts(intact, 'own'), counts(intact, 'pages'), `${what}: the file is not as it was`);
          const stranger = built.processes.get('stranger');
          assert.ok(stranger !== undefined && isAlive(k, stranger.task), what);
        }
      }
      assert.ok(done >= 10, `${done} removals done`);
    });
  }
}
