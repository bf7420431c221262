/**
 * `node bench/detach.ts` as root: the pause that a holder sees while it is detached, against the kernel's own munmap of
 * the same mapping in the same run; private copies against memcpy; a thousand holders. Prints ratios; absolute times
 * depend on the machine.
 */
import { openLive } from '../src/host/live/open.ts';
import type { Host } from '../src/host/host.ts';
import { isMissing } from '../src/host/fact.ts';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { detachStopped } from '../src/remove/ways/detach/carry-out.ts';
import { foreseeDetach } from '../src/remove/ways/detach/foresee.ts';
import { LoopMount, Program, cannotRunLive, compile } from '../test/live/loop.ts';
import { pauseSeen, type Still } from './lib/pause.ts';

const MiB = 1024 * 1024;
const ROUNDS = 7;

const no = cannotRunLive();
if (no !== false) {
  console.log(`skipped: ${no}`);
  process.exit(77);
}

const fs = new LoopMount(512);
const host: Host = openLive();
const trace = host.trace;
if (trace === undefined) throw new Error('the live host cannot trace');
const mapper = compile('mapper', fs.directory, '-O2');
const least = (values: readonly number[]): number => Math.min(...values);
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const ms = (nanoseconds: number): string => `${(nanoseconds / 1e6).toFixed(2)} ms`;

/** Where the mapped file lies, and by which device numbers it is held. */
interface Place {
  readonly path: string;
  readonly numbers: ReadonlySet<string>;
}

const ownNamespace = statSync('/proc/self/ns/mnt').ino;
const onExt4: Place = { path: fs.mountPoint, numbers: fs.deviceNumbers() };

/** tmpfs with huge pages: its shared mappings are PMD entries, as those of DAX are; there is no pmem on most machines. */
function hugePlace(): Place {
  const path = join(fs.directory, 'huge');
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'huge=always,size=400M', 'unseat-bench', path]);
  const { dev } = statSync(path);
  return { path, numbers: new Set([`${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`]) };
}

/** Bytes of a process that PMD entries map; from its own smaps, which is safe for tmpfs. */
function pmdMapped(pid: number): number {
  const smaps = readFileSync(`/proc/${pid}/smaps`, 'latin1');
  return [...smaps.matchAll(/^(?:Shmem|File)PmdMapped:\s+(\d+) kB/gm)].reduce((sum, m) => sum + Number(m[1]) * 1024, 0);
}

/** `synced`: with the second sync of a removal, while the holder stands still; the first one is made before and costs no pause. */
async function detach(ref: { pid: number; startTime: number }, numbers: ReadonlySet<string> = onExt4.numbers, synced = false): Promise<Still> {
  const stopped = await trace!.stop(ref, 5000);
  const from = process.hrtime.bigint();
  if (isMissing(stopped)) throw new Error(JSON.stringify(stopped));
  if (synced) await host.actions?.sync(ownNamespace, fs.mountPoint, 10_000);
  const outcome = await detachStopped(host, trace!, ref, numbers, true);
  const to = process.hrtime.bigint();
  await trace!.release(ref);
  if (!outcome.done) throw new Error(outcome.why);
  return { from, to };
}

interface Measured {
  readonly pause: number;
  readonly munmap: number;
  readonly copy: number;
}

/** The median, and the least: on a machine with other work the least is nearer to what the work itself takes. */
interface Both {
  readonly median: Measured;
  readonly least: Measured;
  /** Pause of the first detach, which is not among the others: what is done for the first time takes longer. */
  readonly first: number;
}

async function measure(bytes: number, mappings: number, threads: number, isPrivate: boolean, place: Place = onExt4, synced = false): Promise<Both> {
  const program = new Program(mapper, [join(place.path, 'bench'), String(bytes), String(mappings), String(threads), isPrivate ? '1' : '0', '1']);
  try {
    await program.line();
    const pauses: number[] = [];
    const munmaps: number[] = [];
    const copies: number[] = [];
    // As the plan of a removal does.
    foreseeDetach(host, program.ref, place.numbers);
    for (let round = 0; round < ROUNDS + 2; round += 1) {
      if (isPrivate) copies.push(Number(await program.ask('copy')));
      munmaps.push(Number(await program.ask('munmap')));
      await program.ask('map');
      if (place !== onExt4 && pmdMapped(program.pid) < bytes) throw new Error(`only ${pmdMapped(program.pid)} of ${bytes} bytes are mapped by 2 MiB entries`);
      if (synced) await host.actions?.sync(ownNamespace, fs.mountPoint, 10_000);
      const still = await detach(program.ref, place.numbers, synced);
      pauses.push(await pauseSeen(program, still, (milliseconds) => host.time.sleep(milliseconds)));
      await program.ask('map');
    }
    const of = (take: (values: readonly number[]) => number): Measured => ({ pause: take(pauses.slice(2)), munmap: take(munmaps.slice(2)), copy: take(copies.slice(2)) });
    return { median: of(median), least: of(least), first: pauses[0] ?? Number.NaN };
  } finally {
    program.kill();
  }
}

