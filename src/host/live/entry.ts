/**
 * How a process of our own is started again as a child. From sources the child is a file of its own; in the bundle it
 * is the same file with a hidden first argument (see cli/main.ts).
 */
import { basename, dirname, join } from 'node:path';
import { CHILD_FLAG } from './child-flag.ts';

/** Name of the bundle's entry, beside all its other parts (tools/bundle.ts). */
const BUNDLE = 'unseat.js';

/** Arguments for node: `source` is the path of the child's entry below src/host/live, as `child.ts`. */
export function childEntry(source: string): readonly [file: string, ...args: string[]] {
  const self = import.meta.filename;
  return basename(self) === 'entry.ts' ? [join(dirname(self), source)] : [join(dirname(self), BUNDLE), CHILD_FLAG, source];
}
