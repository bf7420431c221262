/**
 * A rule of the forecast: under these mechanisms and with these facts of the machine, this comes of it. The table of
 * rules is tested equal to running the simulated kernel on the same machine.
 */
import { valueOf } from '../../profile/build.ts';
import type { MechanismValue } from '../../profile/mechanism.ts';
import type { MechanismName, MechanismValueOf } from '../../profile/mechanisms/index.ts';
import type { Profile } from '../../profile/profile.ts';
import type { Device } from '../../machine/types/device.ts';
import type { Effect, Forecast, RemovalEvent } from '../../steps/forecast.ts';
import type { LeafFacts } from '../facts/leaf-facts.ts';

export type Certainty = Forecast['effects'][number]['certainty'];
export type Needs = { readonly [N in MechanismName]?: readonly MechanismValueOf<N>[] };

export interface Rule {
  /** Stable within the table. */
  readonly id: string;
  readonly events: readonly RemovalEvent[];
  readonly kinds: readonly Device['kind'][];
  /** Whether it goes by itself or with the CXL device above it; both where not given. */
  readonly through?: LeafFacts['through'];
  /** Mechanisms that must have one of these values. */
  readonly needs: Needs;
  readonly when: (facts: LeafFacts) => boolean;
  readonly effect: Effect;
  readonly whom: (facts: LeafFacts) => string;
  /** One sentence in the kernel's words. */
  readonly because: string;
  readonly source: string;
  readonly certainty: Certainty | ((facts: LeafFacts) => Certainty);
}

export const mechanismsHold = (profile: Profile, needs: Needs): boolean =>
  (Object.entries(needs) as [MechanismName, readonly MechanismValue[]][]).every(([name, values]) => values.includes(effective(profile, name)));

/** A design that fails every page where memory_failure() finds nobody is none. */
const effective = (profile: Profile, name: MechanismName): MechanismValue =>
  (name === 'fsdax.removal-design' && valueOf(profile, name) === 'pagemap-failure' && valueOf(profile, 'fsdax.memory-failure-collects') !== 'early-kill' && !valueOf(profile, 'fsdax.mass-failure-collects-all') ? 'none' : valueOf(profile, name));

/**
 * A pull reaches the kernel only where a bus announces it (CXL and PCIe hot-plug, ACPI eject); elsewhere the rules
 * about drivers do not apply to it, only those that speak of a pull alone.
 */
const reaches = (rule: Rule, event: RemovalEvent, facts: LeafFacts): boolean =>
  event === 'unbind' || facts.through === 'cxl' || facts.device.kind === 'dimm' || !rule.events.includes('unbind');

export const applies = (rule: Rule, event: RemovalEvent, facts: LeafFacts): boolean =>
  rule.events.includes(event) && reaches(rule, event, facts) && rule.kinds.includes(facts.device.kind) && (rule.through === undefined || rule.through === facts.through) &&
  mechanismsHold(facts.profile, rule.needs) && rule.when(facts);
