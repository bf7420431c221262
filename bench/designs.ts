/**
 * `node bench/designs.ts [--small] [--limit SECONDS] [--entry 2m|4k] [--only sizes|growth] [--out FILE]`: the designs of
 * removal on a 1 TiB fsdax device that 1,000 processes map at 2 MiB, and on one of 64 GiB that they map at 4 KiB: time,
 * memory, operations counted, and growth. The peer of each is the cheapest of those that leave no mapping behind, in the
 * same run. Each row is printed when it is there; with --out it is kept as well, and a run that is started again takes
 * what the file has.
 */
import { execFile } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadavg } from 'node:os';
import { promisify } from 'node:util';
import { GiB, MiB } from '../src/range/units.ts';
import { AXES, growths, type Axis } from './lib/design-growth.ts';
import { DESIGNS, type Design } from './lib/design-promises.ts';
import type { Cell, CellResult } from './lib/designs.ts';
import { wrong } from './lib/stats.ts';

const option = (name: string): string | undefined => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const small = process.argv.includes('--small');
const LIMIT = Number(option('--limit') ?? 60);
const only = option('--only');
const entry = option('--entry');
const out = option('--out');
const run = promisify(execFile);

interface Layout {
  readonly entry: Cell['entry'];
  readonly device: number;
  readonly processes: number;
  readonly inodes: number;
  /** Device, mapped part, idle files and processes that growth begins with. */
  readonly base: Omit<Cell, 'profile' | 'fs' | 'entry'>;
}
const LAYOUTS: readonly Layout[] = [
  { entry: '2m', device: (small ? 64 : 1024) * GiB, processes: small ? 20 : 1000, inodes: 1000, base: { device: 16 * GiB, mapped: 1 * GiB, inodes: 500, processes: 16 } },
  { entry: '4k', device: (small ? 2 : 64) * GiB, processes: small ? 20 : 1000, inodes: 1000, base: { device: 4 * GiB, mapped: 128 * MiB, inodes: 500, processes: 16 } },
];

/** What a run before this one has kept, by what was asked. */
const kept = new Map<string, unknown>(out === undefined || !existsSync(out) ? [] : readFileSync(out, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as [string, unknown]));
async function keep<T>(what: unknown, make: () => Promise<T> | T): Promise<T> {
  const key = JSON.stringify(what);
  if (kept.has(key)) return kept.get(key) as T;
  const value = await make();
  if (out !== undefined) appendFileSync(out, `${JSON.stringify([key, value])}\n`);
  return value;
}

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(milliseconds < 9950 ? 2 : 1);
const progress = (text: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);

/** Null where it did not end within the limit. */
async function inChild(cell: Cell): Promise<CellResult | null> {
  try {
    // Processor time: by the clock a loaded machine would decide what is measured. A waiting child ends by the clock at last.
    const { stdout } = await run('/bin/sh', ['-c', 'ulimit -t "$1"; shift; exec "$@"', 'sh', String(LIMIT), process.execPath, join(import.meta.dirname, 'lib/designs.ts'), JSON.stringify(cell)], { timeout: LIMIT * 20_000, killSignal: 'SIGKILL' });
    return JSON.parse(stdout) as CellResult;
  } catch (error) {
    const { killed, signal } = error as { killed?: boolean; signal?: string };
    if (killed === true || signal === 'SIGXCPU' || signal === 'SIGKILL') return null;
    throw error;
  }
}

function judge(design: Design, layout: Layout, result: CellResult): void {
  const what = `${design.name} at ${layout.entry}`;
  if (result.mapped === 0) wrong(`${what}: nothing was mapped`);
  if (design.leaves === 'none' && result.left !== 0) wrong(`${what}: ${result.left} of ${result.mapped} mapped pages are left`);
  if (design.leaves === 'all' && result.left !== result.mapped) wrong(`${what}: ${result.left} of ${result.mapped} mapped pages are left, all were to be`);
  if (result.ended !== 'returned 0') wrong(`${what}: ${result.ended}`);
}

const HEAD = `  ${'design'.padEnd(30)} ${'cpu s'.padStart(7)} ${'clock s'.padStart(8)} ${'operations'.padStart(15)} ${'words'.padStart(10)} ${'more'.padStart(8)} ${'RSS MB'.padStart(7)}  left`;
const row = (design: Design, r: CellResult): string =>
  `  ${design.name.padEnd(30)} ${seconds(r.cpu).padStart(7)} ${seconds(r.milliseconds).padStart(8)} ${String(r.operations).padStart(15)} ${String(r.words).padStart(10)} ${String(r.moreWords).padStart(8)} ${(r.rss / 1e6).toFixed(0).padStart(7)}  ${r.left === 0 ? 'none' : r.left === r.mapped ? 'all' : String(r.left)}`;

