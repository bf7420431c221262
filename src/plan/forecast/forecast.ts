/** What a bare unbind and a pull would do: the rules applied to every leaf of a device. */
import type { Machine } from '../../machine/machine.ts';
import type { Device } from '../../machine/types/device.ts';
import type { Profile } from '../../profile/profile.ts';
import type { Forecast, RemovalEvent } from '../../steps/forecast.ts';
import { leafFacts, notMeasuredHere, type KnownFacts, type LeafFacts } from '../facts/leaf-facts.ts';
import { blindness } from '../facts/sight.ts';
import { behindCxl, isCxlContainer, leavesOf } from '../facts/tree.ts';
import { applies, type Rule } from './rule.ts';
import { onlyBySurprise, removeStopsAtHolders, STOP_RULES } from './rules/designs.ts';
import { RULES } from './rules/index.ts';

type EffectLine = Forecast['effects'][number];

export const forecastsFor = (machine: Machine, profile: Profile, device: Device, known: KnownFacts = {}): Forecast[] =>
  (['unbind', 'pull'] as const).map((event) => forecast(machine, profile, device, event, known));

interface Hit {
  readonly rule: Rule;
  readonly certainty: EffectLine['certainty'];
  readonly whom: string[];
}

/** The effects in the order of the rules, each rule once with all whom it hits; `clean` where no rule fits. */
export function forecast(machine: Machine, profile: Profile, device: Device, event: RemovalEvent, known: KnownFacts = {}): Forecast {
  const hits = new Map<string, Hit>();
  for (const leaf of leavesOf(machine, device)) {
    const through = isCxlContainer(machine, device) || (event === 'pull' && behindCxl(machine, leaf)) ? 'cxl' : 'self';
    const facts: LeafFacts = { ...leafFacts(machine, profile, leaf, through, known), going: { event, kind: device.kind } };
    const candidates = removeStopsAtHolders(facts) ? STOP_RULES : RULES;
    for (const rule of candidates.filter((r) => applies(r, event, facts))) {
      const own = typeof rule.certainty === 'function' ? rule.certainty(facts) : rule.certainty;
      const certainty = onlyBySurprise(facts) && rule.effect !== 'veto' ? 'possible' : own === 'certain' && notMeasuredHere(machine) ? 'likely' : own;
      const hit = hits.get(`${rule.id} ${certainty}`) ?? { rule, certainty, whom: [] };
      hits.set(`${rule.id} ${certainty}`, { ...hit, whom: [...new Set([...hit.whom, rule.whom(facts)])] });
    }
  }
  const ordered = [...hits.values()].sort((a, b) => RULES.indexOf(a.rule) - RULES.indexOf(b.rule));
  const effects = ordered.map(({ rule, certainty, whom }) => ({ effect: rule.effect, whom: whom.join('; '), because: rule.because, source: rule.source, certainty }));
  return { event, effects: effects.length > 0 ? effects : [nothingWrong(machine, device)] };
}

/** No rule fits: nobody holds it. That is only worth something where holders were looked for. */
function nothingWrong(machine: Machine, device: Device): EffectLine {
  const blind = leavesOf(machine, device).map((leaf) => blindness(machine, leaf)).find((b) => b !== null) ?? null;
  return {
    effect: 'clean', whom: device.name, certainty: blind === null ? 'likely' : 'possible',
    because: blind === null ? 'nobody was seen to hold it; pins cannot be seen' : `nobody was seen to hold it, but: ${blind}`,
    source: 'docs/kernel-truth A matrix, no file in use; B 3 (b), all blocks offline',
  };
}
