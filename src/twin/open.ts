/** The twin of what a host shows, as a host of its own. */
import { UnseatError } from '../errors/unseat-error.ts';
import { isMissing } from '../host/fact.ts';
import type { Host } from '../host/host.ts';
import { simulatedHost } from '../kernel/host/sim-host.ts';
import { profileNamed } from '../kernel/scenario/simulate.ts';
import { selectProfile } from '../profile/select.ts';
import { readForTwin } from './read.ts';
import { twinOf } from './twin.ts';

/** @throws UnseatError UNSUPPORTED where it has parts that no twin can have, or hides its address map */
export function twinHost(host: Host, kernel?: string): Host {
  const release = host.identity.release;
  const profile = kernel !== undefined || isMissing(release) ? profileNamed(kernel) : selectProfile(release).profile;
  const { world, left } = twinOf(readForTwin(host), profile);
  if (left.length > 0) throw new UnseatError('UNSUPPORTED', `a simulated twin of this machine would lack ${left.length} thing${left.length === 1 ? '' : 's'}`, { subject: host.label, seen: left.join('; '), next: 'Look at the capture itself, without --twin.' });
  return simulatedHost(world);
}
