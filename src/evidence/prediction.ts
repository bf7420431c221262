/** What the simulated kernel says will come of a scenario on a kernel: the same file, run; never what somebody wrote down as expected. */
import { UnseatError } from '../errors/unseat-error.ts';
import { selectProfile } from '../profile/select.ts';
import type { Effect } from '../scenario/effect.ts';
import { effectsOf } from '../scenario/effects-of.ts';
import type { Observation } from '../scenario/observation.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { simulateScenario } from './simulated-run.ts';

export type Prediction =
  | { readonly effects: readonly Effect[]; readonly observations: readonly Observation[]; readonly profile: string }
  /** The simulated kernel cannot be brought there, and why. */
  | { readonly not: string };

/** @param release as `uname -r` says it: the profile is chosen by it, as for a machine */
export async function predict(scenario: Scenario, release: string): Promise<Prediction> {
  const { profile } = selectProfile(release);
  try {
    const { observations } = await simulateScenario(scenario, profile);
    return { effects: effectsOf(scenario, observations), observations, profile: profile.name };
  } catch (error) {
    if (error instanceof UnseatError) return { not: error.message };
    throw error;
  }
}
