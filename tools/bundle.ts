/**
 * `npm run build`: the package as two files. `dist/unseat.js` answers `--version` and hands over to `dist/unseat-main.js`
 * with V8's code cache on; all of our own code and the libraries are in the latter, koffi (machine code) stays outside.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST, { recursive: true });
const result = await build({
  absWorkingDir: ROOT,
  entryPoints: { unseat: 'src/cli/main.ts' },
  outdir: DIST,
  bundle: true,
  splitting: true,
  chunkNames: 'unseat-[hash]',
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
chmodSync(join(DIST, 'unseat.js'), 0o755);
writeFileSync(join(DIST, 'meta.json'), JSON.stringify(result.metafile));
for (const [file, { bytes }] of Object.entries(result.metafile.outputs)) console.log(`${file} ${bytes} bytes`);
