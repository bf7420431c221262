/**
 * The explorer against Spin on one protocol: users fault a page in, read it, take it by GUP-fast and put it; a remover takes
 * the device away, in the right order or the wrong one.
 *
 * First as a litmus file that the simulated kernel's own files run (bench/gup-removal.yaml and gup-removal.pml): the states
 * that differ in what the Promela model keeps must be as many as Spin's. Then as a program that has nothing but the
 * variables (src/explore/protocols/gup-removal.ts and gup-variables.pml), whose users are interchangeable.
 *
 * Needs spin and gcc. `node bench/explore-vs-spin.ts [--quick | --long] [--verdicts | --counts]`. CPU time, so that a busy machine matters less.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BreadthFirst } from '../src/explore/breadth-first.ts';
import type { Program, WithHeap } from '../src/explore/program.ts';
import { gupRemoval } from '../src/explore/protocols/gup-removal.ts';
import { searchReduced } from '../src/explore/reduced.ts';
import { gupProgram, projected, viewed, type Size } from './lib/gup-litmus.ts';

type Model = 'litmus' | 'variables';
/**
 * `count`: no property is looked at, as in Spin's count. `projected`: every state of the general kernel, and of those how
 * many differ in what the Promela model keeps. `view`: a run with the rest projected out. `exchange`: that, with users
 * exchanged, to the verdict.
 */
type How = 'count' | 'projected' | 'view' | 'verdict' | 'exchange' | 'symmetry' | 'both';
interface Measured { readonly states: number; readonly seconds: number; readonly bytes: number }

const quick = process.argv.includes('--quick');
const counting = !process.argv.includes('--verdicts');
const deciding = !process.argv.includes('--counts');
/** Sizes at which Spin takes minutes and gigabytes. */
const long = process.argv.includes('--long');
const self = resolve(import.meta.dirname, 'explore-vs-spin.ts');
const PML: Readonly<Record<Model, string>> = { litmus: resolve(import.meta.dirname, 'gup-removal.pml'), variables: resolve(import.meta.dirname, 'gup-variables.pml') };
const folder = mkdtempSync(join(tmpdir(), 'unseat-spin-'));
const sh = (script: string): string => {
  const run = spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (run.error) throw run.error;
  return run.stdout + run.stderr;
};

/** Spin's verifier: -o1 -o2 -o3 keep every variable and statement, as the count needs. `check`: stops at the error. */
function spin(model: Model, size: Size, options: { readonly reduce: boolean; readonly check: boolean }): Measured {
  const defines = `-DP=${size.processes} -DG=${size.pages}${size.right ? '' : ' -DWRONG'}${options.check ? ' -DCHECK' : ''}`;
  const out = sh(`spin ${defines} ${options.reduce ? '' : '-o1 -o2 -o3'} -a ${PML[model]} && gcc -O2 -DSAFETY ${options.reduce ? '' : '-DNOREDUCE'} -w -o pan pan.c && TIMEFORMAT='cpu %U %S'; time ./pan -m3000000 -w${size.processes * size.pages >= 4 ? 26 : 20}`);
  const states = /(\d+) states, stored/.exec(out)?.[1];
  const cpu = /cpu ([\d.]+) ([\d.]+)/.exec(out);
  const overhead = /State-vector (\d+) byte/.exec(out)?.[1];
  if (states === undefined || cpu === null || overhead === undefined) throw new Error(`spin said: ${out.slice(0, 2000)}`);
  // Spin's own figure for a stored state: the vector and 16 bytes of bookkeeping.
  return { states: Number(states), seconds: Number(cpu[1]) + Number(cpu[2]), bytes: Number(overhead) + 16 };
}