async function thousand(holders: number): Promise<{ all: number; munmap: number }> {
  const one = await measure(4 * MiB, 1, 1, false);
  const program = new Program(mapper, [fs.path('many'), String(4 * MiB), '1', '1', '0', String(holders)]);
  try {
    const pids: number[] = [];
    for (let up = 0; up < holders || pids.length < holders;) {
      const line = await program.line();
      if (line === 'up') up += 1;
      else pids.push(Number(line.split(' ')[1]));
    }
    const refs = pids.map((pid) => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return { pid, startTime: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) };
    });
    const began = performance.now();
    // A few at a time: while the child works on one process, we read about the next.
    const queue = [...refs];
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await detach(next);
    }));
    return { all: performance.now() - began, munmap: one.median.munmap };
  } finally {
    program.kill();
  }
}

try {
  const fixed = await measure(4096, 1, 1, false);
  console.log(`fixed part, one holder, one page: pause ${ms(fixed.median.pause)}, least ${ms(fixed.least.pause)} (target under 3 ms); of the first detach of this run ${ms(fixed.first)}`);
  for (const [bytes, mappings, threads] of [[16, 1, 1], [64, 1, 1], [256, 1, 1], [64, 16, 1], [64, 256, 1], [64, 1, 16], [64, 1, 64]] as const) {
    const r = await measure(bytes * MiB, mappings, threads, false);
    const ratio = (m: Measured, f: Measured): string => (Math.max(0, m.pause - f.pause) / m.munmap).toFixed(2);
    console.log(`${bytes} MiB shared, ${mappings} mapping(s), ${threads} thread(s): pause ${ms(r.median.pause)}, munmap ${ms(r.median.munmap)}, `
      + `(pause - fixed) / munmap ${ratio(r.median, fixed.median)}, of the least ${ratio(r.least, fixed.least)} (target 1.5)`);
  }
  for (const bytes of [1 / 256, 64, 256]) {
    const r = await measure(bytes * MiB, 1, 1, false, onExt4, true);
    console.log(`${bytes < 1 ? '4 KiB' : `${bytes} MiB`} shared, with the second sync (the file system of this bench is a loop device): pause ${ms(r.median.pause)}, least ${ms(r.least.pause)}`);
  }
  const huge = hugePlace();
  for (const [bytes, mappings, threads] of [[64, 1, 1], [256, 1, 1], [256, 16, 1], [256, 1, 64]] as const) {
    try {
      const r = await measure(bytes * MiB, mappings, threads, false, huge);
      const more = (m: Measured, f: Measured): string => `${ms(Math.max(0, m.pause - f.pause))} above the fixed part`;
      console.log(`${bytes} MiB shared by 2 MiB entries (tmpfs), ${mappings} mapping(s), ${threads} thread(s): pause ${ms(r.median.pause)}, ${more(r.median, fixed.median)}, munmap ${ms(r.median.munmap)}, `
        + `ratio ${(Math.max(0, r.median.pause - fixed.median.pause) / r.median.munmap).toFixed(2)}, of the least ${(Math.max(0, r.least.pause - fixed.least.pause) / r.least.munmap).toFixed(2)}`);
    } catch (error) {
      console.log(`${bytes} MiB by 2 MiB entries: not measured (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  for (const bytes of [16, 64, 256]) {
    const r = await measure(bytes * MiB, 1, 1, true);
    const ratio = (m: Measured, f: Measured): string => (m.pause <= f.pause ? 'within noise' : (m.copy / (m.pause - f.pause)).toFixed(2));
    console.log(`${bytes} MiB private copy: pause ${ms(r.median.pause)}, memcpy ${ms(r.median.copy)}, memcpy / (pause - fixed) ${ratio(r.median, fixed.median)}, of the least ${ratio(r.least, fixed.least)} (target 0.5)`);
  }
  const many = await thousand(1000);
  console.log(`1000 holders of 4 MiB: ${(many.all / 1000).toFixed(2)} s in all (target 2 s; 1000 times the munmap of one is ${ms(many.munmap * 1000)})`);
  if (!existsSync('/sys/devices/system/memory/hard_offline_page')) console.log('memory_failure: not measured, this kernel has none (no hard_offline_page); it needs pmem as well. In a guest: node bench/lab-pause.ts');
} finally {
  host.close();
  try {
    execFileSync('umount', [join(fs.directory, 'huge')], { stdio: 'ignore' });
  } catch {
    // Not mounted.
  }
  fs.dispose();
}
