/** Proposals: designs that no release has, as entries over a release. */
import { buildProfile, type ProfileEntries } from '../build.ts';
import type { Profile } from '../profile.ts';
import { RELEASES } from '../releases/index.ts';
import { DAX_PROPOSALS } from './dax-kvm.ts';
import { HOTPLUG_PROPOSALS } from './hotplug.ts';
import { REMOVAL_PROPOSALS } from './removal.ts';

export const PROPOSALS: readonly (ProfileEntries & { readonly over: string })[] = [...REMOVAL_PROPOSALS, ...DAX_PROPOSALS, ...HOTPLUG_PROPOSALS];

/** The proposals as profiles, each over its release. */
export const PROPOSED: readonly Profile[] = PROPOSALS.map((p) => buildProfile(p, RELEASES.find((r) => r.name === p.over) ?? null));
