/** Files that the user names on the command line (litmus tests, replays), and those that come with the program. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UnseatError } from '../../errors/unseat-error.ts';
import { errnoOf } from './absence.ts';

export interface Document {
  readonly path: string;
  readonly text: string;
}

/** A folder that is shipped beside the program (`litmus`, `scenarios`); null where it is not there. */
export function shippedFolder(name: string): string | null {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name)) && existsSync(join(folder, 'package.json'))) return join(folder, name);
    if (folder === dirname(folder)) return null;
  }
}

/**
 * Documents by path, by folder (all of its `.yaml`), or by the bare name of a shipped one; without names the whole
 * shipped folder.
 * @throws UnseatError NOT_FOUND, UNREADABLE
 */
export function readDocuments(names: readonly string[], shipped: string): Document[] {
  const folder = shippedFolder(shipped);
  const wanted = names.length > 0 ? names : folder === null ? [] : [folder];
  if (wanted.length === 0) throw new UnseatError('NOT_FOUND', `the folder ${shipped} is not there`, { next: 'Name the files.' });
  return wanted.flatMap((name) => pathsOf(name, folder)).map((path) => ({ path, text: readable(path, () => readFileSync(path, 'utf8')) }));
}

function readable<T>(path: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    throw new UnseatError('UNREADABLE', 'it cannot be read', { subject: path, cause: errnoOf(error), next: 'Make it readable for this user.' });
  }
}

function pathsOf(name: string, folder: string | null): string[] {
  const inside = folder === null ? null : join(folder, `${name}.yaml`);
  const path = existsSync(name) ? name : inside !== null && existsSync(inside) ? inside : null;
  if (path === null) throw new UnseatError('NOT_FOUND', 'there is no such file', { subject: name, ...(folder === null ? {} : { next: `The shipped ones are in ${folder}.` }) });
  if (!statSync(path).isDirectory()) return [path];
  return readable(path, () => readdirSync(path)).filter((file) => file.endsWith('.yaml')).sort().map((file) => join(path, file));
}
