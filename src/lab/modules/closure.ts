/** Which module files a guest needs, in the order in which they must be loaded. Read from the modules themselves: packages carry no modules.dep. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { mustRun } from '../program.ts';
import { parseModinfo, plainName } from './modinfo.ts';

export interface LoadableModule {
  readonly name: string;
  /** Uncompressed. */
  readonly bytes: Uint8Array;
}

export interface Closure {
  /** In load order. */
  readonly modules: readonly LoadableModule[];
  /** Asked for and neither a module nor built in. */
  readonly missing: readonly string[];
}

const nameOf = (file: string): string => plainName((file.split('/').at(-1) ?? '').replace(/\.ko(\.(xz|zst|gz))?$/, ''));

/** @param folder the directory with `kernel/`, or null for a kernel without modules */
export async function moduleClosure(folder: string | null, wanted: readonly string[]): Promise<Closure> {
  if (folder === null) return { modules: [], missing: [...wanted] };
  const files = new Map(readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => /\.ko(\.\w+)?$/.test(f)).map((f) => [nameOf(f), join(folder, f)]));
  const list = join(folder, 'modules.builtin');
  const builtin = new Set(existsSync(list) ? readFileSync(list, 'utf8').split('\n').map(nameOf) : []);
  const modules: LoadableModule[] = [];
  const missing: string[] = [];
  const seen = new Set<string>();
  const visit = async (name: string, asked: boolean): Promise<void> => {
    if (seen.has(name) || builtin.has(name)) return;
    seen.add(name);
    const file = files.get(name);
    if (file === undefined) {
      if (asked) missing.push(name);
      return;
    }
    const bytes = await decompressed(file);
    const info = parseModinfo(bytes);
    for (const other of [...(info?.before ?? []), ...(info?.depends ?? [])]) await visit(other, false);
    modules.push({ name, bytes });
  };
  for (const name of wanted) await visit(plainName(name), true);
  return { modules, missing };
}

async function decompressed(file: string): Promise<Uint8Array> {
  const bytes = readFileSync(file);
  if (file.endsWith('.zst')) return zstdDecompressSync(bytes);
  if (!file.endsWith('.xz') && !file.endsWith('.gz')) return bytes;
  const unpacked = await mustRun(file.endsWith('.xz') ? 'xz' : 'gzip', ['-dc', file], { binary: true });
  return Buffer.from(unpacked, 'latin1');
}
