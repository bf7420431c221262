/** How our sources become a bundle: for the package and for benchmarks that measure what is shipped. */
import { resolve } from 'node:path';
import { build, type Metafile } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');

/** `entries`: name of the output to source file, relative to the repository. koffi (machine code) stays outside. */
export async function bundleInto(outdir: string, entries: Readonly<Record<string, string>>): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { ...entries },
    outdir,
    bundle: true,
    // A part for each room that a command loads by itself: start-up reads little.
    splitting: true,
    chunkNames: 'part-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['koffi'],
    minify: true,
    legalComments: 'linked',
    metafile: true,
    // Libraries written for require() need it in an ES module.
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  });
  return metafile;
}
