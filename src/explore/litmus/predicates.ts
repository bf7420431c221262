/** What litmus tests forbid or ask for, by name. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { PredicateLine } from './predicate-text.ts';
import { DEVICE_PREDICATES } from './predicates-devices.ts';
import { PAGE_PREDICATES } from './predicates-pages.ts';
import { PROCESS_PREDICATES } from './predicates-processes.ts';
import type { Holds, Predicate, Subjects } from './subjects.ts';

/** Names of the process or the device are optional where `[..]`. */
export const PREDICATES: Readonly<Record<string, Predicate>> = { ...PAGE_PREDICATES, ...DEVICE_PREDICATES, ...PROCESS_PREDICATES };

/** A predicate line as a function. @throws UnseatError BAD_SCENARIO */
function makePredicate(s: Subjects, line: PredicateLine): Holds {
  const predicate = PREDICATES[line.name];
  if (predicate === undefined) throw new UnseatError('BAD_SCENARIO', `there is no predicate ${line.name}`, { seen: line.text, next: `Known: ${Object.keys(PREDICATES).join(', ')}.` });
  const holds = predicate.make(s, line.args);
  return line.not ? (k, done) => !holds(k, done) : holds;
}

/** All of them hold in one state. */
export function makePredicates(s: Subjects, lines: readonly PredicateLine[]): Holds {
  const all = lines.map((line) => makePredicate(s, line));
  return all.length === 1 ? (all[0] as Holds) : (k, done) => all.every((holds) => holds(k, done));
}
