/** A made-up machine of 65,536 blocks and 20,000 processes, planned: the time and the memory it takes (targets: 2 s, 300 MB). */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { bundleInto } from '../tools/bundle-into.ts';
import { median, wrong } from './lib/stats.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const [BLOCKS, PROCESSES] = [65536, 20000];
const BUNDLE = join(import.meta.dirname, '../dist/bench');

interface Result { milliseconds: number; cpu: number; inventory: number; blocks: number; all: number; ways: string[]; emptyBytes: number; peakBytes: number }

await bundleInto(BUNDLE, { 'huge-machine': 'bench/lib/huge-machine.ts' });
const results = Array.from({ length: ROUNDS }, () => JSON.parse(execFileSync(process.execPath, [join(BUNDLE, 'huge-machine.js'), String(BLOCKS), String(PROCESSES)], { encoding: 'utf8' })) as Result);
for (const { all, blocks, ways } of results) {
  if (all !== BLOCKS || blocks !== BLOCKS / 2) wrong(`${all} blocks seen, ${blocks} of them on the device`);
  if (!ways.some((way) => Number(way.split(' ')[1]) > 0)) wrong(`no steps planned: ${ways.join(', ')}`);
}
const seconds = median(results.map((r) => r.milliseconds)) / 1000;
const megabytes = median(results.map((r) => r.peakBytes)) / 1e6;
console.log(`${BLOCKS} blocks, ${PROCESSES} processes, ${results[0]?.ways.join(', ') ?? ''} steps; medians of ${ROUNDS} processes`);
console.log(`  inventory and plan ${seconds.toFixed(2)} s (inventory ${(median(results.map((r) => r.inventory)) / 1000).toFixed(2)} s), processor time of the main thread ${(median(results.map((r) => r.cpu)) / 1000).toFixed(2)} s, peak resident ${megabytes.toFixed(0)} MB (before: ${(median(results.map((r) => r.emptyBytes)) / 1e6).toFixed(0)} MB)`);
console.log(`ratio to the targets: time ${(seconds / 2).toFixed(2)} of 2 s, memory ${(megabytes / 300).toFixed(2)} of 300 MB`);
