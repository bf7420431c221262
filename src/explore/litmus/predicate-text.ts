/** A predicate as it is written: `stale-mapping`, `result remover is 0`, `not block-online ram0`, and several joined by `and`. */
import { z } from 'zod';

export const predicateText = z.string().regex(/^(not )?[a-z][a-z0-9-]*( [a-z0-9_.-]+)*$/, 'a predicate is [not ]NAME ARGUMENT... [and ...], all in lower case');

export interface PredicateLine {
  readonly name: string;
  readonly args: readonly string[];
  readonly not: boolean;
  readonly text: string;
}

/** The parts of a line between `and`. */
export const parsePredicates = (text: string): PredicateLine[] => text.split(' and ').map(parsePredicate);

export function parsePredicate(text: string): PredicateLine {
  const words = text.split(' ');
  const not = words[0] === 'not';
  const [name = '', ...args] = not ? words.slice(1) : words;
  return { name, args, not, text };
}
