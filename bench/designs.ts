/**
 * `node bench/designs.ts [--small] [--limit SECONDS] [--entry 2m|4k] [--only sizes|growth]`: the designs of removal on a 1 TiB fsdax device that 1,000 processes
 * map at 2 MiB, and on one of 64 GiB that 2 processes map at 4 KiB: time, memory, operations counted, and growth. The
 * peer of each is the cheapest of those that leave no mapping behind, in the same run.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { loadavg } from 'node:os';
import { promisify } from 'node:util';
import { GiB, MiB } from '../src/range/units.ts';
import { AXES, growths, type Axis } from './lib/design-growth.ts';
import { DESIGNS, type Design } from './lib/design-promises.ts';
import type { Cell, CellResult } from './lib/designs.ts';
import { wrong } from './lib/stats.ts';

const small = process.argv.includes('--small');
const limitAt = process.argv.indexOf('--limit');
const LIMIT = limitAt < 0 ? 60 : Number(process.argv[limitAt + 1]);
const option = (name: string): string | undefined => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const only = option('--only');
const entry = option('--entry');
/** The least part of a device that is tried; what it takes tells how large a part is worth trying. */
const LEAST = small ? 16 : 64;
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
  { entry: '4k', device: (small ? 2 : 64) * GiB, processes: 2, inodes: 1000, base: { device: 2 * GiB, mapped: 32 * MiB, inodes: 500, processes: 2 } },
];

interface Done {
  readonly design: Design;
  /** One over the part of the device that was run: 1 for all of it. */
  readonly part: number;
  readonly operations: number;
  readonly milliseconds: number;
  readonly result: CellResult;
  readonly reason: string;
}

const faulted = (design: Design, entry: Cell['entry']): boolean => entry === '4k' && design.faultsAt4k === true;
const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(milliseconds < 9950 ? 2 : 1);
const cellOf = (design: Design, layout: Layout, part: number): Cell => ({
  profile: design.profile, fs: design.fs, device: layout.device / part, mapped: null, entry: layout.entry, processes: layout.processes, inodes: layout.inodes,
  ...(faulted(design, layout.entry) ? { faults: true } : {}),
});

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

/** The whole device, or the largest part (a half, a quarter...) that ends within the limit. */
async function largest(design: Design, layout: Layout): Promise<Done | null> {
  const least = await inChild(cellOf(design, layout, LEAST));
  if (least === null) return null;
  const whole = (least.setupCpu + least.cpu) * LEAST;
  let part = 1;
  // Short runs are slow for their size (nothing is compiled yet): try even what looks twice too long.
  while (whole / part > LIMIT * 2000 && part < LEAST) part *= 2;
  for (; part < LEAST; part *= 2) {
    process.stderr.write(`${design.name} at ${layout.entry}: 1/${part} of the device, ${layout.processes} processes\n`);
    const result = await inChild(cellOf(design, layout, part));
    if (result === null) continue;
    // Operations are a straight line in the pages: two points tell the third.
    const slope = (result.operations - least.operations) / (1 / part - 1 / LEAST);
    return { design, part, operations: part === 1 ? result.operations : Math.round(result.operations + slope * (1 - 1 / part)), milliseconds: result.milliseconds * part, result, reason: why(least) };
  }
  return { design, part: LEAST, operations: least.operations * LEAST, milliseconds: least.milliseconds * LEAST, result: least, reason: why(least) };
}

/** Which of the counts makes it so long. */
function why(result: CellResult): string {
  const most = Object.entries(result.costs).filter(([name]) => name !== 'signalsSent' && name !== 'healthyZapped').toSorted((a, b) => b[1] - a[1])[0];
  return most === undefined || most[1] === 0 ? `set-up takes ${seconds(result.setup)} s of it at 1/${LEAST}` : `mostly ${most[0]}, ${most[1]} at 1/${LEAST}; set-up there ${seconds(result.setup)} s, removal ${seconds(result.milliseconds)} s`;
}

function judge(done: Done, layout: Layout): void {
  const { design, result } = done;
  const what = `${design.name} at ${layout.entry}`;
  if (result.mapped === 0) wrong(`${what}: nothing was mapped`);
  if (design.leaves === 'none' && result.left !== 0) wrong(`${what}: ${result.left} of ${result.mapped} mapped pages are left`);
  if (design.leaves === 'all' && result.left !== result.mapped) wrong(`${what}: ${result.left} of ${result.mapped} mapped pages are left, all were to be`);
  if (result.ended !== 'returned 0') wrong(`${what}: ${result.ended}`);
}

