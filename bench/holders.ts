/**
 * Complete holder search against `fuser -m` and `lsof`: 2,000 processes of 200 mappings on a loop-mounted ext4, some
 * that hold it in other ways, one in another mount namespace, and a namespace that only a file keeps.
 *
 *     node bench/holders.ts [PROCESSES] [MAPPINGS]
 *
 * The search is timed twice in each round: alone, and with the start of its process (fuser's time has that too).
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { deviceNumber } from '../src/host/live/files.ts';
import { bundleInto } from '../tools/bundle-into.ts';
import { median, ratio, skip, wrong } from './lib/stats.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
/** Bundled like the package: what is shipped is measured. Below the repository, where koffi is found. */
const BUNDLE = join(import.meta.dirname, '../dist/bench');
const INSIDE = 'UNSEAT_BENCH_INSIDE';

interface Found { pid: number; shares: number[]; mappings: number; deleted: boolean; files: number; cwd: boolean; root: boolean }
interface Search { milliseconds: number; mountsMilliseconds: number; processes: Found[]; namespaces: number[]; notes: string[] }
interface Timed<T> { readonly milliseconds: number; readonly result: T }

if (process.geteuid?.() !== 0) skip('mounting needs root');
for (const tool of ['gcc', 'fuser', 'unshare', 'mkfs.ext4']) if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) skip(`${tool} is not installed`);
if (process.env[INSIDE] === undefined) {
  const again = spawnSync('unshare', ['-m', process.execPath, import.meta.filename, ...process.argv.slice(2)], { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
  process.exit(again.status ?? 1);
}

async function main(count: number, mappings: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'unseat-bench-'));
  const mountPoint = join(directory, 'mnt');
  const children: ChildProcess[] = [];
  try {
    await bundleInto(BUNDLE, { unseat: 'src/cli/main.ts', search: 'bench/lib/search.ts' });
    prepare(directory, mountPoint);
    const expected = await startHolders(directory, mountPoint, count, mappings, children);
    const elsewhere = await holdElsewhere(mountPoint, children);
    keepNamespace(directory);
    await measure(mountPoint, mappings, expected.set(elsewhere, 'mapping-elsewhere'));
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

async function startHolders(directory: string, mountPoint: string, count: number, mappings: number, children: ChildProcess[]): Promise<Map<number, string>> {
  const program = join(tmpdir(), `unseat-holders-${process.pid}`);
  const child = spawn(program, [mountPoint, String(count), String(mappings)], { stdio: ['pipe', 'pipe', 'inherit'] });
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
  execFileSync('unshare', [`--mount=${file}`, 'true']);
}

function timed<T>(work: () => T): Timed<T> {
  const started = performance.now();
  const result = work();
  return { milliseconds: performance.now() - started, result };
}

const output = (program: string, args: readonly string[]): string => spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 30 }).stdout;
const numbers = (text: string): Set<number> => new Set((text.match(/\d+/g) ?? []).map(Number));
const fuser = (mountPoint: string): Set<number> => numbers(output('fuser', ['-m', mountPoint]));
const lsof = (mountPoint: string): Set<number> => numbers(output('lsof', ['-w', '-t', mountPoint]));
const search = (dev: string): Search => JSON.parse(output(process.execPath, [join(BUNDLE, 'search.js'), dev])) as Search;

async function measure(mountPoint: string, mappings: number, expected: ReadonlyMap<number, string>): Promise<void> {
  const dev = deviceNumber(statSync(mountPoint).dev);
  const withLsof = spawnSync('sh', ['-c', 'command -v lsof']).status === 0;
  const times = { fuser: [] as number[], lsof: [] as number[], alone: [] as number[], whole: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const byFuser = timed(() => fuser(mountPoint));
    const byLsof = withLsof ? timed(() => lsof(mountPoint)) : { milliseconds: NaN, result: new Set<number>() };
    const ours = timed(() => search(dev));
    times.fuser.push(byFuser.milliseconds);
    times.lsof.push(byLsof.milliseconds);
    times.alone.push(ours.result.milliseconds);
    times.whole.push(ours.milliseconds);
    if (round === 0) compare(ours.result, byFuser.result, byLsof.result, expected, mappings);
  }
  console.log(`processes ${expected.size}, mappings ${mappings} each; medians of ${ROUNDS} rounds, milliseconds`);
  for (const [name, values] of Object.entries(times)) console.log(`  ${name.padEnd(6)} ${median(values).toFixed(0)}`);
  console.log(`ratio to fuser -m: search ${ratio(times.alone, times.fuser)}, with process start ${ratio(times.whole, times.fuser)} (target 0.6)`);
  if (withLsof) console.log(`ratio to lsof: search ${ratio(times.alone, times.lsof)}, with process start ${ratio(times.whole, times.lsof)}`);
}

function compare(ours: Search, byFuser: ReadonlySet<number>, byLsof: ReadonlySet<number>, expected: ReadonlyMap<number, string>, mappings: number): void {
  const found = new Map(ours.processes.flatMap((holder) => [holder.pid, ...holder.shares].map((pid) => [pid, holder])));
  const theirs = new Set([...byFuser, ...byLsof]);
  const missed = [...theirs].filter((pid) => !found.has(pid));
  if (missed.length > 0) wrong(`${missed.length} holders of fuser or lsof not found, as ${missed.slice(0, 5).join(' ')}`);
  for (const [pid, kind] of expected) {
    const holder = found.get(pid);
    const right = holder !== undefined && {
      'mapping': holder.mappings === mappings && !holder.deleted, 'deleted': holder.mappings === mappings && holder.deleted, 'file': holder.files === 1, 'cwd': holder.cwd, 'root': holder.root, 'mapping-elsewhere': holder.cwd && holder.files === 1,
    }[kind];
    if (right !== true) wrong(`process ${pid} (${kind}) seen as ${JSON.stringify(holder)}`);
  }
  if (new Set(ours.namespaces).size < 3) wrong(`mounted in ${new Set(ours.namespaces).size} namespaces, not in three`);
  const more = [...found.keys()].filter((pid) => !byFuser.has(pid)).length;
  console.log(`fuser -m ${byFuser.size} holders, lsof ${byLsof.size}, search ${found.size}; ${more} not found by fuser -m, and the mounts of ${new Set(ours.namespaces).size} namespaces, one kept by a file alone`);
}

await main(Number(process.argv[2] ?? 2000), Number(process.argv[3] ?? 200));
