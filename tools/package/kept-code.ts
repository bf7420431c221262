/** src/cli/quick.ts as one file, with what V8 made of it kept beside it (decision 0010). Only in the package. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import type * as Quick from '../../src/cli/quick.ts';

/** Put there by tools/package-into.ts: changes with the file, so that no code of another one is ever taken for it. */
declare const QUICK_HASH: string;
/** Of the script that this becomes part of. */
declare const require: (name: string) => unknown;

export interface LoadedQuick extends Pick<typeof Quick, 'runQuickly'> {
  /** False where V8 had to compile. */
  readonly kept: boolean;
  /** What V8 has made by now, to be written to `keptCode`. */
  code(): Uint8Array;
}

export const keptCode = (folder: string): string => join(folder, `quick-${QUICK_HASH}.${process.version}-${process.arch}.code`);

export function loadQuick(folder: string): LoadedQuick {
  const file = join(folder, `quick-${QUICK_HASH}.cjs`);
  const cachedData = contentOf(keptCode(folder));
  const script = new Script(readFileSync(file, 'latin1'), { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
  const module = { exports: {} as typeof Quick };
  // The file is one function of the names that a script of Node has; `here` is where the parts of the bundle lie.
  (script.runInThisContext() as (...names: unknown[]) => void)(module.exports, require, module, join(folder, 'unseat.js'), folder);
  return { runQuickly: (options) => module.exports.runQuickly(options), kept: cachedData !== undefined && script.cachedDataRejected === false, code: () => script.createCachedData() };
}

function contentOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
