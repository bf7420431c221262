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
const run = await runRace(kernel, { what: 'pause', rounds: 99, seed: 1, fs: 'xfs', seconds: 3600, say: (line) => process.stderr.write(`${line}\n`) });
const rounds = run.rounds as readonly PauseRound[];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say(`${run.release}, QEMU ${run.qemu}, XFS with rmapbt; milliseconds by the clock of the guest`);
say('way      entries   MiB  files   total   pause  letting go  stale pages');
for (const r of rounds) {
  const cells = [r.way.padEnd(8), r.entries.padEnd(7), String(r.bytes / 1024 ** 2).padStart(5), String(r.files).padStart(6), String(r.total).padStart(7), String(r.pause ?? '-').padStart(7), String(r.lettingGo ?? '-').padStart(11), String(r.stale).padStart(12)];
  say(cells.join(' '));
}

const of = (way: PauseRound['way'], entries: PauseRound['entries'], files = 1): PauseRound | undefined => rounds.filter((r) => r.way === way && r.entries === entries && r.files === files).sort((a, b) => b.bytes - a.bytes)[0];
const ratio = (a: number | null | undefined, b: number | undefined): string => (a === null || a === undefined || b === undefined || b === 0 ? 'not measured' : (a / b).toFixed(2));
for (const entries of ['4 KiB', '2 MiB'] as const) {
  const own = of('unbind', entries)?.total;
  for (const way of ['detach', 'force'] as const) {
    const r = of(way, entries);
    say(`${way} at ${entries} against the kernel's own way: pause ${ratio(r?.pause, own)}, letting go ${ratio(r?.lettingGo, own)}, total ${ratio(r?.total, own)}${way === 'detach' && entries === '4 KiB' ? ' (target: pause at most 0.10)' : ''}`);
  }
}
const grown = rounds.filter((r) => r.way === 'unbind' && r.entries === '4 KiB' && r.files === 1).sort((a, b) => a.bytes - b.bytes);
const [least, most] = [grown[0], grown.at(-1)];
if (least && most) say(`the unbind alone: ${most.bytes / least.bytes} times the pages take ${ratio(most.total, least.total)} times as long, ${((most.total - least.total) / ((most.bytes - least.bytes) / 4096) * 1000).toFixed(1)} us a page`);
const inodes = rounds.filter((r) => r.way === 'unbind' && r.entries === '4 KiB' && r.bytes === 48 * 1024 ** 2).sort((a, b) => a.files - b.files);
if (inodes[0]) say(`the same 48 MiB in ${inodes.map((r) => r.files).join(', ')} files: ${inodes.map((r) => ratio(r.total, inodes[0]?.total)).join(', ')}`);
const wrong = rounds.filter((r) => r.stale > 0 && r.way !== 'unbind');
if (wrong.length > 0 || run.reason !== null) {
  say(`wrong: ${run.reason ?? `${wrong.length} removal(s) left stale pages`}`);
  process.exit(1);
}
