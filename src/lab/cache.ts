/** Where the lab keeps what it downloads and builds: UNSEAT_LAB_CACHE, else below the XDG cache directory. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const cacheRoot = (env: Readonly<Record<string, string | undefined>> = process.env): string =>
  env['UNSEAT_LAB_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'unseat', 'lab');

/** A directory below the cache, made if it is not there. */
export function cacheFolder(...parts: readonly string[]): string {
  const folder = join(cacheRoot(), ...parts);
  mkdirSync(folder, { recursive: true });
  return folder;
}
