/** A whole scenario on the simulated kernel: the same records as the lab makes of a real one. */
import type { Host } from '../../host/host.ts';
import type { Profile } from '../../profile/profile.ts';
import type { LogFinding, Observation } from '../../scenario/observation.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Step } from '../../scenario/step.ts';
import { subjectOf } from '../../scenario/subject-of.ts';
import { busDevices, deviceBus, deviceName } from '../drivers/base/bus.ts';
import { simulatedHost } from '../host/sim-host.ts';
import { buildScenario } from './build.ts';
import type { BuiltScenario } from './built.ts';
import type { Seen } from './steps/outcome.ts';
import { takeStep } from './steps/take.ts';

/** What rooms above this one do for a run: the project's own commands, and which lines of a log mean what. */
export interface RunTools {
  remove(host: Host, device: string, way: 'graceful' | 'detach' | 'force' | 'kill', profile: Profile): Promise<Seen>;
  plan(host: Host, device: string, profile: Profile): Seen;
  scan(host: Host): Seen;
  findings(lines: readonly string[]): Partial<Record<LogFinding, number>>;
}

export interface SimulatedRun {
  readonly observations: readonly Observation[];
  readonly built: BuiltScenario;
  readonly host: Host;
}

/** @throws UnseatError UNSUPPORTED where the machine of the scenario cannot be simulated on this kernel */
export async function runScenario(scenario: Scenario, profile: Profile, tools: RunTools): Promise<SimulatedRun> {
  const built = buildScenario(scenario, profile);
  const host = simulatedHost(built.world);
  const observations: Observation[] = [];
  for (const [index, step] of scenario.steps.entries()) observations.push(await observe(built, host, profile, tools, step, index));
  return { observations, built, host };
}

async function observe(built: BuiltScenario, host: Host, profile: Profile, tools: RunTools, step: Step, index: number): Promise<Observation> {
  const { k } = built.world;
  const mark = k.log.mark;
  const seen = await take(built, host, profile, tools, step);
  const lines = k.log.since(mark).map((line) => line.text);
  const log = tools.findings(lines);
  const oops = (log.oops ?? 0) > 0;
  if (seen.ending === 'oops' && !oops) log.oops = 1;
  return {
    ...seen, step: index, verb: step.verb, label: step.label, subject: seen.subject ?? subjectOf(step), milliseconds: 0,
    ending: oops && seen.ending !== 'not-available' ? 'oops' : seen.ending, log, ...(step.watch.length === 0 ? {} : { said: step.watch.filter((text) => lines.some((line) => line.includes(text))) }),
  };
}

async function take(built: BuiltScenario, host: Host, profile: Profile, tools: RunTools, step: Step): Promise<Seen> {
  if (step.verb === 'scan') return tools.scan(host);
  if (step.verb === 'plan') return tools.plan(host, operatorName(built, step.argument), profile);
  if (step.verb === 'remove') return tools.remove(host, operatorName(built, step.argument.device), step.argument.way, profile);
  return takeStep(built, step);
}

/** The name by which an operator knows a declared device. */
export function operatorName(built: BuiltScenario, name: string): string {
  const { k, pmems, daxes } = built.world;
  const device = built.built.get(name);
  const pmem = pmems.find((p) => p.device === device?.dev);
  const dax = daxes.find((d) => d.device === device?.dev);
  if (pmem !== undefined) return pmem.block;
  if (dax !== undefined) return dax.name;
  return device === undefined || device.dev === 0 || !busDevices(k, deviceBus(k, device.dev).name).includes(device.dev) ? name : deviceName(k, device.dev);
}
