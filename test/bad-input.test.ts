/** Plans from a machine that answers badly: processes that vanish or are denied in the middle, another architecture, absurd numbers. Never a crash, never a wrong fact. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { UnseatError } from '../src/errors/unseat-error.ts';
import { missing, type Absence } from '../src/host/fact.ts';
import type { Host } from '../src/host/host.ts';
import { inventoryFor, optionsOf } from '../src/plan/inventory.ts';
import { makePlan } from '../src/plan/make-plan.ts';
import { planJsonSchema } from '../src/plan/schema/plan.ts';
import type { RemovalPlan } from '../src/steps/removal-plan.ts';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { lookAt } from './captures.ts';
import { PLANNED } from './planned.ts';
import { planted, type Tree } from './planted.ts';

const hosts = new Map<string, Host>();
let valid: ValidateFunction;
before(async () => {
  valid = new Ajv2020({ strict: false }).compile(planJsonSchema());
  for (const [capture] of PLANNED) if (!hosts.has(capture)) hosts.set(capture, (await lookAt(capture, { rivals: false })).host);
});
after(() => hosts.forEach((host) => host.close()));

const planOf = (host: Host, device: string): RemovalPlan => {
  const inventory = inventoryFor(host, device);
  return makePlan(inventory.machine, inventory.device, optionsOf(inventory));
};

/** The host with its processes asked through `fails`: null lets the answer through. */
function processesFailing(real: Host, fails: (pid: number) => Absence | null): Host {
  const through = <T>(pid: number, path: string, ask: () => T): T => {
    const why = fails(pid);
    return why === null ? ask() : (missing(why, `/proc/${pid}/${path}`) as T);
  };
  const p = real.processes;
  return {
    kind: real.kind, label: real.label, identity: real.identity, files: real.files, mounts: real.mounts, log: real.log, time: real.time, close: () => undefined,
    processes: {
      ...p,
      pids: () => p.pids(), threads: (pid) => p.threads(pid), namespace: (pid, ns) => through(pid, `ns/${ns}`, () => p.namespace(pid, ns)),
      read: (pid, file) => through(pid, file, () => p.read(pid, file)),
      mappings: (pid, devices) => through(pid, 'maps', () => p.mappings(pid, devices)),
      openFiles: (pid) => through(pid, 'fd', () => p.openFiles(pid)),
      fdInfo: (pid, fd) => through(pid, `fdinfo/${fd}`, () => p.fdInfo(pid, fd)),
      place: (pid, which) => through(pid, which, () => p.place(pid, which)),
      pagemap: (pid, start, into) => through(pid, 'pagemap', () => p.pagemap(pid, start, into)),
    },
  };
}

