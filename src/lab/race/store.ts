/** The committed data of the races: one entry for each kernel, file system, kind and seed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFiles } from '../write-files.ts';
import type { RaceRun } from './run.ts';

export interface StoredRace extends RaceRun {
  /** ISO date, UTC. */
  readonly date: string;
}

const FILE = 'evidence/race.json';
const keyOf = (r: RaceRun): string => [r.what, r.kernel, r.fs, String(r.seed).padStart(10)].join(' ');

export function readRaces(folder: string): StoredRace[] {
  const path = join(folder, FILE);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { readonly races: StoredRace[] }).races : [];
}

/** A race with the same seed takes the place of the one before. */
export const addRace = (races: readonly StoredRace[], race: RaceRun, date = new Date().toISOString().slice(0, 10)): StoredRace[] =>
  [...races.filter((one) => keyOf(one) !== keyOf(race)), { ...race, date }].sort((a, b) => keyOf(a).localeCompare(keyOf(b), 'en', { numeric: true }));

export function writeRaces(folder: string, races: readonly StoredRace[], page: (races: readonly StoredRace[]) => string): void {
  const text = races.map((race) => JSON.stringify(race)).join(',\n');
  writeFiles(folder, [{ path: FILE, text: `{"races": [\n${text}\n]}\n` }, { path: 'docs/race.md', text: page(races) }]);
}
