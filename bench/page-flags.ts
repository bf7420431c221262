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
import { timer, type Run } from './lib/timed.ts';

interface Result { milliseconds: number; cpu: number; pages: number; counts: Record<string, number> }

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
const timing = timer();
const theirs: Run[] = [];
const whole: Run[] = [];
const ours: Result[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  const c = timing.run(peer, []);
  const node = timing.run(process.execPath, [join(BUNDLE, 'page-flags.js')]);
  const [pages = 0, , , reserved = 0] = c.stdout.trim().split(' ').map(Number);
  const result = JSON.parse(node.stdout) as Result;
  theirs.push(c);
  whole.push(node);
  ours.push(result);
  if (pages !== result.pages) wrong(`the C reader saw ${pages} pages, ours ${result.pages}`);
  // Memory is in use meanwhile, and free pages come and go: only what does not change can be compared.
  if (result.counts['reserved'] !== reserved) wrong(`reserved: C ${reserved}, ours ${result.counts['reserved']}`);
}
timing.end();
rmSync(directory, { recursive: true });
const pages = ours[0]?.pages ?? 0;
const speed = (values: readonly number[]): number => pages / median(values) / 1000;
const row = (name: string, wall: readonly number[], cpu: readonly number[]): string => `  ${name} ${speed(wall).toFixed(1)} by the clock, ${speed(cpu).toFixed(1)} by processor time`;
console.log(`${pages} pages, medians of ${ROUNDS} rounds, millions of pages a second`);
console.log(row('C                    ', theirs.map((r) => r.wall), theirs.map((r) => r.cpu)));
console.log(row('unseat               ', ours.map((r) => r.milliseconds), ours.map((r) => r.cpu)));
console.log(row('unseat, process start', whole.map((r) => r.wall), whole.map((r) => r.cpu)));
const over = (a: readonly number[], b: readonly number[]): string => (median(b) / median(a)).toFixed(2);
console.log(`pages/s of unseat over those of C: ${over(ours.map((r) => r.milliseconds), theirs.map((r) => r.wall))} by the clock, ${over(ours.map((r) => r.cpu), theirs.map((r) => r.cpu))} by processor time (target 0.95)`);
