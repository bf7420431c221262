/** The source tree: guests run from it, so the lab works from a clone, not from the bundle. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UnseatError } from '../errors/unseat-error.ts';
import { randomByName } from '../scenario/random.ts';
import { readScenario } from '../scenario/read.ts';
import type { Scenario } from '../scenario/scenario.ts';

export function projectRoot(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'src/lab/guest/init.sh'))) return folder;
    if (folder === dirname(folder)) break;
  }
  throw new UnseatError('LAB', 'the lab needs the source tree of unseat', { next: 'Run it from a clone: npm run unseat -- lab ...' });
}

/** Every scenario of the project, the written ones by name and then the random ones. */
export const allScenarios = (): Scenario[] => [...scenariosIn('scenarios'), ...scenariosIn('scenarios/random')];

function scenariosIn(path: string): Scenario[] {
  const folder = join(projectRoot(), path);
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml')).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return names.map((name) => readScenario(readFileSync(join(folder, name), 'utf8'), name));
}

/** @param name of a scenario of the project, `random-17`, or the path of a scenario file */
export function scenarioNamed(name: string): Scenario {
  const random = randomByName(name);
  if (random) return random;
  const inside = join(projectRoot(), 'scenarios', `${name}.yaml`);
  const path = existsSync(inside) ? inside : resolve(name);
  if (!existsSync(path)) throw new UnseatError('NOT_FOUND', 'there is no such scenario', { subject: name, next: "List them with 'unseat lab list'." });
  return readScenario(readFileSync(path, 'utf8'), name);
}
