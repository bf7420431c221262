/** A case set up on the simulated kernel, and what of the machine a removal may change and must put back. */
import assert from 'node:assert/strict';
import { stringify } from 'yaml';
import { isMissing } from '../../../src/host/fact.ts';
import type { Host } from '../../../src/host/host.ts';
import { simulatedHost } from '../../../src/kernel/host/sim-host.ts';
import { buildScenario, type BuiltScenario } from '../../../src/kernel/scenario/build.ts';
import { eachTask, TASK_OOPSED, TASK_STOPPED, continueTask, taskPid, taskState } from '../../../src/kernel/task.ts';
import { inventoryFor, optionsOf } from '../../../src/plan/inventory.ts';
import { makePlan } from '../../../src/plan/make-plan.ts';
import { profileByName } from '../../../src/profile/select.ts';
import { remove } from '../../../src/remove/engine/run.ts';
import type { Profile } from '../../../src/profile/profile.ts';
import type { RemovalRecord } from '../../../src/remove/record.ts';
import { readScenario } from '../../../src/scenario/read.ts';
import type { RemovalPlan, WayPlan } from '../../../src/steps/removal-plan.ts';
import type { Case } from './cases.ts';

export const EARLY_KILL = '/proc/sys/vm/memory_failure_early_kill';

export interface SetUp {
  readonly built: BuiltScenario;
  /** The machine as it is: nothing fails here. */
  readonly host: Host;
  readonly plan: RemovalPlan;
  readonly way: WayPlan;
  readonly numbers: readonly string[];
  readonly before: State;
}

/** The same machine has the same plan each time. */
const plans = new Map<string, Pick<SetUp, 'plan' | 'way' | 'numbers' | 'before'>>();

export function setUp(c: Case): SetUp {
  const profile = profileByName(c.release);
  assert.ok(profile !== null);
  const built = buildScenario(readScenario(stringify({ scenario: 'every-call', title: c.name, ...c.machine, steps: [{ look: ['iomem'] }] }), 'every-call'), profile);
  const bare = simulatedHost(built.world);
  const host = c.withPrograms?.(bare) ?? bare;
  const planned = plans.get(c.name) ?? { ...planOf(c, bare, profile), before: stateOf(bare) };
  plans.set(c.name, planned);
  return { built, host, ...planned };
}

function planOf(c: Case, host: Host, profile: Profile): Pick<SetUp, 'plan' | 'way' | 'numbers'> {
  const inventory = inventoryFor(host, c.device);
  const machine = c.stopUnits === undefined ? inventory.machine : withUnits(inventory.machine, c.stopUnits[0] ?? '');
  const options = { ...optionsOf(inventory), ...(c.stopUnits === undefined ? {} : { stopUnits: c.stopUnits }), ...(c.waitMs === undefined ? {} : { waitMs: c.waitMs }) };
  const plan = makePlan(machine, inventory.device, options, { profile, exact: true, says: '', overridden: [] });
  const way = plan.ways.find((w) => w.way === c.way);
  assert.ok(way !== undefined, `${c.name}: ways are ${plan.ways.map((w) => w.way).join(', ')}`);
  // Holders that are waited for stand in the way of a plan that does not wait.
  assert.ok(way.possible || c.waitMs !== undefined, `${c.name}: ${JSON.stringify(way.blockers)}`);
  return { plan, way: { ...way, possible: true, blockers: [] }, numbers: [...new Set(inventory.leaves.flatMap((l) => l.deviceNumbers))] };
}

/** No simulated process lives in a unit: the inventory is told that they do. */
function withUnits(machine: ReturnType<typeof inventoryFor>['machine'], unit: string): ReturnType<typeof inventoryFor>['machine'] {
  const holders = Object.fromEntries(Object.entries(machine.holders).map(([id, list]) => [id, (list ?? []).map((h) => (h.kind === 'process' ? { ...h, unit } : h))]));
  return { ...machine, holders };
}

export const start = ({ plan, way, numbers }: SetUp, host: Host): Promise<RemovalRecord> => remove(host, plan, way, numbers);

/** unseat and its child are gone: the kernel lets every stopped process go on. */
export function bothDie({ built: { world: { k } } }: SetUp): void {
  for (const task of eachTask(k)) if (taskState(k, task) === TASK_STOPPED) continueTask(k, task);
}

/** Everything that a removal may set, by file. */
export type State = Readonly<Record<string, string>>;

const SETTINGS = [EARLY_KILL, '/sys/devices/system/memory/auto_online_blocks'];

export function stateOf(host: Host): State {
  const state: Record<string, string> = {};
  const read = (path: string): void => {
    const text = host.files.text(path);
    if (!isMissing(text)) state[path] = text.trim();
  };
  const under = (directory: string): string[] => {
    const names = host.files.list(directory);
    return isMissing(names) ? [] : names.map((name) => `${directory}/${name}`);
  };
  SETTINGS.forEach(read);
  for (const block of under('/sys/devices/system/memory').filter((path) => /memory\d+$/.test(path))) for (const file of ['state', 'valid_zones']) read(`${block}/${file}`);
  for (const bus of under('/sys/bus')) for (const driver of under(`${bus}/drivers`)) {
    const bound = under(driver).filter((path) => !/\/(bind|unbind|new_id|remove_id|uevent|module)$/.test(path)).map((path) => path.split('/').at(-1));
    if (bound.length > 0) state[driver] = bound.join(' ');
  }
  for (const slot of under('/sys/bus/pci/slots')) for (const file of ['power', 'attention']) read(`${slot}/${file}`);
  for (const device of under('/sys/bus/cxl/devices').filter((path) => /region\d+$/.test(path))) read(`${device}/commit`);
  for (const device of under('/sys/bus/dax/devices')) read(`${device}/state`);
  return state;
}

/** What differs, as `path: before -> after`. */
export function changes(before: State, after: State): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((path) => before[path] !== after[path]).map((path) => `${path}: ${before[path] ?? 'absent'} -> ${after[path] ?? 'absent'}`);
}

/** Nobody is left stopped, nobody died of a kernel bug, and no setting is left changed. */
export function unharmed({ built: { world: { k } }, host, before }: SetUp, what: string): void {
  for (const task of eachTask(k)) {
    assert.notEqual(taskState(k, task), TASK_STOPPED, `${what}: pid ${taskPid(k, task)} is left stopped`);
    assert.notEqual(taskState(k, task), TASK_OOPSED, `${what}: pid ${taskPid(k, task)} oopsed`);
  }
  const now = stateOf(host);
  for (const path of SETTINGS) assert.equal(now[path], before[path], `${what}: ${path}`);
}
