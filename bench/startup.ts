/**
 * Start-up of the bundle against `node -e 0`: `--version`, and `scan` of this machine. What a start costs is best seen
 * in the fastest of many: the median has the rest of the machine in it. Both are printed.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bundleInto } from '../tools/bundle-into.ts';
import { median, ratio, wrong } from './lib/stats.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 21);
const BUNDLE = join(import.meta.dirname, '../dist/bench');
const CASES = { 'node -e 0': ['-e', '0'], '--version': [join(BUNDLE, 'unseat.js'), '--version'], 'scan': [join(BUNDLE, 'unseat.js'), 'scan'] } as const;

await bundleInto(BUNDLE, { unseat: 'src/cli/main.ts' });
const times = new Map<string, number[]>(Object.keys(CASES).map((name) => [name, []]));
for (let round = -1; round < ROUNDS; round += 1) {
  for (const [name, args] of Object.entries(CASES)) {
    const started = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const milliseconds = performance.now() - started;
    if (status !== 0) wrong(`${name} ended with ${status}: ${stderr.slice(0, 200)}`);
    if (name === '--version' && !/^unseat \d/.test(stdout)) wrong(`--version printed ${stdout.slice(0, 60)}`);
    // The first round only warms the page cache.
    if (round >= 0) times.get(name)?.push(milliseconds);
  }
}
const base = times.get('node -e 0') ?? [];
console.log(`milliseconds, ${ROUNDS} rounds`);
for (const [name, values] of times) console.log(`  ${name.padEnd(10)} fastest ${Math.min(...values).toFixed(1)}, median ${median(values).toFixed(1)}`);
for (const [name, target] of [['--version', 1.2], ['scan', 1.6]] as const) {
  const values = times.get(name) ?? [];
  console.log(`ratio of ${name} to node -e 0: fastest ${(Math.min(...values) / Math.min(...base)).toFixed(2)}, median ${ratio(values, base)} (target ${target})`);
}
