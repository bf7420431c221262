/** A profile from its entries: the declared default, with its source, wherever the entries say nothing. */
import type { MechanismValue } from './mechanism.ts';
import { MECHANISMS, type Entries, type MechanismName, type MechanismValueOf } from './mechanisms/index.ts';
import type { Mechanism, Profile } from './profile.ts';

export interface ProfileEntries {
  /** `6.12`, `proposal:dev-pagemap-failure`. */
  readonly name: string;
  /** [major, minor]; null for a proposal. */
  readonly release: readonly [number, number] | null;
  readonly summary: string;
  /**
   * First release that behaves like it in what matters most here, where that is older than itself: a release between
   * two profiles is given to the one whose changes it already has.
   */
  readonly standsFrom?: readonly [number, number];
  readonly entries: Entries;
}

/** The names of all mechanisms, in the order of their declaration. */
export const MECHANISM_NAMES = Object.keys(MECHANISMS) as MechanismName[];

/** Fills in the defaults of everything that `data` (over `base`, where given) does not say. */
export function buildProfile(data: ProfileEntries, base: Profile | null = null): Profile {
  const mechanisms: Record<string, Mechanism> = {};
  for (const name of MECHANISM_NAMES) {
    const declared = MECHANISMS[name];
    const own: { readonly value: MechanismValue; readonly source: string } | undefined = data.entries[name];
    mechanisms[name] = own ?? base?.mechanisms[name] ?? { value: declared.default, source: declared.source };
  }
  return { name: data.name, release: data.release, summary: data.summary, mechanisms };
}

/** The value of a mechanism, typed by its declaration. A profile that lacks it (made elsewhere) gets the default. */
export function valueOf<N extends MechanismName>(profile: Profile, name: N): MechanismValueOf<N> {
  return (profile.mechanisms[name]?.value ?? MECHANISMS[name].default) as MechanismValueOf<N>;
}

/** Where the value of a mechanism is known from. */
export const sourceOf = (profile: Profile, name: MechanismName): string => profile.mechanisms[name]?.source ?? MECHANISMS[name].source;
