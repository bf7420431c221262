/** How our sources become a bundle: for the package and for benchmarks that measure what is shipped. */
import { resolve } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');

/**
 * commander loads child_process for commands that are programs of their own, which we have none of; it takes a tenth
 * of the start-up. It is loaded when commander would really use it.
 */
const lateChildProcess: Plugin = {
  name: 'late-child-process',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) => (importer.includes('/node_modules/commander/') ? { path, namespace: 'late' } : undefined));
    onLoad({ filter: /.*/, namespace: 'late' }, () => ({ contents: "module.exports = { spawn: (...args) => process.getBuiltinModule('node:child_process').spawn(...args) };" }));
  },
};

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
    plugins: [lateChildProcess],
    // Libraries written for require() need it in an ES module.
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  });
  return metafile;
}
