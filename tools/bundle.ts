/** `npm run build`: the package in dist/. Its entry is dist/unseat.cjs; the parts beside it are loaded when a command needs them. */
import { readdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { packageInto } from './package-into.ts';

const DIST = resolve(import.meta.dirname, '../dist');

rmSync(DIST, { recursive: true, force: true });
const bytes = await packageInto(DIST);
console.log(`dist/unseat.cjs and ${readdirSync(DIST).length - 1} files beside it, ${bytes} bytes`);
