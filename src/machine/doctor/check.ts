/** What a doctor's check is, and the few ways in which one comes about. */
import { isMissing, type Absence, type Fact, type Missing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';

/** `unknown`: this host cannot tell (a capture that does not hold the file). */
export type CheckState = 'ok' | 'limited' | 'missing' | 'unknown';

export interface Check {
  /** Stable name, as `kpageflags`. */
  readonly id: string;
  readonly state: CheckState;
  /** What was found; a clause. */
  readonly fact: string;
  /** What follows for the user; a clause. */
  readonly consequence: string;
}

export interface Area {
  readonly name: 'look' | 'act' | 'kernel';
  readonly checks: readonly Check[];
}

export const check = (id: string, state: CheckState, fact: string, consequence: string): Check => ({ id, state, fact, consequence });

/** How an absence is told. */
const TELLS: Readonly<Record<Absence, string>> = {
  'absent': 'is not there',
  'not-captured': 'is not in the capture',
  'denied': 'may not be read by this user',
  'vanished': 'went away',
  'unreadable': 'cannot be read',
  'malformed': 'does not have its usual form',
  'unsafe': 'was not read, because that could crash this kernel',
};

export function tell(lost: Missing): string {
  const detail = lost.missing === 'unreadable' || lost.missing === 'malformed' ? ` (${lost.detail ?? 'no reason given'})` : '';
  const told = lost.path.includes(' and ') ? TELLS[lost.missing].replace(/^is /, 'are ') : TELLS[lost.missing];
  return `${lost.path} ${told}${detail}`;
}

/** The state for something that could not be read. */
export const stateOf = (lost: Missing): CheckState => (lost.missing === 'not-captured' ? 'unknown' : 'missing');

/** For something whose absence means something: what that is. A capture that just lacks the file says nothing: `open` is what is then not known. */
export const checkAbsence = (id: string, lost: Missing, otherwise: CheckState, fact: string, without: string, open: string): Check =>
  (lost.missing === 'not-captured' ? check(id, 'unknown', tell(lost), open) : check(id, otherwise, fact, without));

/** A check of one file: `good` judges what was read. `open`: what is not known where a capture lacks the file. */
export function checkFact<T>(id: string, fact: Fact<T>, without: string, good: (value: T) => Check, open: string = without): Check {
  return isMissing(fact) ? check(id, stateOf(fact), tell(fact), fact.missing === 'not-captured' ? open : without) : good(fact);
}

/** True when the release is at least this one; undefined where it cannot be told. */
export function releaseAtLeast(host: Host, major: number, minor: number): boolean | undefined {
  const release = host.identity.release;
  const parts = isMissing(release) ? null : /^(\d+)\.(\d+)/.exec(release);
  if (parts === null) return undefined;
  const [have, less] = [Number(parts[1]), Number(parts[2])];
  return have > major || (have === major && less >= minor);
}

/** A facility that came with a release. The consequence is chosen by whether it is there. */
export function checkRelease(host: Host, id: string, since: readonly [number, number], what: string, withIt: string, without: string): Check {
  const there = releaseAtLeast(host, since[0], since[1]);
  const from = `${what} came with ${since[0]}.${since[1]}`;
  if (there === undefined) return check(id, 'unknown', `${from}; the release is not known`, `without it, ${without}`);
  const { release } = host.identity;
  return there ? check(id, 'ok', `${from}, this is ${String(release)}`, withIt) : check(id, 'limited', `${from}, this is ${String(release)}`, without);
}
