/** Agent and tool as bundles: a guest under emulation is slow to strip types from hundreds of files, and a bundle stays as it is while sources are edited. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UnseatError } from '../../errors/unseat-error.ts';
import { projectRoot } from '../project.ts';

/** The agent, one file. */
export async function bundledAgent(): Promise<Uint8Array> {
  const { build } = await import('esbuild');
  const made = await build({ entryPoints: [join(projectRoot(), 'src/lab/guest/agent/main.ts')], bundle: true, platform: 'node', target: 'node24', format: 'esm', write: false, logLevel: 'silent' });
  const file = made.outputFiles[0];
  if (!file) throw new UnseatError('LAB', 'esbuild made no agent');
  return file.contents;
}

let unseat: Promise<string> | null = null;

/** The path of unseat's own bundle, made once per process below the project (where its native library is found) and removed at exit. */
export const bundledUnseat = (): Promise<string> => (unseat ??= makeUnseat());

async function makeUnseat(): Promise<string> {
  const folder = join(projectRoot(), '.lab', `unseat-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const { bundleInto } = (await import(join(projectRoot(), 'tools/bundle-into.ts'))) as { bundleInto: (folder: string, entries: Record<string, string>) => Promise<unknown> };
  await bundleInto(folder, { unseat: 'src/cli/main.ts', inside: 'src/lab/guest/inside.ts' });
  return join(folder, 'unseat.js');
}
