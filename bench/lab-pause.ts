/**
 * What a removal costs the holders in a real kernel: unseat's detach and memory_failure() against the kernel's own way, the unbind under XFS
 * with a reverse map (6.12), at 4 KiB and 2 MiB entries; and the unbind alone against pages and inodes. One guest, one boot; under emulation
 * only ratios mean something.
 */
import type { PauseRound } from '../src/lab/channel/protocol.ts';
import { fetchedKernel } from '../src/lab/kernels.ts';
import { runRace } from '../src/lab/race/run.ts';

const name = process.argv[2] ?? 'debian:6.12';
const kernel = fetchedKernel(name);
if (kernel === null) {
  process.stdout.write(`${name} is not fetched (unseat lab fetch ${name})\n`);
  process.exit(77);
}
// All rounds take six to eight minutes under emulation; none begins later than this.
const run = await runRace(kernel, { what: 'pause', rounds: 99, seed: 1, fs: 'xfs', seconds: 480, say: (line) => process.stderr.write(`${line}\n`) });
const rounds = run.rounds as readonly PauseRound[];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say(`${run.release}, QEMU ${run.qemu}, XFS with rmapbt; milliseconds by the clock of the guest`);
say('way      entries   MiB  files   total   pause  letting go  stale pages');
for (const r of rounds) {
  const cells = [r.way.padEnd(8), r.entries.padEnd(7), String(r.bytes / 1024 ** 2).padStart(5), String(r.files).padStart(6), String(r.total).padStart(7), String(r.pause ?? '-').padStart(7), String(r.lettingGo ?? '-').padStart(11), String(r.stale).padStart(12)];
  say(cells.join(' '));
}

const median = (numbers: readonly number[]): number | undefined => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const MIB = 1024 ** 2;
const of = (way: PauseRound['way'], entries: PauseRound['entries'], mib: number, files: number, what: 'total' | 'pause' | 'lettingGo'): number | undefined =>
  median(rounds.filter((r) => r.way === way && r.entries === entries && r.bytes === mib * MIB && r.files === files).flatMap((r) => (r[what] === null ? [] : [r[what]])));
const ratio = (a: number | undefined, b: number | undefined): string => (a === undefined || b === undefined || b === 0 ? 'not measured' : (a / b).toFixed(2));
for (const [way, entries, mib] of [['detach', '4 KiB', 192], ['detach', '4 KiB', 48], ['detach', '2 MiB', 192], ['force', '2 MiB', 192]] as const) {
  const own = of('unbind', entries, mib, 1, 'total');
  say(`${way}, ${mib} MiB at ${entries}, against the kernel's own way: pause ${ratio(of(way, entries, mib, 1, 'pause'), own)}, letting go ${ratio(of(way, entries, mib, 1, 'lettingGo'), own)}, total ${ratio(of(way, entries, mib, 1, 'total'), own)}${way === 'detach' && entries === '4 KiB' ? ' (target: pause at most 0.10)' : ''}`);
}
const forced = of('force', '4 KiB', 24, 1, 'pause');
if (forced !== undefined) say(`force, 24 MiB at 4 KiB: pause ${forced} ms, ${(forced / (24 * 256)).toFixed(2)} ms a page; the unbind of 48 MiB, ${((of('unbind', '4 KiB', 48, 1, 'total') ?? 0) / (48 * 256)).toFixed(2)} ms a page`);
say(`the unbind alone, by pages: ${[12, 48, 96, 192].map((mib) => `${mib} MiB ${of('unbind', '4 KiB', mib, 1, 'total') ?? '-'} ms`).join(', ')}; by inodes, 48 MiB in: ${[1, 12, 48].map((files) => `${files} file(s) ${of('unbind', '4 KiB', 48, files, 'total') ?? '-'} ms`).join(', ')} (medians)`);
const wrong = rounds.filter((r) => r.stale > 0 && r.way !== 'unbind');
if (wrong.length > 0 || run.reason !== null) {
  say(`wrong: ${run.reason ?? `${wrong.length} removal(s) left stale pages`}`);
  process.exit(1);
}
