/** `npm run build`: the package in dist/. Its entry is dist/unseat.js; the parts beside it are loaded when a command needs them. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundleInto } from './bundle-into.ts';

const DIST = resolve(import.meta.dirname, '../dist');

rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST, { recursive: true });
const { outputs } = await bundleInto(DIST, { unseat: 'src/cli/main.ts' });
chmodSync(join(DIST, 'unseat.js'), 0o755);
const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0);
console.log(`dist/unseat.js and ${Object.keys(outputs).length - 1} parts, ${bytes} bytes`);
