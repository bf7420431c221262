/**
 * `threads.jsonl` of a process in unseat's own captures, where its threads do not share all that it has: one JSON value a line.
 * `{"tids":[150,151]}` names its threads; `{"threads":[151],"files":true,"places":false}` is a ThreadsApart, and what the first of
 * them has lies under `apart/TID/` beside it, in the form of a process; `{"missing":"denied"}` says why that is not known.
 */
import { missing, type Absence, type Fact } from '../fact.ts';
import type { ThreadsApart } from '../processes.ts';
import { ABSENCES, linesOf } from './own-listing.ts';

export interface ThreadsListing {
  readonly tids: readonly number[];
  readonly apart: Fact<readonly ThreadsApart[]>;
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
const idsOf = (value: unknown): readonly number[] | null => (Array.isArray(value) && value.length > 0 && value.every(isId) ? value : null);

export function parseThreadsListing(path: string, text: string): Fact<ThreadsListing> {
  let tids: readonly number[] = [];
  const apart: ThreadsApart[] = [];
  let gone: Fact<never> | null = null;
  for (const { line, entry } of linesOf(text)) {
    const [all, some] = [idsOf(entry?.['tids']), idsOf(entry?.['threads'])];
    const absence = entry?.['missing'];
    if (all !== null) tids = all;
    else if (some !== null) apart.push({ threads: some, files: entry?.['files'] === true, places: entry?.['places'] === true });
    else if (typeof absence === 'string' && ABSENCES.includes(absence)) gone = missing(absence as Absence, path, typeof entry?.['detail'] === 'string' ? entry['detail'] : undefined);
    else return missing('malformed', path, line.slice(0, 80));
  }
  return { tids, apart: gone ?? apart };
}

/** `spaces.jsonl` of a capture: the processes of one address space (CLONE_VM), those that share one alone. Lines that are none are passed over. */
export function parseSpaces(text: string): ReadonlyMap<number, readonly number[]> {
  return new Map(text.split('\n').flatMap((line) => {
    const group = idsOf(valueOf(line));
    return group === null ? [] : group.map((id) => [id, group] as const);
  }));
}

function valueOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
