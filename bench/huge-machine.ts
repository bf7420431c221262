/**
 * A made-up machine of 65,536 blocks and 20,000 processes, planned: the time and the memory it takes (targets: 2 s, 300 MB).
 * Three plans, each in a process of its own: a device with half of the blocks, one that 2,000 of the processes hold, and one that all hold.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { bundleInto } from '../tools/bundle-into.ts';
import { median, wrong } from './lib/stats.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const [BLOCKS, PROCESSES] = [65536, 20000];
const BUNDLE = join(import.meta.dirname, '../dist/bench');

interface Result { milliseconds: number; cpu: number; inventory: number; blocks: number; all: number; holders: number; ways: string[]; emptyBytes: number; peakBytes: number }

await bundleInto(BUNDLE, { 'huge-machine': 'bench/lib/huge-machine.ts' });
const measure = (device: string, every = 10): Result[] => Array.from({ length: ROUNDS }, () =>
  JSON.parse(execFileSync(process.execPath, [join(BUNDLE, 'huge-machine.js'), String(BLOCKS), String(PROCESSES), device, String(every)], { encoding: 'utf8' })) as Result);

const ram = measure('dax0.0');
const held = measure('dax1.0');
/** Beyond the target, to see how it grows. */
const heldByAll = measure('dax1.0', 1);
for (const { all, blocks, ways } of ram) {
  if (all !== BLOCKS || blocks !== BLOCKS / 2) wrong(`${all} blocks seen, ${blocks} of them on the device`);
  if (!ways.some((way) => Number(way.split(' ')[1]) > 0)) wrong(`no steps planned: ${ways.join(', ')}`);
}
for (const [results, expected] of [[held, PROCESSES / 10], [heldByAll, PROCESSES]] as const) for (const { holders } of results) if (holders !== expected) wrong(`${holders} holders found, not ${expected}`);

console.log(`${BLOCKS} blocks, ${PROCESSES} processes; medians of ${ROUNDS} processes each`);
const told = [['a device with half of the blocks', ram], ['a device with 2000 holders', held], ['a device with 20000 holders', heldByAll]].map(([what, results]) => tell(what as string, results as Result[]));
const ratios = told.slice(0, 2);
console.log(`ratio to the targets: time ${Math.max(...ratios.map((r) => r.time)).toFixed(2)} of 2 s, memory ${Math.max(...ratios.map((r) => r.memory)).toFixed(2)} of 300 MB`);

function tell(what: string, results: readonly Result[]): { time: number; memory: number } {
  const of = (value: (r: Result) => number): number => median(results.map(value));
  const [seconds, megabytes] = [of((r) => r.milliseconds) / 1000, of((r) => r.peakBytes) / 1e6];
  console.log(`  ${what}: steps ${results[0]?.ways.join(', ')}`);
  console.log(`    inventory and plan ${seconds.toFixed(2)} s (inventory ${(of((r) => r.inventory) / 1000).toFixed(2)} s), processor time of the main thread ${(of((r) => r.cpu) / 1000).toFixed(2)} s, peak resident ${megabytes.toFixed(0)} MB (before: ${(of((r) => r.emptyBytes) / 1e6).toFixed(0)} MB)`);
  return { time: seconds / 2, memory: megabytes / 300 };
}
