/**
 * Complete holder search against `fuser -m` and `lsof`: 2,000 processes of 200 mappings, of which some or all are of a
 * loop-mounted ext4, some that hold it in other ways, one in another mount namespace, and a namespace that only a file keeps.
 *
 *     node bench/holders.ts [PROCESSES] [MAPPINGS] [MAPPINGS OF THE DEVICE] [EVERY]
 *
 * Without the last two arguments three shapes are measured: each process holds the device by 2 of its mappings (libraries and
 * other files are the rest), each by all of them, and only each 20th process holds it, by 2.
 *
 * The search is made twice in each round: for who holds it and how, which is what fuser and lsof tell, and with everything
 * that \`plan\` tells of each holder (user, command line, unit, container, flags of open files). Both are timed alone, and
 * with the start of their process (fuser's time has that too).
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { deviceNumber } from '../src/host/live/files.ts';
import { bundleInto } from '../tools/bundle-into.ts';
import { median, ratio, skip, wrong } from './lib/stats.ts';
import { timer, type Run } from './lib/timed.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
/** Bundled like the package: what is shipped is measured. Below the repository, where koffi is found. */
const BUNDLE = join(import.meta.dirname, '../dist/bench');
const INSIDE = 'UNSEAT_BENCH_INSIDE';

interface Found { pid: number; shares: number[]; mappings: number; deleted: boolean; files: number; cwd: boolean; root: boolean }
interface Search { milliseconds: number; mountsMilliseconds: number; processes: Found[]; namespaces: number[]; notes: string[] }

if (process.geteuid?.() !== 0) skip('mounting needs root');
for (const tool of ['gcc', 'fuser', 'unshare', 'mkfs.ext4']) if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) skip(`${tool} is not installed`);
if (process.env[INSIDE] === undefined) {
  const again = spawnSync('unshare', ['-m', process.execPath, import.meta.filename, ...process.argv.slice(2)], { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
  process.exit(again.status ?? 1);
}

async function main(count: number, mappings: number, on: number, every: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'unseat-bench-'));
  const mountPoint = join(directory, 'mnt');
  const children: ChildProcess[] = [];
  try {
    await bundleInto(BUNDLE, { unseat: 'src/cli/main.ts', search: 'bench/lib/search.ts' });
    prepare(directory, mountPoint);
    const expected = await startHolders(directory, mountPoint, [count, mappings, on, every], children);
    const elsewhere = await holdElsewhere(mountPoint, children);
    keepNamespace(directory);
    await measure(mountPoint, `mappings ${mappings} each, ${on} of them of the device in each ${every === 1 ? 'process' : `${every}th process`}`, on, expected.set(elsewhere, 'mapping-elsewhere'));
  } finally {
    for (const child of children) child.kill('SIGKILL');
    spawnSync('sleep', ['1']);
    spawnSync('umount', ['-l', join(directory, 'ns')]);
    spawnSync('umount', ['-l', mountPoint]);
    spawnSync('umount', ['-l', directory]);
    rmSync(directory, { recursive: true, force: true });
  }
}

function prepare(directory: string, mountPoint: string): void {
  execFileSync('gcc', ['-O2', '-static', '-o', join(tmpdir(), `unseat-holders-${process.pid}`), join(import.meta.dirname, 'lib/holders.c')]);
  execFileSync('mount', ['--bind', directory, directory]);
  execFileSync('mount', ['--make-private', directory]);
  mkdirSync(mountPoint);
  const image = join(directory, 'image');
  execFileSync('sh', ['-c', 'truncate -s 64M "$1" && mkfs.ext4 -q "$1" && mount -o loop "$1" "$2"', 'sh', image, mountPoint]);
}

