#!/usr/bin/env node
/** Process entry. `--version` answers before anything else is loaded; all else is in run.ts, or in quick.ts. */
import { CHILD_FLAG } from '../host/live/child-flag.ts';
import { quickOptions } from './quick-arguments.ts';
import { VERSION } from './version.ts';

const args = process.argv.slice(2);
const quick = quickOptions(args);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`unseat ${VERSION}\n`);
} else if (args[0] === CHILD_FLAG && args[1]?.endsWith('/explore/parallel/worker.ts') === true) {
  await (await import('../explore/parallel/worker.ts')).start();
} else if (args[0] === CHILD_FLAG) {
  const { runChild } = await import('../host/live/children.ts');
  await runChild(args[1], args[2]);
} else if (quick !== null) {
  const { runQuickly } = await import('./quick.ts');
  process.exitCode = await runQuickly(quick);
} else {
  const { run } = await import('./run.ts');
  process.exitCode = await run(args);
}
