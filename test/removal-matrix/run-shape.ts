/** One shape of holder removed in one way on one kernel, and the life of the device afterwards: bound again, mounted, given away. */
import assert from 'node:assert/strict';
import { stringify } from 'yaml';
import type { Host } from '../../src/host/host.ts';
import { simulatedHost } from '../../src/kernel/host/sim-host.ts';
import { buildScenario, type BuiltScenario } from '../../src/kernel/scenario/build.ts';
import { operatorName } from '../../src/kernel/scenario/run.ts';
import type { Seen } from '../../src/kernel/scenario/steps/outcome.ts';
import { takeStep } from '../../src/kernel/scenario/steps/take.ts';
import { taskPid } from '../../src/kernel/task.ts';
import { inventoryFor, optionsOf } from '../../src/plan/inventory.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import type { Profile } from '../../src/profile/profile.ts';
import { remove } from '../../src/remove/engine/run.ts';
import type { RemovalRecord } from '../../src/remove/record.ts';
import { readScenario } from '../../src/scenario/read.ts';
import type { WayPlan } from '../../src/steps/removal-plan.ts';
import { stateOf } from '../remove/every-call/machine.ts';
import { watched } from '../remove/watched.ts';
import type { HolderWay, Shape } from './shapes.ts';

export interface Done extends Seen {
  readonly verb: string;
  readonly label: string | null;
  readonly subject: string;
}

/** Settings and memory blocks by file; drivers are what a removal is for. */
export const settingsOf = (host: Host): Readonly<Record<string, string>> => Object.fromEntries(Object.entries(stateOf(host)).filter(([path]) => !path.startsWith('/sys/bus/')));

export interface ShapeRun {
  readonly before: Readonly<Record<string, string>>;
  /** Pids of the holders before the removal, by name. */
  readonly pids: ReadonlyMap<string, number>;
  readonly built: BuiltScenario;
  readonly host: Host;
  readonly way: WayPlan;
  readonly numbers: readonly string[];
  /** Null where the plan refuses. */
  readonly record: RemovalRecord | null;
  /** The steps that follow; none where it was refused. */
  rest(): Done[];
}

type Plain = Readonly<Record<string, unknown>>;

export async function runShape(shape: Shape, fs: Plain, way: HolderWay, profile: Profile): Promise<ShapeRun> {
  const scenario = readScenario(scenarioOf(shape, fs, way), 'removal');
  const built = buildScenario(scenario, profile);
  shape.prepare?.(built);
  const host = simulatedHost(built.world);
  const before = settingsOf(host);
  const acting = shape.meanwhile === undefined ? host : watched(host, shape.meanwhile(built));
  const pids = new Map([...built.processes].map(([name, { task }]) => [name, taskPid(built.world.k, task)]));
  const inventory = inventoryFor(host, operatorName(built, 'data'));
  const plan = makePlan(inventory.machine, inventory.device, optionsOf(inventory), { profile, exact: true, says: '', overridden: [] });
  // Force is planned only where pages are mapped; whoever asks for it otherwise gets detach, as from the command.
  const chosen = plan.ways.find((w) => w.way === way) ?? plan.ways.find((w) => w.way === 'detach');
  assert.ok(chosen !== undefined);
  const numbers = [...new Set(inventory.leaves.flatMap((l) => l.deviceNumbers))];
  const record = chosen.possible ? await remove(acting, plan, chosen, numbers) : null;
  const rest = (): Done[] => scenario.steps.map((step) => ({ ...takeStep(built, step), verb: step.verb, label: step.label, subject: JSON.stringify(step.argument) }));
  return { built, host, before, pids, way: chosen, numbers, record, rest };
}

function scenarioOf(shape: Shape, fs: Plain, way: HolderWay): string {
  const holders = shape.processes;
  const size = JSON.stringify(holders).includes('256K') ? '256K' : '4M';
  const reads = holders.filter((h) => h['maps'] !== undefined).map((h) => ({ read: h['name'] }));
  const after = way === 'kill' ? [] : reads;
  const ends = holders.map((h) => ({ kill: h['name'] }));
  const file = holders.some((h) => JSON.stringify(h).includes('/mnt/data')) ? '/mnt/data' : '/mnt/other';
  const intact = [{ mount: '/mnt' }, { start: 'again' }, { read: 'again', as: 'intact' }, { exit: 'again' }, { unmount: '/mnt', as: 'umount' }];
  const next = [{ mkfs: '/mnt' }, { mount: '/mnt' }, { start: 'stranger' }];
  // After memory_failure() the mount stays until the device is bound again; after the other ways it is gone before. No step
  // ends the children of a process: they keep the mount busy, and the next owner has to wait.
  const stays = way === 'force' && holders.some((h) => h['maps'] !== undefined);
  const forks = holders.some((h) => h['forks'] !== undefined);
  const rest = stays && forks ? [{ read: 'h' }, { bind: 'data' }, { read: 'h' }]
    : stays ? [...reads, { bind: 'data' }, ...ends, { unmount: '/mnt', as: 'umount-old' }, ...intact, ...next]
      : [...after, { bind: 'data' }, ...intact, ...next, ...after, ...(way === 'kill' ? [] : ends)];
  return stringify({
    scenario: 'removal', title: 'a shape', machine: { nvdimms: [{ name: 'nv', size: '128M' }], namespaces: [{ name: 'data', on: 'nv', mode: 'fsdax' }] }, filesystems: [{ on: 'data', at: '/mnt', ...fs }],
    processes: [...holders, { name: 'again', started: false, maps: [{ file, size, touch: 'none' }] }, { name: 'stranger', started: false, maps: [{ file: '/mnt/new', size: '8M' }] }],
    steps: rest,
  });
}
