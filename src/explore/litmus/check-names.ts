/** What the schema cannot say: that every name used in a test is made in it, and every verb and predicate exists. */
import { REST_NAMES } from './at-rest.ts';
import { PREDICATES } from './predicates.ts';
import { parseOperation } from './operation.ts';
import { parsePredicates } from './predicate-text.ts';
import type { Litmus } from './schema.ts';
import { VERBS } from './verbs.ts';

export interface NameProblem {
  readonly path: string;
  readonly message: string;
  /** Text by which the line is found. */
  readonly near: string;
  readonly next: string;
}

/** The first problem, or null. */
export function checkNames(test: Litmus): NameProblem | null {
  for (const [thread, lines] of Object.entries(test.threads)) {
    for (const [i, text] of lines.entries()) {
      const { verb } = parseOperation(text);
      if (VERBS[verb] === undefined) return { path: `threads.${thread}[${i}]`, message: `there is no operation ${verb}`, near: text, next: `Known: ${Object.keys(VERBS).join(', ')}.` };
    }
  }
  for (const kind of ['never', 'sometimes', 'finally'] as const) {
    for (const [i, text] of test[kind].entries()) {
      const unknown = parsePredicates(text).find((p) => PREDICATES[p.name] === undefined);
      if (unknown !== undefined) return { path: `${kind}[${i}]`, message: `there is no predicate ${unknown.name}`, near: text, next: `Known: ${Object.keys(PREDICATES).join(', ')}.` };
    }
  }
  for (const name of test.daemons) if (test.threads[name] === undefined) return { path: 'daemons', message: `there is no thread ${name}`, near: name, next: 'Daemons are threads that may wait for ever.' };
  for (const [profile, verdict] of Object.entries(test.expect)) {
    if (verdict === 'ok') continue;
    const known = new Set<string>(['oops', 'hang', ...REST_NAMES, ...test.never, ...test.finally]);
    for (const name of verdict) if (!known.has(name)) return { path: `expect.${profile}`, message: `${name} is none of this test's properties`, near: name, next: `Take of ${[...known].join(', ')}.` };
  }
  const places = [...Object.keys(test.machine.pmem), ...Object.keys(test.machine.devdax), ...Object.values(test.machine.pmem).flatMap((p) => Object.keys(p.files))];
  for (const [name, p] of Object.entries(test.processes)) {
    for (const used of [p.maps, p.cwd, ...p.opens]) {
      if (used !== undefined && !places.includes(used)) return { path: `processes.${name}`, message: `there is no file or device ${used}`, near: used, next: `Known: ${places.join(', ')}.` };
    }
  }
  return null;
}
