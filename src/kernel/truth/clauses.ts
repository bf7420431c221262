/** Shared by the clause tests of systems 1 to 5: profiles by name. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Profile } from '../../profile/profile.ts';
import { PROPOSED } from '../../profile/proposals/index.ts';
import { RELEASES } from '../../profile/releases/index.ts';

export function profile(name: string): Profile {
  const found = [...RELEASES, ...PROPOSED].find((p) => p.name === name || p.name === `proposal:${name}`);
  if (found === undefined) throw new UnseatError('INTERNAL', `no profile ${name}`);
  return found;
}

export { RELEASES };