function tell(all: readonly Done[]): void {
  const working = all.filter((d) => d.design.leaves === 'none');
  const peer = working.toSorted((a, b) => a.operations - b.operations)[0];
  console.log(`  ${'design'.padEnd(30)} ${'part'.padStart(5)} ${'seconds'.padStart(9)} ${'cpu s'.padStart(7)} ${'operations'.padStart(15)} ${'to peer: ops'.padStart(12)} ${'time'.padStart(7)} ${'words'.padStart(10)} ${'more'.padStart(11)} ${'RSS MB'.padStart(7)}  left`);
  for (const d of all) {
    const about = d.part === 1 ? '' : '~';
    const to = (ours: number, theirs: number | undefined): string => (d === peer ? 'peer' : theirs === undefined || theirs === 0 ? '-' : `${about}${(ours / theirs).toFixed(2)}`);
    console.log(`  ${d.design.name.padEnd(30)} ${(d.part === 1 ? 'whole' : `1/${d.part}`).padStart(5)} ${`${about}${seconds(d.milliseconds)}`.padStart(9)} ${seconds(d.result.cpu).padStart(7)} ${`${about}${d.operations}`.padStart(15)} `
      + `${to(d.operations, peer?.operations).padStart(12)} ${to(d.milliseconds, peer?.milliseconds).padStart(7)} ${String(d.result.words).padStart(10)} ${String(d.result.moreWords).padStart(11)} ${(d.result.rss / 1e6).toFixed(0).padStart(7)}  ${d.result.left === 0 ? 'none' : d.result.left === d.result.mapped ? 'all' : d.result.left}`);
  }
  for (const d of all) if (d.part !== 1) console.log(`  ~ ${d.design.name}: EXTRAPOLATED from 1/${d.part} of the device (all processes), the largest part that ends within ${LIMIT} s of processor time; cpu, words and RSS are of that part. Why: ${d.reason}`);
}

const ratio = (a: number, b: number): string => (a === 0 && b === 0 ? '-' : (b / a).toFixed(2));
function tellGrowth(design: Design, layout: Layout): string {
  const cells = AXES.map((axis: Axis) => {
    const points = growths({ profile: design.profile, fs: design.fs, entry: layout.entry, ...layout.base, ...(faulted(design, layout.entry) ? { faults: true } : {}) }, axis);
    const [a, b, c] = points.map((p) => p.operations) as [number, number, number];
    const grows = design.grows.includes(axis);
    // Straight: the second step is twice as long as the first. Constant: no step (an allocation group more or less aside).
    const kept = grows ? b > a && Math.abs((c - b) / (b - a) - 2) < 0.05 : c === a || Math.abs(c / a - 1) < 0.001;
    if (!kept) wrong(`${design.name} at ${layout.entry}: operations ${a}, ${b}, ${c} with ${axis} x1, x2, x4; promised ${grows ? 'a straight line' : 'constant'}`);
    const [s, t, u] = points.map((p) => p.milliseconds) as [number, number, number];
    return `${grows ? `~${axis}` : 'constant'}: ${ratio(a, b)} ${ratio(a, c)}, time ${ratio(s, t)} ${ratio(s, u)}`.padEnd(42);
  });
  return `  ${design.name.padEnd(30)} ${cells.join(' ')}`;
}

console.log(`limit ${LIMIT} s of processor time for each cell, set-up included; load ${loadavg()[0]?.toFixed(1)}; "more": heap words (4 bytes) that the removal added`);
for (const layout of LAYOUTS.filter((l) => entry === undefined || l.entry === entry)) {
  if (only !== 'growth') await sizes(layout);
  if (only !== 'sizes') growth(layout);
}
console.log(`load at the end ${loadavg()[0]?.toFixed(1)}`);

async function sizes(layout: Layout): Promise<void> {
  console.log(`\n${layout.device / GiB} GiB, ${layout.processes} processes, entries of ${layout.entry === '2m' ? '2 MiB' : '4 KiB'}, ${layout.inodes} idle files`);
  const all: Done[] = [];
  for (const design of DESIGNS) {
    const done = await largest(design, layout);
    if (done === null) console.log(`  ${design.name}: not even 1/${LEAST} of the device within ${LIMIT} s`);
    else {
      judge(done, layout);
      all.push(done);
    }
  }
  tell(all);
}

function growth(layout: Layout): void {
  const { base } = layout;
  console.log(`\n  entries of ${layout.entry}: growth x2, x4 from ${base.device / GiB} GiB, ${(base.mapped ?? 0) / MiB} MiB mapped, ${base.inodes} idle files, ${base.processes} processes; promise by device | mapped pages | inodes | processes: operations, time (processor)`);
  for (const design of DESIGNS) {
    process.stderr.write(`growth of ${design.name} at ${layout.entry}\n`);
    console.log(tellGrowth(design, layout));
  }
}
