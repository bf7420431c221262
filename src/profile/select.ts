/**
 * Which profile stands for a kernel: by its release string, then corrected by what the host itself shows (probes).
 * A kernel between two profiles gets the one whose changes it already has (`standsFrom`); one older or newer than all
 * gets the nearest. Whatever is not exact is said.
 */
import { buildProfile, valueOf } from './build.ts';
import type { MechanismValue } from './mechanism.ts';
import { MECHANISMS, type MechanismName } from './mechanisms/index.ts';
import type { Mechanism, Profile } from './profile.ts';
import { PROPOSALS } from './proposals/index.ts';
import { RELEASE_ENTRIES, RELEASES } from './releases/index.ts';

/** Something seen on the host that decides a mechanism, whatever the release says. */
export interface Probe {
  readonly mechanism: MechanismName;
  readonly value: MechanismValue;
  /** The file and what was seen: `/sys/bus/dax/devices/dax0.0/state is there`. */
  readonly evidence: string;
}

export interface Selection {
  readonly profile: Profile;
  /** True when the profile stands for this very release (major.minor), measured or read from its sources. */
  readonly exact: boolean;
  /** One sentence for people. */
  readonly says: string;
  /** Probes that changed something. */
  readonly overridden: readonly Probe[];
}

/** `6.12.107+deb13-amd64` to [6, 12]; null where the text does not begin with two numbers. */
export function parseRelease(release: string): readonly [number, number] | null {
  const m = /^(\d{1,4})\.(\d{1,4})(?=$|[^\d])/.exec(release);
  return m ? [Number(m[1]), Number(m[2])] : null;
}

/** Distributions whose kernels carry many backported changes, by the form of their release strings. */
const BACKPORTING: readonly { readonly pattern: RegExp; readonly who: string }[] = [
  { pattern: /\.el\d/, who: 'Red Hat Enterprise Linux or a rebuild' },
  { pattern: /\.(uek|el\d+uek)/, who: 'Oracle UEK' },
  { pattern: /^\d+\.\d+\.\d+-\d+\.\d+(\.\d+)*-default/, who: 'SUSE Linux Enterprise' },
  { pattern: /\.an\d/, who: 'Anolis' },
];

const before = (a: readonly [number, number], b: readonly [number, number]): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
const same = (a: readonly [number, number], b: readonly [number, number]): boolean => a[0] === b[0] && a[1] === b[1];

type Release = readonly [number, number];
interface Candidate {
  readonly profile: Profile;
  readonly release: Release;
  /** First release that it stands for. */
  readonly from: Release;
}

const CANDIDATES: readonly Candidate[] = RELEASE_ENTRIES.flatMap((data, i) => {
  const profile = RELEASES[i];
  return data.release === null || profile === undefined ? [] : [{ profile, release: data.release, from: data.standsFrom ?? data.release }];
});

/** The last profile whose changes the release already has. */
function nearest(release: Release): { readonly profile: Profile; readonly says: string } {
  const [oldest, newest] = [CANDIDATES[0], CANDIDATES.at(-1)];
  if (oldest === undefined || newest === undefined) throw new Error('no release profiles');
  const name = release.join('.');
  if (before(release, oldest.release)) return { profile: oldest.profile, says: `${name} is older than any profile; the oldest, ${oldest.profile.name}, stands in for it` };
  if (before(newest.release, release)) return { profile: newest.profile, says: `${name} is newer than any profile; the newest, ${newest.profile.name}, stands in for it` };
  const found = CANDIDATES.filter((c) => !before(release, c.from)).at(-1) ?? oldest;
  if (same(found.release, release)) return { profile: found.profile, says: `profile ${found.profile.name}` };
  const next = CANDIDATES[CANDIDATES.indexOf(found) + 1];
  const span = `from ${found.from.join('.')}${next ? ` to before ${next.from.join('.')}` : ''}`;
  return { profile: found.profile, says: `no profile for ${name}; ${found.profile.name}, which stands for releases ${span}, is taken` };
}

/** The profile for a release string (null where it is not known), corrected by `probes`. */
export function selectProfile(release: string | null, probes: readonly Probe[] = []): Selection {
  const parsed = release === null ? null : parseRelease(release);
  if (release === null || parsed === null) {
    const newest = RELEASES.filter((p) => p.release !== null).at(-1);
    if (newest === undefined) throw new Error('no release profiles');
    const what = release === null ? 'the kernel release is not known' : `"${release}" is no kernel release`;
    return override(newest, false, `${what}; the newest profile, ${newest.name}, stands in for it`, probes);
  }
  const { profile, says } = nearest(parsed);
  const distribution = BACKPORTING.find((d) => d.pattern.test(release));
  const exact = profile.release !== null && same(profile.release, parsed) && distribution === undefined;
  const suffix = distribution ? `; ${distribution.who} carries many changes of later releases, so this is a guess where no probe decides` : '';
  return override(profile, exact, `${says}${suffix}`, probes);
}

function override(profile: Profile, exact: boolean, says: string, probes: readonly Probe[]): Selection {
  const changed = probes.filter((p) => valueOf(profile, p.mechanism) !== p.value && allowed(p));
  if (changed.length === 0) return { profile, exact, says, overridden: [] };
  const mechanisms: Record<string, Mechanism> = { ...profile.mechanisms };
  for (const p of changed) mechanisms[p.mechanism] = { value: p.value, source: `seen on this host: ${p.evidence}` };
  const list = changed.map((p) => `${p.mechanism} is ${String(p.value)} (${p.evidence})`).join(', ');
  return { profile: { ...profile, mechanisms }, exact, says: `${says}; corrected by what the host shows: ${list}`, overridden: changed };
}

function allowed(probe: Probe): boolean {
  const declared: readonly MechanismValue[] = MECHANISMS[probe.mechanism].allowed;
  return typeof probe.value === 'number' ? declared.some((v) => typeof v === 'number') : declared.includes(probe.value);
}

/** A profile by its name: `6.12`, `proposal:dev-pagemap-failure`. Null where there is none. */
export function profileByName(name: string): Profile | null {
  const release = RELEASES.find((p) => p.name === name);
  if (release) return release;
  const proposal = PROPOSALS.find((p) => p.name === name || `proposal:${p.name}` === name);
  if (!proposal) return null;
  return buildProfile(proposal, RELEASES.find((p) => p.name === proposal.over) ?? null);
}

/** Every profile by name, releases first. */
export const profileNames = (): string[] => [...RELEASES.map((p) => p.name), ...PROPOSALS.map((p) => p.name)];

/** The profiles of kernel releases alone, oldest first: what a running kernel can be, and what `plan --as-kernel` takes. */
export const releaseNames = (): string[] => RELEASES.map((p) => p.name);
