/** The release profiles, oldest first. */
import { buildProfile, type ProfileEntries } from '../build.ts';
import type { Profile } from '../profile.ts';
import { V5_2 } from './5.2.ts';
import { V5_10 } from './5.10.ts';
import { V6_1 } from './6.1.ts';
import { V6_12 } from './6.12.ts';
import { V6_18 } from './6.18.ts';
import { V7_2 } from './7.2.ts';
import { V7_3 } from './7.3.ts';

export const RELEASE_ENTRIES: readonly ProfileEntries[] = [V5_2, V5_10, V6_1, V6_12, V6_18, V7_2, V7_3];
export const RELEASES: readonly Profile[] = RELEASE_ENTRIES.map((data) => buildProfile(data));
