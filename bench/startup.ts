/**
 * Start-up of the package against `node -e 0`: `--version`, and `scan` of this machine. What a start costs is best seen
 * in the fastest of many: the median has the rest of the machine in it. Both are printed, and the processor time.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageInto } from '../tools/package-into.ts';
import { median, skip, wrong } from './lib/stats.ts';
import { timer, type Run } from './lib/timed.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 21);
const BUNDLE = join(import.meta.dirname, '../dist/bench-startup');
const CASES = { 'node -e 0': ['-e', '0'], '--version': [join(BUNDLE, 'unseat.cjs'), '--version'], 'scan': [join(BUNDLE, 'unseat.cjs'), 'scan'] } as const;

if (spawnSync('gcc', ['--version']).status !== 0) skip('gcc is not installed');
await packageInto(BUNDLE);
const timing = timer();
const runs = new Map<string, Run[]>(Object.keys(CASES).map((name) => [name, []]));
for (let round = -1; round < ROUNDS; round += 1) {
  for (const [name, args] of Object.entries(CASES)) {
    const run = timing.run(process.execPath, args);
    if (run.status !== 0) wrong(`${name} ended with ${run.status}: ${run.stderr.slice(0, 200)}`);
    if (name === '--version' && !/^unseat \d/.test(run.stdout)) wrong(`--version printed ${run.stdout.slice(0, 60)}`);
    // The first round only warms the page cache.
    if (round >= 0) runs.get(name)?.push(run);
  }
}
timing.end();

/** Fastest and median by the clock, least processor time. */
function figures(name: string): readonly [number, number, number] {
  const all = runs.get(name) ?? [];
  return [Math.min(...all.map((r) => r.wall)), median(all.map((r) => r.wall)), Math.min(...all.map((r) => r.cpu))];
}

console.log(`milliseconds, ${ROUNDS} rounds: fastest, median, least processor time`);
for (const name of runs.keys()) console.log(`  ${name.padEnd(10)} ${figures(name).map((value) => value.toFixed(1)).join(', ')}`);
const base = figures('node -e 0');
for (const [name, target] of [['--version', 1.2], ['scan', 1.6]] as const) {
  const [fastest, middle, cpu] = figures(name).map((value, i) => (value / (base[i] ?? NaN)).toFixed(2));
  console.log(`ratio of ${name} to node -e 0: fastest ${fastest}, median ${middle}, processor time ${cpu} (target ${target} by the clock)`);
}
