/**
 * What a host answers. A thing that could not be read is a fact too, and the kinds of "no" are kept apart: a file that
 * the machine does not have says something about the machine; a file that a capture lacks says nothing.
 */
export type Absence =
  /** The machine does not have it (ENOENT, ENXIO, ENODEV on a live machine; known to be absent in a complete capture). */
  | 'absent'
  /** The host cannot know: the capture does not hold it. */
  | 'not-captured'
  /** It is there and this user may not read it (EACCES, EPERM). */
  | 'denied'
  /** It was there a moment ago: a process ended, a device went (ESRCH, or ENOENT below a directory just listed). */
  | 'vanished'
  /** It is there and reading it failed; `detail` names the errno. */
  | 'unreadable'
  /** It was read and does not have the form that it should have; `detail` says where. */
  | 'malformed'
  /** Reading it could crash this kernel (pagemap or smaps of a process that maps a device already gone). */
  | 'unsafe';

export interface Missing {
  readonly missing: Absence;
  /** The file or thing asked for. */
  readonly path: string;
  /** An errno name or a parser's reason. */
  readonly detail?: string;
}

export type Fact<T> = T | Missing;

export function isMissing<T>(fact: Fact<T>): fact is Missing {
  return typeof fact === 'object' && fact !== null && !Array.isArray(fact) && 'missing' in fact;
}

export const missing = (kind: Absence, path: string, detail?: string): Missing =>
  detail === undefined ? { missing: kind, path } : { missing: kind, path, detail };

/** The value, or `fallback` where there is none. For places where the kind of absence does not matter. */
export const orElse = <T, F>(fact: Fact<T>, fallback: F): T | F => (isMissing(fact) ? fallback : fact);