async function startHolders(directory: string, mountPoint: string, shape: readonly number[], children: ChildProcess[]): Promise<Map<number, string>> {
  const program = join(tmpdir(), `unseat-holders-${process.pid}`);
  const child = spawn(program, [mountPoint, ...shape.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const kinds = new Map<number, string>();
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') break;
    const [pid, kind] = line.split(' ');
    kinds.set(Number(pid), kind ?? '');
  }
  rmSync(program);
  return kinds;
}

/** A process in another mount namespace, in which the file system has another place. */
async function holdElsewhere(mountPoint: string, children: ChildProcess[]): Promise<number> {
  const script = 'mount --bind "$1" /mnt && umount -l "$1" && cd /mnt && echo && exec sleep 600 3</mnt/f0';
  const child = spawn('unshare', ['-m', 'sh', '-c', script, 'sh', mountPoint], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await new Promise((done) => child.stdout?.once('data', done));
  return child.pid ?? -1;
}

function keepNamespace(directory: string): void {
  const file = join(directory, 'ns');
  writeFileSync(file, '');
  // A namespace's file may lie only in one with a lower id, and 6.18 gives ids out per processor: not always in order.
  for (let attempt = 0; spawnSync('unshare', [`--mount=${file}`, 'true']).status !== 0; attempt += 1) {
    if (attempt === 500) throw new Error('no namespace could be kept by a file');
  }
}

const numbers = (text: string): Set<number> => new Set((text.match(/\d+/g) ?? []).map(Number));

async function measure(mountPoint: string, shape: string, on: number, expected: ReadonlyMap<number, string>): Promise<void> {
  const dev = deviceNumber(statSync(mountPoint).dev);
  const withLsof = spawnSync('sh', ['-c', 'command -v lsof']).status === 0;
  const timing = timer();
  const runs: Record<'fuser' | 'lsof' | 'search' | 'whole', Run[]> = { fuser: [], lsof: [], search: [], whole: [] };
  const alone: Record<'search' | 'whole', number[]> = { search: [], whole: [] };
  const mounts: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const byFuser = timing.run('fuser', ['-m', mountPoint]);
    const byLsof = withLsof ? timing.run('lsof', ['-w', '-t', mountPoint]) : undefined;
    runs.fuser.push(byFuser);
    if (byLsof !== undefined) runs.lsof.push(byLsof);
    for (const [name, detail] of [['search', 'who'], ['whole', 'whole']] as const) {
      const search = (...check: string[]): readonly [Run, Search] => {
        const run = timing.run(process.execPath, [join(BUNDLE, 'search.js'), dev, detail, ...check]);
        return [run, JSON.parse(run.stdout) as Search];
      };
      if (round === 0) compare(search('check')[1], numbers(byFuser.stdout), numbers(byLsof?.stdout ?? ''), expected, on);
      const [ours, result] = search();
      runs[name].push(ours);
      alone[name].push(result.milliseconds);
      mounts.push(result.mountsMilliseconds);
    }
  }
  timing.end();
  report(runs, alone, expected.size, shape);
  console.log(`of the search, for the mounts of all namespaces: ${median(mounts).toFixed(0)} ms`);
}

function report(runs: Record<string, Run[]>, alone: Record<'search' | 'whole', number[]>, processes: number, shape: string): void {
  const [wall, cpu] = [(name: string) => (runs[name] ?? []).map((r) => r.wall), (name: string) => (runs[name] ?? []).map((r) => r.cpu)];
  console.log(`processes ${processes}, ${shape}; medians of ${ROUNDS} rounds, milliseconds by the clock and of processor time`);
  for (const name of Object.keys(runs)) console.log(`  ${name.padEnd(6)} ${median(wall(name)).toFixed(0)} ${median(cpu(name)).toFixed(0)}`);
  for (const peer of ['fuser', 'lsof'].filter((name) => (runs[name] ?? []).length > 0)) {
    for (const name of ['search', 'whole'] as const) {
      console.log(`ratio to ${peer === 'fuser' ? 'fuser -m' : peer}: ${name} ${ratio(alone[name], wall(peer))}, with process start ${ratio(wall(name), wall(peer))}, processor time ${ratio(cpu(name), cpu(peer))}${peer === 'fuser' ? ' (target 0.6 by the clock)' : ''}`);
    }
  }
}

function compare(ours: Search, byFuser: ReadonlySet<number>, byLsof: ReadonlySet<number>, expected: ReadonlyMap<number, string>, mappings: number): void {
  const found = new Map(ours.processes.flatMap((holder) => [holder.pid, ...holder.shares].map((pid) => [pid, holder])));
  const theirs = new Set([...byFuser, ...byLsof]);
  const missed = [...theirs].filter((pid) => !found.has(pid));
  if (missed.length > 0) wrong(`${missed.length} holders of fuser or lsof not found, as ${missed.slice(0, 5).join(' ')}`);
  for (const [pid, kind] of expected) {
    const holder = found.get(pid);
    if (kind === 'nothing' && holder !== undefined) wrong(`process ${pid} holds nothing and is seen as ${JSON.stringify(holder)}`);
    if (kind === 'nothing') continue;
    const right = holder !== undefined && {
      'mapping': holder.mappings === mappings && !holder.deleted, 'deleted': holder.mappings === mappings && holder.deleted, 'file': holder.files === 1, 'cwd': holder.cwd, 'root': holder.root, 'mapping-elsewhere': holder.cwd && holder.files === 1,
    }[kind];
    if (right !== true) wrong(`process ${pid} (${kind}) seen as ${JSON.stringify(holder)}`);
  }
  if (new Set(ours.namespaces).size < 3) wrong(`mounted in ${new Set(ours.namespaces).size} namespaces, not in three`);
  const more = [...found.keys()].filter((pid) => !byFuser.has(pid)).length;
  console.log(`fuser -m ${byFuser.size} holders, lsof ${byLsof.size}, search ${found.size}; ${more} not found by fuser -m, and the mounts of ${new Set(ours.namespaces).size} namespaces, one kept by a file alone`);
}

const [count = 2000, mappings = 200, on, every = 1] = process.argv.slice(2).map(Number);
const few = Math.min(2, mappings);
for (const [of, each] of on === undefined ? [[few, 1], [mappings, 1], [few, 20]] as const : [[on, every]] as const) await main(count, mappings, of, each);
