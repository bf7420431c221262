/** `unseat compare`: designs of removal side by side. */
import type { Command } from 'commander';
import { EXIT } from '../../errors/codes.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import { compareDesign } from '../../explore/compare/compare.ts';
import { costSvg } from '../../explore/compare/svg.ts';
import { readLitmus } from '../../explore/litmus/read.ts';
import { profileByName, profileNames } from '../../profile/select.ts';
import { compareText } from '../print/compare.ts';
import type { Output } from '../print/output.ts';

type Options = Readonly<Record<string, unknown>>;
const DEFAULT = ['5.10', '6.1', '6.12', '7.2', 'proposal:dev-pagemap-failure', 'proposal:dev-pagemap-failure-all', 'proposal:corrupt-range', 'proposal:inode-walk', 'proposal:inode-walk-locked', 'proposal:page-walk', 'proposal:page-table-walk', 'proposal:removal-refused'];

export function define(command: Command): void {
  command
    .argument('[profiles...]', `releases and proposals to compare: ${profileNames().join(', ')}`)
    .option('--svg', 'print the cost curves as an SVG picture instead')
    .option('--json', 'print one JSON document')
    .addHelpText('after', `
Runs the removal of one namespace of a file system that lies on two, on the simulated kernel: which mappings each design
takes out and which it misses, healthy pages unmapped on the other device, processes signalled, what it looked at
(counted, not timed) against pages, inodes, processes and extents, and which litmus tests of the shipped ones it fails.

  unseat compare
  unseat compare 7.2 proposal:inode-walk proposal:page-walk --svg > cost.svg

Exit status: 0 shown, 1 failed, 2 wrong command line.`);
}

export async function run(args: readonly string[], options: Options, out: Output): Promise<number> {
  const { readDocuments } = await import('../../host/live/documents.ts');
  const { liveTime } = await import('../../host/live/time.ts');
  const tests = options['svg'] === true ? [] : readDocuments([], 'litmus').map((doc) => readLitmus(doc.text, doc.path));
  const reports = (args.length > 0 ? args : DEFAULT).map((name) => {
    const profile = profileByName(name);
    if (profile === null) throw new UnseatError('USAGE', `there is no profile ${name}`, { next: `Take some of ${profileNames().join(', ')}.` });
    return compareDesign(profile, tests, { now: () => liveTime.now(), onProgress: (what) => out.progress(what) });
  });
  if (out.options.json) out.json(reports);
  else if (options['svg'] === true) out.text(costSvg(reports));
  else out.text(compareText(reports, { width: out.options.width, style: out.style.bind(out) }));
  return EXIT.ok;
}
