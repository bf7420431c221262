/**
 * `fd.jsonl` of unseat's own captures: one JSON value a line. `{"fd":3,"target":"/mnt/big","dev":"259:0","ino":12}` is a
 * descriptor, `{"place":"cwd",...}` the working directory (`root`, `exe` alike), `{"missing":"denied"}` says why there
 * are no descriptors (or, with a place, why it is not known). Targets are ByteStrings.
 */
import { missing, type Absence, type Fact } from '../fact.ts';
import type { OpenFile, Place } from '../processes.ts';

export interface OwnListing {
  readonly files: Fact<readonly OpenFile[]>;
  readonly places: Partial<Record<'cwd' | 'root' | 'exe', Fact<Place>>>;
}

export const ABSENCES: readonly string[] = ['absent', 'not-captured', 'denied', 'vanished', 'unreadable', 'malformed', 'unsafe'] satisfies Absence[];

export function parseOwnListing(path: string, text: string): Fact<OwnListing> {
  const files: OpenFile[] = [];
  const places: OwnListing['places'] = {};
  let gone: Fact<never> | null = null;
  for (const { line, entry } of linesOf(text)) {
    if (entry === null) return missing('malformed', path, line.slice(0, 80));
    const absence = ABSENCES.includes(String(entry['missing'])) ? missing(entry['missing'] as Absence, placeOf(path, entry['place']), stringOr(entry['detail'])) : null;
    const node = { target: stringOr(entry['target']) ?? '', ...numbersOf(entry) };
    if (entry['place'] === 'cwd' || entry['place'] === 'root' || entry['place'] === 'exe') places[entry['place']] = absence ?? node;
    else if (absence !== null) gone = absence;
    else if (Number.isInteger(entry['fd'])) files.push({ fd: entry['fd'] as number, ...node });
    else return missing('malformed', path, line.slice(0, 80));
  }
  return { files: gone ?? files, places };
}

/** Null for a line that is no JSON object. */
export const linesOf = (text: string): { readonly line: string; readonly entry: Record<string, unknown> | null }[] => text.split('\n').filter((line) => line !== '').map((line) => ({ line, entry: objectOf(line) }));

function objectOf(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const stringOr = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function numbersOf(entry: Record<string, unknown>): { dev?: string; ino?: number; rdev?: string } {
  const dev = stringOr(entry['dev']);
  const rdev = stringOr(entry['rdev']);
  const ino = entry['ino'];
  return { ...(dev === undefined ? {} : { dev }), ...(Number.isSafeInteger(ino) ? { ino: ino as number } : {}), ...(rdev === undefined ? {} : { rdev }) };
}

const placeOf = (path: string, place: unknown): string => path.replace(/fd\.jsonl$/, typeof place === 'string' ? place : 'fd');
