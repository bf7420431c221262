/**
 * The explorer against Spin on one protocol (src/explore/protocols/gup-removal.ts and gup-removal.pml): equal numbers of
 * states without reductions, then CPU time to the verdict with the best that each tool has, states per second and bytes
 * per state. Needs spin and gcc. `node bench/explore-vs-spin.ts [--quick]`. CPU time, so that a busy machine matters less.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BreadthFirst } from '../src/explore/breadth-first.ts';
import { gupRemoval } from '../src/explore/protocols/gup-removal.ts';
import { searchReduced } from '../src/explore/reduced.ts';
import type { Verdict } from '../src/explore/verdict.ts';

interface Size { readonly processes: number; readonly pages: number; readonly right: boolean }
interface Measured { readonly states: number; readonly seconds: number; readonly bytes: number }

const quick = process.argv.includes('--quick');
const self = resolve(import.meta.dirname, 'explore-vs-spin.ts');
const model = resolve(import.meta.dirname, 'gup-removal.pml');
const folder = mkdtempSync(join(tmpdir(), 'unseat-spin-'));
const sh = (script: string): string => {
  const run = spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (run.error) throw run.error;
  return run.stdout + run.stderr;
};

/** Spin's verifier: -o1 -o2 -o3 keep every variable and statement, as the count needs. `check`: stops at the error. */
function spin(size: Size, options: { readonly reduce: boolean; readonly check: boolean }): Measured {
  const defines = `-DP=${size.processes} -DG=${size.pages}${size.right ? '' : ' -DWRONG'}${options.check ? ' -DCHECK' : ''}`;
  const out = sh(`spin ${defines} ${options.reduce ? '' : '-o1 -o2 -o3'} -a ${model} && gcc -O2 -DSAFETY ${options.reduce ? '' : '-DNOREDUCE'} -w -o pan pan.c && TIMEFORMAT='cpu %U %S'; time ./pan -m3000000 -w${size.processes * size.pages >= 8 ? 26 : 20}`);
  const states = /(\d+) states, stored/.exec(out)?.[1];
  const cpu = /cpu ([\d.]+) ([\d.]+)/.exec(out);
  const overhead = /State-vector (\d+) byte/.exec(out)?.[1];
  if (states === undefined || cpu === null || overhead === undefined) throw new Error(`spin said: ${out.slice(0, 2000)}`);
  // Spin's own figure for a stored state: the vector and 16 bytes of bookkeeping.
  return { states: Number(states), seconds: Number(cpu[1]) + Number(cpu[2]), bytes: Number(overhead) + 16 };
}

/** The explorer in a process of its own, start of the runtime left out. */
function explorer(size: Size, how: 'full' | 'symmetry' | 'both'): Measured {
  const run = spawnSync(process.execPath, [self, '--one', JSON.stringify(size), how], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Measured;
}

function one(size: Size, how: string): Measured {
  const program = gupRemoval(size.processes, size.pages, size.right);
  const options = { now: () => 0, all: how === 'full', symmetry: how !== 'full' };
  const before = process.cpuUsage();
  const verdict: Verdict = how === 'both' ? searchReduced(program, options) : new BreadthFirst(program, options).run();
  const used = process.cpuUsage(before);
  if ((verdict.violations.length === 0) !== size.right) throw new Error('the verdict is wrong');
  return { states: verdict.stats.states, seconds: (used.user + used.system) / 1e6, bytes: verdict.stats.bytesPerState };
}

if (process.argv.includes('--one')) {
  const at = process.argv.indexOf('--one');
  console.log(JSON.stringify(one(JSON.parse(process.argv[at + 1] as string) as Size, process.argv[at + 2] as string)));
} else {
  try {
    compare();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compare(): void {
  const name = (s: Size): string => `${s.processes} processes, ${s.pages} pages, ${s.right ? 'right' : 'wrong'} order`;
  console.log('States without reductions (Spin: -o1 -o2 -o3, NOREDUCE)');
  for (const size of [[2, 1, true], [2, 2, true], [3, 1, true], [3, 2, false], ...(quick ? [] : [[4, 2, true] as const])].map(([processes, pages, right]) => ({ processes, pages, right }) as Size)) {
    const ours = explorer(size, 'full');
    const theirs = spin(size, { reduce: false, check: false });
    const rate = (m: Measured): string => `${Math.round(m.states / m.seconds)}/s`;
    console.log(`  ${name(size)}: ${ours.states} and ${theirs.states} ${ours.states === theirs.states ? 'equal' : 'DIFFERENT'}; ${rate(ours)} and ${rate(theirs)}, ratio ${(theirs.seconds / ours.seconds).toFixed(2)}; bytes per state ${ours.bytes.toFixed(1)} and ${theirs.bytes}, ratio ${(ours.bytes / theirs.bytes).toFixed(2)}`);
    if (ours.states !== theirs.states) process.exitCode = 1;
  }
  console.log('CPU seconds to the verdict with the best reductions (here symmetry, alone and with partial order; Spin: partial order)');
  for (const size of [{ processes: 3, pages: 2, right: true }, { processes: 4, pages: 2, right: true }, ...(quick ? [] : [{ processes: 5, pages: 1, right: true }, { processes: 5, pages: 2, right: true }])]) {
    const symmetric = explorer(size, 'symmetry');
    const both = explorer(size, 'both');
    const best = Math.min(symmetric.seconds, both.seconds);
    const theirs = spin(size, { reduce: true, check: true });
    console.log(`  ${name(size)}: ${symmetric.states} states in ${symmetric.seconds.toFixed(2)} s (with both: ${both.states} in ${both.seconds.toFixed(2)} s); Spin ${theirs.states} in ${theirs.seconds.toFixed(2)} s; ratio ${(theirs.seconds / best).toFixed(1)}`);
  }
}
