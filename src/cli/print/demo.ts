/** The text of the demo: every number in it was counted on the simulated machine. */
import type { AfterUnbind, Exit, WithUnseat } from '../demo/pmem-story.ts';
import type { RamStory } from '../demo/ram-story.ts';
import type { Output } from './output.ts';
import { item } from './table.ts';

const heading = (out: Output, text: string): string => out.style('bold', text);
const shell = (out: Output, text: string): string => `  ${out.style('dim', '#')} ${text}`;
const bad = (out: Output, text: string): string => `  ${out.style('red', '!')} ${text}`;
const good = (out: Output, text: string): string => `  ${out.style('green', '+')} ${text}`;

export const demoHead = (kernel: string, out: Output): string => [
  heading(out, `unseat demo: a simulated machine with Linux ${kernel}; nothing on this computer is touched`),
  '',
  '512 MiB of persistent memory (pmem0) carry an ext4 file system with DAX on /mnt. Three processes use it:',
  '  database  maps 4 MiB of /mnt/table, shared: its loads and stores go straight to the device',
  '  report    maps the same file privately and has written every second page: copies in RAM',
  '  shell     stands in /mnt',
  '',
].join('\n');

export function demoBare(bare: AfterUnbind, exit: Exit, out: Output): string {
  const { whileUnbound, afterRebind } = bare;
  const shutdown = bare.log.find((line) => /shut ?down/i.test(line));
  const lines = [
    heading(out, '1. The device is just unbound'),
    shell(out, 'echo pfn0.0 > /sys/bus/nd/drivers/nd_pmem/unbind'),
    `    the write returns ${bare.writeReturned}: a driver's ->remove() cannot say no, and it waits for nobody`,
    bad(out, `database reads on: ${whileUnbound.ok} of ${whileUnbound.ok + whileUnbound.sigbus} pages of a device that is gone, no signal`),
    ...(shutdown === undefined ? [] : [`    kernel log: ${shutdown}`]),
    '  The device is bound again and given to somebody else, who stores data of their own:',
    bad(out, `database reads ${afterRebind.ok} pages of the next owner's data (${bare.foreignReads} reads across owners)`),
    exit.oops === null ? '    and had it ended while the device was away, nothing more would have happened on this kernel'
      : bad(out, `had it ended while the device was away: kernel oops in ${exit.oops}, on a freed struct page`),
  ];
  return lines.join('\n');
}

export function demoDetach(story: WithUnseat, steps: readonly string[], out: Output): string {
  const { record, database, report } = story;
  const detach = story.plan.ways.find((way) => way.way === 'detach');
  return [
    '',
    heading(out, '2. The same device, taken out by unseat'),
    shell(out, 'unseat remove pmem0 --detach --yes pmem0'),
    ...steps.map((line) => `    ${line}`),
    `    ${record.status}: ${record.steps.length} steps, ${detach?.steps.length ?? 0} planned`,
    '  /proc/iomem before           after',
    ...sideBySide(story.iomemBefore, story.iomemAfter),
    '  Bound again and given to somebody else, who stores data of their own:',
    good(out, `${story.alive.join(', ')} live on`),
    good(out, `database touches its old mapping: ${database.sigbus} of ${database.ok + database.sigbus} pages raise SIGBUS, none is readable`),
    good(out, `report still reads its ${report.ok} private pages: copies in RAM`),
    good(out, `reads of the next owner's data: ${story.foreignReads}`),
    story.exitOops === null ? good(out, 'the database ends like any other process') : bad(out, `the database's end: kernel oops in ${story.exitOops}`),
  ].join('\n');
}

function sideBySide(left: readonly string[], right: readonly string[]): string[] {
  const width = Math.max(0, ...left.map((line) => line.length));
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => `    ${(left[i] ?? '').padEnd(width)}    ${right[i] ?? ''}`.trimEnd());
}

export function demoRam(story: RamStory, out: Output): string {
  const { width } = out.options;
  const blockers = story.graceful?.blockers ?? [];
  const leaks = story.plan.forecasts.find((f) => f.event === 'unbind')?.effects.filter((e) => e.effect === 'region-leaked' || e.effect === 'no-rebind') ?? [];
  return [
    '',
    heading(out, '3. Memory that will not go, said before anything is tried'),
    'Another device (dax0.0) is used as System RAM. Its blocks were brought online in zone Normal.',
    shell(out, 'unseat plan dax0.0'),
    ...leaks.slice(0, 1).map((e) => item(`just unbound: ${e.effect}: ${e.because}`, width, '! ', 2)),
    ...blockers.slice(0, 3).map((b) => item(`${b.reason}: ${b.text}. ${b.next}`, width, '! ', 2)),
    '',
    `Next: 'unseat scan' and 'unseat plan DEVICE' on your own machine change nothing. 'unseat remove DEVICE --dry-run' shows every write.`,
  ].join('\n');
}