async function sizes(layout: Layout): Promise<void> {
  console.log(`\n${layout.device / GiB} GiB, ${layout.processes} processes, entries of ${layout.entry === '2m' ? '2 MiB' : '4 KiB'}, ${layout.inodes} idle files\n${HEAD}`);
  const all: { design: Design; result: CellResult }[] = [];
  for (const design of DESIGNS) {
    progress(`${design.name} at ${layout.entry}`);
    const cell: Cell = { profile: design.profile, fs: design.fs, device: layout.device, mapped: null, entry: layout.entry, processes: layout.processes, inodes: layout.inodes };
    const result = await keep(cell, () => inChild(cell));
    if (result === null) {
      wrong(`${design.name} at ${layout.entry}: did not end within ${LIMIT} s of processor time`);
      continue;
    }
    judge(design, layout, result);
    all.push({ design, result });
    console.log(row(design, result));
  }
  tellRatios(all);
}

/** Operations and processor time over those of the cheapest design that leaves nothing. */
function tellRatios(all: readonly { design: Design; result: CellResult }[]): void {
  const working = all.filter(({ design }) => design.leaves === 'none').toSorted((a, b) => a.result.operations - b.result.operations);
  const peer = working[0];
  if (peer === undefined) return;
  console.log(`  to ${peer.design.name}, operations and processor time: ${working.slice(1).map(({ design, result }) => `${design.name} ${(result.operations / peer.result.operations).toFixed(2)} ${(result.cpu / peer.result.cpu).toFixed(2)}`).join('; ')}`);
}

const ratio = (a: number, b: number): string => (a === 0 && b === 0 ? '-' : (b / a).toFixed(2));
async function tellGrowth(design: Design, layout: Layout): Promise<string> {
  const cells: string[] = [];
  for (const axis of AXES) {
    const base: Cell = { profile: design.profile, fs: design.fs, entry: layout.entry, ...layout.base };
    const points = await keep([base, axis], () => growths(base, axis));
    cells.push(growthCell(design, layout, axis, points));
  }
  return `  ${design.name.padEnd(30)} ${cells.join(' ')}`;
}

function growthCell(design: Design, layout: Layout, axis: Axis, points: readonly { operations: number; milliseconds: number }[]): string {
  const [a, b, c] = points.map((p) => p.operations) as [number, number, number];
  const grows = design.grows.includes(axis);
  // Straight: the second step is twice as long as the first. Constant: no step (an allocation group more or less aside).
  const holds = grows ? b > a && Math.abs((c - b) / (b - a) - 2) < 0.05 : c === a || Math.abs(c / a - 1) < 0.001;
  if (!holds) wrong(`${design.name} at ${layout.entry}: operations ${a}, ${b}, ${c} with ${axis} x1, x2, x4; promised ${grows ? 'a straight line' : 'constant'}`);
  const [s, t, u] = points.map((p) => p.milliseconds) as [number, number, number];
  return `${grows ? `~${axis}` : 'constant'}: ${ratio(a, b)} ${ratio(a, c)}, time ${ratio(s, t)} ${ratio(s, u)}`.padEnd(42);
}

async function growth(layout: Layout): Promise<void> {
  const { base } = layout;
  console.log(`\n  entries of ${layout.entry}: growth x2, x4 from ${base.device / GiB} GiB, ${(base.mapped ?? 0) / MiB} MiB mapped, ${base.inodes} idle files, ${base.processes} processes; promise by device | mapped pages | inodes | processes: operations, time (processor)`);
  for (const design of DESIGNS) {
    progress(`growth of ${design.name} at ${layout.entry}`);
    console.log(await tellGrowth(design, layout));
  }
}

console.log(`limit ${LIMIT} s of processor time for each cell, set-up included; load ${loadavg()[0]?.toFixed(1)}; "more": heap words (4 bytes) that the removal added`);
for (const layout of LAYOUTS.filter((l) => entry === undefined || l.entry === entry)) {
  if (only !== 'growth') await sizes(layout);
  if (only !== 'sizes') await growth(layout);
}
console.log(`load at the end ${loadavg()[0]?.toFixed(1)}`);
