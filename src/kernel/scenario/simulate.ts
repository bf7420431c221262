/** The text of a scenario and the name of a kernel, as a machine that can be looked at and changed. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Host } from '../../host/host.ts';
import type { Profile } from '../../profile/profile.ts';
import { profileByName, profileNames, releaseNames } from '../../profile/select.ts';
import { readScenario } from '../../scenario/read.ts';
import { simulatedHost } from '../host/sim-host.ts';
import { buildScenario } from './build.ts';

/**
 * @param path where the text is from, for messages
 * @param kernel name of a profile; the newest release unless told
 * @throws UnseatError USAGE for an unknown profile, what reading a scenario throws, UNSUPPORTED for what cannot be simulated
 */
export function simulate(text: string, path: string, kernel?: string): Host {
  return simulatedHost(buildScenario(readScenario(text, path), profileNamed(kernel)).world);
}

/** @throws UnseatError USAGE */
export function profileNamed(name: string = releaseNames().at(-1) ?? ''): Profile {
  const profile = profileByName(name);
  if (profile === null) throw new UnseatError('USAGE', `there is no profile ${name}`, { next: `Take one of ${profileNames().join(', ')}.` });
  return profile;
}
