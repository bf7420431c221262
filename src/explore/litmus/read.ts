/** Reads a litmus test from YAML text. */
import { UnseatError } from '../../errors/unseat-error.ts';
import { readYaml } from '../../scenario/read.ts';
import { checkNames } from './check-names.ts';
import { litmus, type Litmus } from './schema.ts';

/**
 * @param file only for messages
 * @throws UnseatError BAD_SCENARIO, with file and line where one can be named
 */
export function readLitmus(text: string, file: string): Litmus {
  const test = readYaml(text, file, litmus, { schema: 'schema/litmus.json', docs: 'docs/litmus.md' });
  const problem = checkNames(test);
  if (problem !== null) {
    const at = text.split('\n').findIndex((line) => line.includes(problem.near)) + 1;
    throw new UnseatError('BAD_SCENARIO', `line ${Math.max(1, at)}, ${problem.path}: ${problem.message}`, { subject: file, seen: problem.near, next: problem.next });
  }
  return test;
}