/** The explorer in a process of its own, start of the runtime left out. */
function explorer(model: Model, size: Size, how: How): Measured {
  const run = spawnSync(process.execPath, [self, '--one', model, JSON.stringify(size), how], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Measured;
}

function one(model: Model, size: Size, how: How): Measured {
  const before = process.cpuUsage();
  const taken = (states: number, bytes: number): Measured => {
    const used = process.cpuUsage(before);
    return { states, seconds: (used.user + used.system) / 1e6, bytes };
  };
  if (how === 'projected') {
    const { states, verdict } = projected(size);
    return taken(states, verdict.stats.bytesPerState);
  }
  const ofLitmus = how === 'view' || how === 'exchange' ? viewed(size, how === 'exchange') : gupProgram(size);
  const made = (model === 'litmus' ? ofLitmus : gupRemoval(size.processes, size.pages, size.right)) as unknown as Program<WithHeap>;
  const counts = how === 'count' || how === 'view';
  const program = counts ? { ...made, properties: [] } : made;
  const options = { now: () => 0, all: counts, symmetry: !['count', 'verdict'].includes(how) };
  const verdict = how === 'both' ? searchReduced(program, options) : new BreadthFirst(program, options).run();
  if (!counts && (verdict.violations.length === 0) !== size.right) throw new Error('the verdict is wrong');
  return taken(verdict.stats.states, verdict.stats.bytesPerState);
}

const name = (s: Size): string => `${s.processes} processes, ${s.pages} page${s.pages === 1 ? '' : 's'}, ${s.right ? 'right' : 'wrong'} order`;
const rate = (m: Measured): string => `${Math.round(m.states / m.seconds)}/s`;
const sizes = (...list: readonly (readonly [number, number, boolean])[]): Size[] => list.map(([processes, pages, right]) => ({ processes, pages, right }));

if (process.argv.includes('--one')) {
  const [model, size, how] = process.argv.slice(process.argv.indexOf('--one') + 1) as [Model, string, How];
  console.log(JSON.stringify(one(model, JSON.parse(size) as Size, how)));
} else {
  try {
    if (counting) litmusCounts();
    if (deciding) litmusVerdicts();
    if (counting) variablesCounts();
    if (deciding) variablesVerdicts();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function litmusCounts(): void {
  console.log("A litmus file, run by the simulated kernel (5.10). States without reductions: of the whole kernel those that differ in what the Promela model keeps, a run with the rest projected out, and Spin (-o1 -o2 -o3, NOREDUCE)");
  for (const size of sizes([2, 1, true], [2, 1, false], [2, 2, true], [3, 1, true], ...(quick ? [] : [[3, 1, false], [4, 1, true], [4, 1, false]] as const))) {
    const small = size.processes < 4;
    const whole = small || size.right ? explorer('litmus', size, 'count') : null;
    const ours = explorer('litmus', size, 'view');
    const theirs = spin('litmus', size, { reduce: false, check: false });
    const counts = [...(small ? [explorer('litmus', size, 'projected').states] : []), ours.states, theirs.states];
    const equal = counts.every((count) => count === theirs.states);
    const compared = (m: Measured): string => `${rate(m)}, ratio ${(m.states / m.seconds / (theirs.states / theirs.seconds)).toFixed(2)}; bytes per state ${m.bytes.toFixed(1)}, ratio ${(m.bytes / theirs.bytes).toFixed(2)}`;
    console.log(`  ${name(size)}: ${counts.join(', ')} ${equal ? 'equal' : 'DIFFERENT'}\n    projected out ${compared(ours)}${whole === null ? '' : `\n    with all ${whole.states} that the kernel tells apart ${compared(whole)}`}\n    Spin ${rate(theirs)}, ${theirs.bytes} bytes per state`);
    if (!equal) process.exitCode = 1;
  }
}

function litmusVerdicts(): void {
  console.log('A litmus file: CPU seconds to the verdict (here nothing reduced, and the rest projected out with users exchanged; Spin: partial order)');
  for (const size of sizes([3, 1, true], [4, 1, true], [3, 2, true], ...(quick ? [] : [[5, 1, true], [4, 2, true]] as const))) {
    const best = explorer('litmus', size, 'exchange');
    const plain = size.processes > 3 ? null : explorer('litmus', size, 'verdict');
    const theirs = spin('litmus', size, { reduce: true, check: true });
    console.log(`  ${name(size)}: ${plain === null ? '' : `${plain.states} states in ${plain.seconds.toFixed(2)} s, `}${best.states} in ${best.seconds.toFixed(2)} s; Spin ${theirs.states} in ${theirs.seconds.toFixed(2)} s; ratio ${(theirs.seconds / best.seconds).toFixed(1)}`);
  }
}

function variablesCounts(): void {
  console.log('Nothing but the variables of the protocol. States without reductions');
  for (const size of sizes([2, 1, true], [2, 2, true], [3, 1, true], [3, 2, false], ...(quick ? [] : [[4, 2, true]] as const))) {
    const ours = explorer('variables', size, 'count');
    const theirs = spin('variables', size, { reduce: false, check: false });
    console.log(`  ${name(size)}: ${ours.states} and ${theirs.states} ${ours.states === theirs.states ? 'equal' : 'DIFFERENT'}; ${rate(ours)} and ${rate(theirs)}, ratio ${(theirs.seconds / ours.seconds).toFixed(2)}; bytes per state ${ours.bytes.toFixed(1)} and ${theirs.bytes}, ratio ${(ours.bytes / theirs.bytes).toFixed(2)}`);
    if (ours.states !== theirs.states) process.exitCode = 1;
  }
}

function variablesVerdicts(): void {
  console.log('Nothing but the variables: CPU seconds to the verdict with the best reductions (here symmetry, alone and with partial order; Spin: partial order)');
  for (const size of sizes([3, 2, true], [4, 2, true], ...(quick ? [] : [[5, 1, true]] as const), ...(long ? [[5, 2, true]] as const : []))) {
    const symmetric = explorer('variables', size, 'symmetry');
    const both = explorer('variables', size, 'both');
    const theirs = spin('variables', size, { reduce: true, check: true });
    console.log(`  ${name(size)}: ${symmetric.states} states in ${symmetric.seconds.toFixed(2)} s (with both: ${both.states} in ${both.seconds.toFixed(2)} s); Spin ${theirs.states} in ${theirs.seconds.toFixed(2)} s; ratio ${(theirs.seconds / Math.min(symmetric.seconds, both.seconds)).toFixed(1)}`);
  }
}
