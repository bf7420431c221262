#!/usr/bin/env node
/** Process entry. `--version` answers before anything else is loaded; all else is in run.ts. */
import { CHILD_FLAG } from '../host/live/entry.ts';
import { VERSION } from './version.ts';

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`unseat ${VERSION}\n`);
} else if (args[0] === CHILD_FLAG) {
  // The bundle started by itself as a helper (host/live/entry.ts); from sources a helper is a file of its own.
  if (args[1] === 'tracer/main.ts') await import('../host/live/tracer/main.ts');
  else (await import('../host/live/child.ts')).serve(args[2]);
} else {
  const { run } = await import('./run.ts');
  process.exitCode = await run(args);
}
