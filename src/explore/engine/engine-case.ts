/** A small machine, a way to remove its device, and who lives meanwhile: what is explored. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Host } from '../../host/host.ts';
import { simulatedHost } from '../../kernel/host/sim-host.ts';
import { buildScenario } from '../../kernel/scenario/build.ts';
import { inventoryFor } from '../../plan/inventory.ts';
import { makePlan } from '../../plan/make-plan.ts';
import type { Profile } from '../../profile/profile.ts';
import { readScenario } from '../../scenario/read.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Way } from '../../steps/reason.ts';
import type { RemovalPlan, WayPlan } from '../../steps/removal-plan.ts';
import type { StepAction } from '../../steps/step.ts';
import type { Actor } from './actors.ts';
import { ENGINE_MUTATIONS } from './mutations.ts';
import { settingsOf } from './properties.ts';

export type StepKind = StepAction['kind'];

export interface EngineCase {
  readonly scenario: Scenario;
  readonly profile: Profile;
  readonly actors: readonly Actor[];
  readonly plan: RemovalPlan;
  readonly way: WayPlan;
  readonly deviceNumbers: readonly string[];
  /** Name of the block device, and its memory in bytes, half open. */
  readonly block: string;
  readonly range: { readonly start: number; readonly end: number };
  readonly settings: ReadonlyMap<string, string>;
  /** What the engine is given for a host: that of the machine, unless a mutation hides something. */
  readonly hostFor: (host: Host) => Host;
}

/** What lives while the engine works. The lists are small so that every order of them can be tried. */
export const SHAPES: Readonly<Record<string, readonly Actor[]>> = {
  fault: [{ who: 'holder', deeds: ['read'] }],
  write: [{ who: 'holder', deeds: ['write'] }],
  fork: [{ who: 'holder', deeds: ['fork'] }, { who: 'child', deeds: ['read'] }],
  map: [{ who: 'late', deeds: ['map', 'read'] }],
  'map-private': [{ who: 'late', deeds: ['map-private', 'write'] }],
  open: [{ who: 'late', deeds: ['open'] }, { who: 'holder', deeds: ['read'] }],
  cwd: [{ who: 'late', deeds: ['chdir'] }],
  exit: [{ who: 'holder', deeds: ['exit'] }],
  'exit-and-map': [{ who: 'holder', deeds: ['exit'] }, { who: 'late', deeds: ['map', 'read'] }],
  'fork-and-map': [{ who: 'holder', deeds: ['fork'] }, { who: 'late', deeds: ['map', 'write'] }],
  die: [{ who: 'unseat', deeds: ['die-and-resume'] }],
  'roll-back': [{ who: 'unseat', deeds: ['die-and-roll-back'] }],
  'die-and-fault': [{ who: 'unseat', deeds: ['die-and-resume'] }, { who: 'holder', deeds: ['read'] }],
  'die-and-map': [{ who: 'unseat', deeds: ['die-and-resume'] }, { who: 'late', deeds: ['map', 'read'] }],
  'die-and-fork': [{ who: 'unseat', deeds: ['die-and-resume'] }, { who: 'holder', deeds: ['fork'] }, { who: 'child', deeds: ['read'] }],
  'roll-back-and-fault': [{ who: 'unseat', deeds: ['die-and-roll-back'] }, { who: 'holder', deeds: ['read'] }],
  'roll-back-and-map': [{ who: 'unseat', deeds: ['die-and-roll-back'] }, { who: 'late', deeds: ['map', 'read'] }],
};

const MACHINE = (type: 'ext4' | 'xfs'): string => `scenario: engine
title: one holder of one file, and one process that holds nothing yet
machine:
  nvdimms: [{name: nvdimm0, size: 64M}]
  namespaces: [{name: data, on: nvdimm0, mode: fsdax}]
filesystems: [{on: data, at: /mnt, type: ${type}${type === 'xfs' ? ', rmapbt: true' : ''}}]
processes:
  - {name: h, maps: [{file: /mnt/f, size: 8K, align: 4K}]}
  - {name: late}
steps: [{wait: 1}]
`;
const BLOCK = 'pmem0';

export interface CaseOptions {
  /** Steps of these kinds are left out of the plan: an engine that is wrong, which must be caught. */
  readonly without?: readonly StepKind[];
  readonly filesystem?: 'ext4' | 'xfs';
  /** Name of one of ENGINE_MUTATIONS. */
  readonly mutation?: string;
}

/** @throws UnseatError REFUSED where the plan does not allow that way */
export function engineCase(profile: Profile, way: Way, actors: readonly Actor[], options: CaseOptions = {}): EngineCase {
  const scenario = readScenario(MACHINE(options.filesystem ?? 'ext4'), 'engine');
  const built = buildScenario(scenario, profile);
  const settings = settingsOf(built);
  const { machine, device, leaves, room } = inventoryFor(simulatedHost(built.world), BLOCK);
  const plan = makePlan(machine, device, room === null ? {} : { room }, { profile, exact: true, says: '', overridden: [] });
  const chosen = plan.ways.find((w) => w.way === way);
  if (chosen === undefined || !chosen.possible) throw new UnseatError('REFUSED', `the plan does not allow to remove by ${way}`, { subject: profile.name, cause: chosen?.blockers.map((b) => b.text).join('; ') ?? '' });
  const without = new Set(options.without ?? []);
  return {
    scenario, profile, actors, plan, settings, hostFor: mutationNamed(options.mutation), block: BLOCK, way: { ...chosen, steps: chosen.steps.filter((step) => !without.has(step.action.kind)) },
    deviceNumbers: [...new Set(leaves.flatMap((l) => l.deviceNumbers))], range: device.ranges[0] ?? { start: 0, end: 0 },
  };
}

function mutationNamed(name: string | undefined): (host: Host) => Host {
  if (name === undefined) return (host) => host;
  const mutation = ENGINE_MUTATIONS[name];
  if (mutation === undefined) throw new UnseatError('USAGE', `there is no mutation ${name}`, { next: `Known: ${Object.keys(ENGINE_MUTATIONS).join(', ')}.` });
  return mutation.host;
}
