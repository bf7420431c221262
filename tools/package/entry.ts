#!/usr/bin/env node
/**
 * Entry of the package (dist/unseat.cjs). It answers `--version`, runs quick.ts from one file with the machine code that
 * V8 kept of it, and hands all else to the bundle of main.ts. A script, not a module: Node starts those sooner.
 */
import { plainStreams } from '../../src/host/live/standard-streams.ts';
import { quickOptions } from '../../src/cli/quick-arguments.ts';
import { loadQuick } from './kept-code.ts';
import { VERSION } from '../../src/cli/version.ts';

const args = process.argv.slice(2);
const quick = quickOptions(args);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  const line = `unseat ${VERSION}\n`;
  const plain = plainStreams(() => undefined);
  if (plain === null) process.stdout.write(line);
  else plain.out(line);
} else if (quick !== null) void loadQuick(__dirname).runQuickly(quick).then((status) => { process.exitCode = status; });
else void import('./unseat.js' as string);
