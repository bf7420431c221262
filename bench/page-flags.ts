/**
 * Page flags of all memory against a C program: pages per second. Each is a process of its own; ours is
 * timed with and without the start of Node (C's time has its start in it).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleInto } from '../tools/bundle-into.ts';
import { median, skip, wrong } from './lib/stats.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 7);
const BUNDLE = join(import.meta.dirname, '../dist/bench');

if (process.geteuid?.() !== 0) skip('/proc/kpageflags needs root');
try {
  closeSync(openSync('/proc/kpageflags', 'r'));
} catch (error) {
  if ((error as { code?: string }).code === 'ENOENT') skip('this kernel has no /proc/kpageflags');
}
if (spawnSync('gcc', ['--version']).status !== 0) skip('gcc is not installed');

await bundleInto(BUNDLE, { 'page-flags': 'bench/lib/page-flags.ts' });
const directory = mkdtempSync(join(tmpdir(), 'unseat-bench-'));
const peer = join(directory, 'page-flags');
execFileSync('gcc', ['-O2', '-o', peer, join(import.meta.dirname, 'lib/page-flags.c')]);
const ours: number[] = [];
const theirs: number[] = [];
const whole: number[] = [];
let pages = 0;
for (let round = 0; round < ROUNDS; round += 1) {
  let started = performance.now();
  const [count = 0, , , reserved = 0] = execFileSync(peer, { encoding: 'utf8' }).trim().split(' ').map(Number);
  theirs.push(performance.now() - started);
  started = performance.now();
  const result = JSON.parse(execFileSync(process.execPath, [join(BUNDLE, 'page-flags.js')], { encoding: 'utf8' })) as { milliseconds: number; pages: number; counts: Record<string, number> };
  whole.push(performance.now() - started);
  ours.push(result.milliseconds);
  pages = result.pages;
  if (count !== result.pages) wrong(`the C reader saw ${count} pages, ours ${result.pages}`);
  // Memory is in use meanwhile, and free pages come and go: only what does not change can be compared.
  if (result.counts['reserved'] !== reserved) wrong(`reserved: C ${reserved}, ours ${result.counts['reserved']}`);
}
rmSync(directory, { recursive: true });
const speed = (milliseconds: number): string => `${(pages / milliseconds / 1000).toFixed(1)} M pages/s`;
console.log(`${pages} pages, medians of ${ROUNDS} rounds`);
console.log(`  C      ${speed(median(theirs))}`);
console.log(`  unseat ${speed(median(ours))}, with process start ${speed(median(whole))}`);
console.log(`pages/s of unseat over those of C: ${(median(theirs) / median(ours)).toFixed(2)} (target 0.95), with process start ${(median(theirs) / median(whole)).toFixed(2)}`);
