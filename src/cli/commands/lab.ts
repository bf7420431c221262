/** `unseat lab`: real kernels in QEMU. Each subcommand is a module of its own in lab/. */
import type { Command } from 'commander';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Output } from '../print/output.ts';

type Sub = (args: readonly string[], options: LabOptions, out: Output) => Promise<number>;

export interface LabOptions {
  readonly kernel?: readonly string[];
  readonly modules?: string;
  readonly release?: string;
  readonly latest?: boolean;
  readonly dryRun?: boolean;
  readonly ktap?: boolean;
  readonly core?: boolean;
  readonly again?: boolean;
  readonly jobs?: string;
  readonly minutes?: string;
  readonly results?: string;
  readonly out?: string;
  readonly console?: boolean;
  readonly removals?: string;
  readonly seed?: string;
  readonly fs?: string;
  readonly kill?: boolean;
}

const SUBS: Record<string, () => Promise<{ run: Sub }>> = {
  doctor: () => import('./lab/doctor.ts'),
  list: () => import('./lab/list.ts'),
  fetch: () => import('./lab/fetch.ts'),
  run: () => import('./lab/run.ts'),
  matrix: () => import('./lab/matrix.ts'),
  shell: () => import('./lab/shell.ts'),
  capture: () => import('./lab/capture.ts'),
  reproduce: () => import('./lab/reproduce.ts'),
  race: () => import('./lab/race.ts'),
};

export function define(command: Command): void {
  const collect = (value: string, before: string[] = []): string[] => [...before, value];
  command
    .argument('<what>', Object.keys(SUBS).join(', '))
    .argument('[names...]', 'kernels to fetch, or scenarios')
    .option('-k, --kernel <kernel>', 'debian:6.12 (fetched before) or the path of a kernel image; may be given again', collect)
    .option('--modules <directory>', 'modules of that image: the directory that holds kernel/')
    .option('--release <release>', 'what uname -r says, where the image does not')
    .option('--latest', 'fetch: the newest of the series, and write it to the lock file')
    .option('--dry-run', 'run: print the QEMU command')
    .option('--ktap', 'run, matrix: results as KTAP')
    .option('--core', 'matrix: only the core that continuous integration runs')
    .option('--again', 'matrix: run cells again that have results')
    .option('--jobs <n>', 'matrix: guests at a time (default: what the machine has room for)')
    .option('--minutes <n>', 'matrix, race: begin nothing after this time')
    .option('--results <directory>', 'matrix: where results are kept (default: in the cache)')
    .option('--out <path>', 'matrix, race: write docs and data there; capture, reproduce: the file or directory to write')
    .option('--removals <n>', 'race: how many (default 10)')
    .option('--seed <n>', 'race: of its random moments (default 1)')
    .option('--fs <type>', 'race: ext4 or xfs (default ext4)')
    .option('--kill', 'race: kill unseat or its children at random moments instead')
    .option('--console', 'run: print the console of the guest at the end')
    .option('--json', 'print one JSON document')
    .addHelpText('after', `
Boots real kernels in QEMU with emulated memory devices and runs scenarios (scenarios/*.yaml) in them.

  unseat lab doctor                                       what is installed and what is missing
  unseat lab fetch debian:6.12 debian:7.2 tools           kernels from Debian's signed archive; QEMU and tools of a newer suite
  unseat lab run fsdax-ext4-unbind -k debian:7.2          one scenario on one kernel
  unseat lab run devdax-unbind -k arch/x86/boot/bzImage --modules MODULES
  unseat lab matrix --core -k debian:6.12 -k debian:7.2   many; goes on where it was stopped
  unseat lab race -k debian:6.12 --removals 300           removals against holders that fault and map again
  unseat lab shell fsdax-ext4-unbind -k debian:6.12       a prompt in such a guest

Exit status of lab run, fit for git bisect run: 0 as expected (by the scenario; where it expects nothing, by the simulated
kernel), 1 not as expected, 125 cannot tell (no boot, not available).`);
}

export async function run(args: readonly string[], options: Readonly<Record<string, unknown>>, out: Output): Promise<number> {
  const [what = '', ...names] = args;
  const sub = SUBS[what];
  if (!sub) throw new UnseatError('USAGE', `lab has no '${what}'`, { next: `Take one of ${Object.keys(SUBS).join(', ')}.` });
  return (await sub()).run(names, options as LabOptions, out);
}
