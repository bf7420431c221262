/** The package in a folder: the bundle, and beside it what starts `--version` and `scan` sooner (decision 0010). */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { bundleInto, ROOT } from './bundle-into.ts';

/** What src/cli/quick.ts can load by itself; everything else is for command lines that it is not started for. */
const WITHIN = new Set(['../host/live/open.ts']);

const nothingElse: Plugin = {
  name: 'nothing-else',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ path, kind }) => (kind === 'dynamic-import' && !WITHIN.has(path) ? { path, namespace: 'elsewhere' } : undefined));
    onLoad({ filter: /./, namespace: 'elsewhere' }, ({ path }) => ({ contents: `throw new Error(${JSON.stringify(`${path} is not in the quick part`)});` }));
  },
};

const COMMON = { absWorkingDir: ROOT, bundle: true, format: 'cjs', platform: 'node', target: 'node24', minify: true, external: ['koffi', './unseat.js'], write: false, legalComments: 'none' } satisfies BuildOptions;

/** One script, as text. */
async function script(entry: string, options: BuildOptions): Promise<string> {
  const { outputFiles = [] } = await build({ ...COMMON, ...options, entryPoints: [entry], write: false });
  return outputFiles[0]?.text ?? '';
}

/** Bytes written, the kept code not counted. */
export async function packageInto(outdir: string): Promise<number> {
  const { outputs } = await bundleInto(outdir, { unseat: 'src/cli/main.ts' });
  mkdirSync(outdir, { recursive: true });
  // One function of the names that a script of Node has.
  const quick = await script('src/cli/quick.ts', {
    define: { 'import.meta.url': '__filename', 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' },
    plugins: [nothingElse],
    banner: { js: '(function(exports,require,module,__filename,__dirname){' },
    footer: { js: '})' },
  });
  const hash = createHash('sha256').update(quick).digest('hex').slice(0, 16);
  const define = { QUICK_HASH: JSON.stringify(hash) };
  const entry = await script('tools/package/entry.ts', { define });
  const keep = await script('tools/package/keep-code.ts', { define });
  for (const [name, text] of [[`quick-${hash}.cjs`, quick], ['unseat.cjs', entry], ['keep-code.cjs', keep]] as const) writeFileSync(join(outdir, name), text);
  chmodSync(join(outdir, 'unseat.cjs'), 0o755);
  // For this Node; an install makes it again for the one that is there (package.json, postinstall).
  spawnSync(process.execPath, [join(outdir, 'keep-code.cjs')], { stdio: 'ignore' });
  return Object.values(outputs).reduce((sum, output) => sum + output.bytes, quick.length + entry.length + keep.length);
}