test('processes that vanish or are denied at any read: a plan, and it follows its schema', () => {
  fc.assert(fc.property(fc.constantFrom(...PLANNED), fc.constantFrom(2, 10, 100), fc.nat(), ([capture, device], rate, seed) => {
    let state = seed >>> 0;
    const next = (below: number): number => Math.floor(((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32) * below);
    const plan = planOf(processesFailing(hosts.get(capture)!, () => (next(rate) === 0 ? (['vanished', 'denied', 'unreadable', 'malformed'] as const)[next(4)]! : null)), device);
    assert.ok(valid(JSON.parse(JSON.stringify(plan))), JSON.stringify(valid.errors?.slice(0, 2)));
  }), { numRuns: 25 });
});

test('holders that may not be looked at are never taken for nobody', () => {
  for (const [capture, device] of [['fsdax-7.2-ext4', 'pmem0'], ['devdax-holder-u-7.2', 'dax0.0'], ['many-namespaces-7.2', 'region0']] as const) {
    const plan = planOf(processesFailing(hosts.get(capture)!, () => 'denied'), device);
    for (const way of plan.ways) assert.ok(!way.possible && way.blockers.some((b) => b.reason === 'hidden'), `${capture} ${way.way}`);
    for (const { effects } of plan.forecasts) for (const e of effects) assert.ok(e.effect !== 'clean' || e.certainty === 'possible', `${capture}: ${e.effect} ${e.certainty}`);
  }
});

test('holders that have ended let go: what stays is the mount', () => {
  const plan = planOf(processesFailing(hosts.get('fsdax-7.2-ext4')!, (pid) => (pid === 150 || pid === 153 ? 'vanished' : null)), 'pmem0');
  assert.deepEqual(plan.ways.map((w) => w.way), ['graceful']);
  assert.deepEqual(plan.ways[0]?.steps.map((s) => s.action.kind).filter((k) => k === 'unmount' || k === 'unbind'), ['unmount', 'unbind']);
});

const BLOCK = 512 * 2 ** 20;
const KMEM = 'sys/devices/platform/hmem.0/dax0.0';
/** An arm64 machine with pages of 64 KiB: sections and blocks of 512 MiB, one kmem device of two blocks. */
const ARM: Tree = {
  'uname.txt': 'Linux arm 7.2.0 #1 SMP aarch64 GNU/Linux\n', 'proc/version': 'Linux version 7.2.0 (b@h) (aarch64-linux-gnu-gcc-13 (x) 13) #1 SMP\n',
  'proc/7/smaps': '7ff-800 rw-p 0 00:00 0 [stack]\nSize: 132 kB\nKernelPageSize:       64 kB\n', 'proc/7/stat': '7 (x) S 1\n', 'proc/7/maps': '',
  'proc/iomem': `40000000-7fffffff : System RAM\n80000000-bfffffff : dax0.0\n  80000000-bfffffff : System RAM (kmem)\n`,
  'sys/devices/system/memory/block_size_bytes': `${BLOCK.toString(16)}\n`,
  ...Object.fromEntries([2, 3, 4, 5].flatMap((i) => [['state', 'online'], ['valid_zones', i < 4 ? 'Normal' : 'Movable'], ['removable', '1']].map(([file, text]) => [`sys/devices/system/memory/memory${i}/${file}`, `${text}\n`]))),
  'sys/devices/system/node/node0/meminfo': 'Node 0 MemTotal: 2097152 kB\nNode 0 MemFree: 1048576 kB\n',
  [`${KMEM}/size`]: `${2 * BLOCK}\n`, [`${KMEM}/target_node`]: '0\n', [`${KMEM}/mapping0/start`]: '0x80000000\n', [`${KMEM}/mapping0/end`]: '0xbfffffff\n',
  [`${KMEM}/driver`]: '-> ../../../../bus/dax/drivers/kmem', 'sys/bus/dax/drivers/kmem/bind': '', 'sys/bus/dax/devices/dax0.0': '-> ../../../devices/platform/hmem.0/dax0.0',
};

test('another architecture and page size: its own sections and blocks, and nothing called certain that was measured elsewhere', async (t) => {
  const host = await planted(t, ARM);
  const { machine, device } = inventoryFor(host, 'dax0.0');
  assert.deepEqual([machine.kernel.arch, machine.kernel.pageSize, machine.memory.blockSize], ['aarch64', 65536, BLOCK]);
  assert.deepEqual(device.blocks, [4, 5]);
  const plan = planOf(host, 'dax0.0');
  const effects = plan.forecasts.flatMap((f) => f.effects);
  assert.ok(effects.some((e) => e.effect === 'region-leaked'));
  assert.ok(effects.every((e) => e.certainty !== 'certain'));
  assert.ok(plan.unseen.some((line) => /aarch64 with pages of 64 KiB/.test(line)));
});

test('absurd sizes in sysfs become notes or nothing, never a device of that size', async (t) => {
  for (const absurd of ['99999999999999999999999', '-1', '0x', '', '18446744073709551615', 'NaN']) {
    const host = await planted(t, { ...ARM, [`${KMEM}/size`]: `${absurd}\n`, [`${KMEM}/mapping0/end`]: `${absurd}\n`, 'sys/devices/system/memory/block_size_bytes': `${absurd}\n`, 'proc/iomem': `40000000-${absurd} : System RAM\n` });
    try {
      const { machine } = inventoryFor(host, 'dax0.0');
      for (const d of machine.devices) assert.ok(Number.isSafeInteger(d.size) && d.size >= 0 && d.size < 2 ** 52, `${absurd}: ${d.name} ${d.size}`);
      for (const b of machine.memory.blocks) assert.ok(b.end > b.start && b.end <= 2 ** 52, `${absurd}: memory${b.index}`);
      planOf(host, 'dax0.0');
    } catch (error) {
      assert.ok(error instanceof UnseatError, `${absurd}: ${String(error)}`);
    }
  }
});

test('files of zeros', async (t) => {
  const zeros = '\0'.repeat(4096);
  const host = await planted(t, Object.fromEntries(Object.entries(ARM).map(([path, text]) => [path, text.startsWith('-> ') || path === 'uname.txt' ? text : zeros])));
  try {
    const plan = planOf(host, 'dax0.0');
    assert.ok(plan.ways.every((way) => !way.possible), 'nothing is known of this machine');
  } catch (error) {
    assert.ok(error instanceof UnseatError, String(error));
  }
});
