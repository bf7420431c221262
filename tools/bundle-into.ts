/** How our sources become a bundle: for the package and for benchmarks that measure what is shipped. */
import { isBuiltin } from 'node:module';
import { resolve } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

export const ROOT = resolve(import.meta.dirname, '..');

/**
 * commander loads child_process for commands that are programs of their own, which we have none of; it takes a tenth
 * of the start-up. It is loaded when commander would really use it.
 */
export const lateChildProcess: Plugin = {
  name: 'late-child-process',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) => (importer.includes('/node_modules/commander/') ? { path, namespace: 'late' } : undefined));
    onLoad({ filter: /.*/, namespace: 'late' }, () => ({ contents: "module.exports = { spawn: (...args) => process.getBuiltinModule('node:child_process').spawn(...args) };" }));
  },
};

/**
 * An `import` of a builtin makes Node read every property of it, among them those that load more when they are read:
 * `node:fs` brings all streams and promises along, several milliseconds of each start. getBuiltinModule hands out the
 * module as it is, and here only what is used of it is read. Type-checked sources keep their plain imports.
 */
const builtinsAsTheyAre: Plugin = {
  name: 'builtins-as-they-are',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) => (kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'builtin', sideEffects: false } : undefined));
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({ contents: reexports(path) }));
  },
};

/** One constant for each export, which esbuild leaves out where nobody imports it. */
function reexports(name: string): string {
  const whole: object = process.getBuiltinModule(name) ?? {};
  // Accessors (fs.promises) are those that load something: they are no exports here, and esbuild tells who asks for one.
  const names = Object.entries(Object.getOwnPropertyDescriptors(whole)).filter(([key, { get }]) => get === undefined && /^[A-Za-z_$][\w$]*$/.test(key) && key !== 'default').map(([key]) => key);
  return [
    `const whole = /* @__PURE__ */ process.getBuiltinModule(${JSON.stringify(name)});`,
    'export { whole as default };',
    'const of = (key) => whole[key];',
    ...names.map((key) => `const $${key} = /* @__PURE__ */ of(${JSON.stringify(key)}); export { $${key} as ${key} };`),
  ].join('\n');
}

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
    plugins: [lateChildProcess, builtinsAsTheyAre],
    // Libraries written for require() need it in an ES module.
    banner: { js: "const require = (name) => process.getBuiltinModule(name) ?? process.getBuiltinModule('node:module').createRequire(import.meta.url)(name);" },
  });
  return metafile;
}
