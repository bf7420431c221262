/**
 * The same removal twice: the device just unbound, and taken out by the engine. Everything told is read from the
 * simulated machine after it happened.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import { isMissing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { domainsOf, VIA, writeMemory } from '../../kernel/domains.ts';
import { deviceData } from '../../kernel/drivers/base/bus.ts';
import { pmemData, pmemEnd } from '../../kernel/drivers/nvdimm/pmem.ts';
import { simulatedHost } from '../../kernel/host/sim-host.ts';
import { exitTask } from '../../kernel/mm/exit.ts';
import type { BuiltScenario } from '../../kernel/scenario/build.ts';
import { handOver } from '../../kernel/setup/fsdax.ts';
import { touchTest, type TouchCount } from '../../kernel/setup/look.ts';
import { run } from '../../kernel/setup/run.ts';
import { mmOf, vmaLookup } from '../../kernel/mm/mm_struct.ts';
import { isAlive } from '../../kernel/task.ts';
import { inventoryFor, optionsOf, type PlanInventory } from '../../plan/inventory.ts';
import { makePlan } from '../../plan/make-plan.ts';
import { remove } from '../../remove/engine/run.ts';
import type { RemovalRecord } from '../../remove/record.ts';
import type { RemovalPlan } from '../../steps/removal-plan.ts';
import { pmemMachine, type DemoMachine } from './machine.ts';

const UNBIND = '/sys/bus/nd/drivers/nd_pmem/unbind';
const BIND = '/sys/bus/nd/drivers/nd_pmem/bind';
const NAME = 'pfn0.0';
/** What the next owner writes: any value that the old files do not hold. */
const SECRET = 0x5ec4e7;
const NEXT_OWNER = 2;

export interface AfterUnbind {
  readonly writeReturned: string;
  /** The database reads its 1024 pages while no driver is bound. */
  readonly whileUnbound: TouchCount;
  /** It reads them after a rebind and after the next owner wrote its own data. */
  readonly afterRebind: TouchCount;
  /** Reads of the next owner's bytes by processes of the one before. */
  readonly foreignReads: number;
  readonly log: readonly string[];
}

export interface Exit {
  /** Kernel function that stumbled over a freed struct page when the database ended while unbound; null: it ended well. */
  readonly oops: string | null;
}

export function bareUnbind(kernel: string): Promise<AfterUnbind> {
  return unbindAndWatch(pmemMachine(kernel));
}

async function unbindAndWatch(machine: DemoMachine): Promise<AfterUnbind> {
  const { built } = machine;
  const host = simulatedHost(built.world);
  const written = await host.actions?.write(UNBIND, NAME, 1000);
  const whileUnbound = readAll(machine, 'database');
  await rebindForNextOwner(host, built);
  const afterRebind = readAll(machine, 'database');
  return { writeReturned: written?.ok === true ? '0' : (written?.errno ?? 'nothing'), whileUnbound, afterRebind, foreignReads: foreignReads(built), log: logOf(host) };
}

/** The database ends while the device is unbound: a machine of its own, for it may not survive. */
export async function exitWhileUnbound(kernel: string): Promise<Exit> {
  const { built } = pmemMachine(kernel);
  await simulatedHost(built.world).actions?.write(UNBIND, NAME, 1000);
  const { task } = processOf(built, 'database');
  return { oops: run(built.world.k, exitTask(built.world.k, task), task).oops };
}

export interface WithUnseat {
  readonly inventory: PlanInventory;
  readonly plan: RemovalPlan;
  readonly record: RemovalRecord;
  readonly iomemBefore: readonly string[];
  readonly iomemAfter: readonly string[];
  /** After a rebind, with the next owner's data on the device. */
  readonly database: TouchCount;
  readonly report: TouchCount;
  readonly foreignReads: number;
  readonly alive: readonly string[];
  /** How the database ends afterwards. */
  readonly exitOops: string | null;
}

export async function detach(kernel: string, progress: (line: string) => void): Promise<WithUnseat> {
  const machine = pmemMachine(kernel);
  const { built } = machine;
  const { k } = built.world;
  const host = simulatedHost(built.world);
  const iomemBefore = iomemOf(host);
  const inventory = inventoryFor(host, 'pmem0');
  const plan = makePlan(inventory.machine, inventory.device, optionsOf(inventory));
  const way = plan.ways.find((w) => w.way === 'detach');
  if (way === undefined || !way.possible) throw new UnseatError('INTERNAL', 'the demo machine cannot be detached', { seen: way?.blockers.map((b) => b.text).join('; ') ?? 'no such way' });
  const numbers = [...new Set(inventory.leaves.flatMap((leaf) => leaf.deviceNumbers))];
  const record = await remove(host, plan, way, numbers, { progress: (p) => { if (p.phase === 'end') progress(p.text); } });
  const iomemAfter = iomemOf(host);
  await rebindForNextOwner(host, built);
  const database = readAll(machine, 'database');
  const report = readAll(machine, 'report');
  const alive = [...built.processes].filter(([, p]) => isAlive(k, p.task)).map(([name]) => name);
  const { task } = processOf(built, 'database');
  return { inventory, plan, record, iomemBefore, iomemAfter, database, report, foreignReads: foreignReads(built), alive, exitOops: run(k, exitTask(k, task), task).oops };
}

async function rebindForNextOwner(host: Host, built: BuiltScenario): Promise<void> {
  const { k } = built.world;
  const device = built.devices.get('data') as number;
  await host.actions?.write(BIND, NAME, 1000);
  handOver(k, device, NEXT_OWNER);
  const pmem = deviceData(k, device);
  for (let pfn = pmemData(k, pmem); pfn < pmemEnd(k, pmem); pfn += 1) writeMemory(k, pfn, SECRET, NEXT_OWNER);
}

const processOf = (built: BuiltScenario, name: string): { task: number } => {
  const started = built.processes.get(name);
  if (started === undefined) throw new UnseatError('INTERNAL', `the demo has no process ${name}`);
  return { task: started.task };
};

/** Every page of the process's mapping, whatever is mapped there now. */
function readAll({ built, mappedAt }: DemoMachine, name: string): TouchCount {
  const { k } = built.world;
  const { task } = processOf(built, name);
  const vma = vmaLookup(k, mmOf(k, task), mappedAt.get(name) ?? 0);
  return vma === 0 ? { ok: 0, sigbus: 0, oops: null, dead: !isAlive(k, task) } : touchTest(k, task, vma, 'read');
}

const foreignReads = (built: BuiltScenario): number => built.world.k.heap.load(domainsOf(built.world.k).crossReads + VIA.cpu);

/** Lines that are about memory that can leave: what /proc/iomem has above 4 GiB. */
const iomemOf = (host: Host): string[] => {
  const text = host.files.text('/proc/iomem');
  return isMissing(text) ? [] : text.split('\n').filter((line) => /^\s*[1-9a-f][0-9a-f]{8}/.test(line));
};

const logOf = (host: Host): string[] => {
  const lines = host.log.since(-1);
  return isMissing(lines) ? [] : lines.map((line) => line.text);
};
