/** `unseat layout RANGE...`: will these ranges fit. */
import type { Command } from 'commander';
import { EXIT } from '../../errors/codes.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import { layout } from '../../plan/layout/layout.ts';
import { carveNamespaces, parseNamespace, type NamespaceVerdict } from '../../plan/layout/namespaces.ts';
import { parseRange } from '../../plan/layout/parse-range.ts';
import type { LayoutMachine, LayoutRange, LayoutReport } from '../../plan/layout/types.ts';
import type { Profile } from '../../profile/profile.ts';
import { profileByName, releaseNames } from '../../profile/select.ts';
import { RELEASES } from '../../profile/releases/index.ts';
import { formatBytes, geometryOf, MiB, parseSize } from '../../range/units.ts';
import { layoutText } from '../print/layout.ts';
import type { Output } from '../print/output.ts';

type Options = Readonly<Record<string, unknown>>;

export function define(command: Command): void {
  command
    .argument('[ranges...]', 'SIZE!START (pmem), SIZE$START (reserved), SIZE@START (RAM), START-END or START+SIZE; ram:, pmem:, reserved: in front')
    .option('--from <capture>', 'take RAM and pmem from a captured machine, and the given ranges besides')
    .option('--live', 'take RAM and pmem from this machine, and the given ranges besides')
    .option('--block-size <size>', 'size of a memory block (default: 128M, or that of the machine)')
    .option('--kernel <profiles>', `only these kernels, separated by commas: ${releaseNames().join(', ')}`)
    .option('--namespaces <list>', 'carve label namespaces out of the first pmem range: SIZE[:MODE[:ALIGN]],...')
    .option('--region-align <size>', "the region's align for --namespaces (default 16M)")
    .option('--json', 'print one JSON document: sizes and addresses in bytes')
    .addHelpText('after', `
Pure arithmetic: for each kernel generation from 5.2 on, whether the ranges fit, which padding is lost, which neighbour
collides in which section, what the kernel or ndctl would say, and how many whole memory blocks a range yields as
System RAM.

  unseat layout ram:0x100000-0x7ffdafff '64M!0x46000000'    pmem between System RAM
  unseat layout 0x100000000-0x11fffffff                     how much of it kmem could use
  unseat layout 512M!4G --namespaces 16M,32M:devdax,18M     label namespaces in a region
  unseat layout --from capture.tar.gz '1G!0x200000000'      would it fit into that machine

Modes are those of ndctl create-namespace: raw, fsdax-mem, fsdax-dev, devdax, sector.

Exit status: 0 shown, whether it fits or not; 1 failed, 2 wrong command line.`);
}

export async function run(args: readonly string[], options: Options, out: Output): Promise<number> {
  const base = await machineFor(options);
  const ranges = [...base.ranges, ...args.map((text) => parseRange(text, base.machine.geometry.pageSize))];
  if (!ranges.some((r) => r.kind === 'pmem' || r.kind === 'ram')) {
    throw new UnseatError('USAGE', 'no range is given', { next: "Give ranges, or a machine with --from or --live; 'unseat layout --help' shows how." });
  }
  const report = layout(ranges, base.machine, profilesFor(options));
  const namespaces = carved(report, options, base.machine.geometry.pageSize);
  if (out.options.json) out.json(namespaces === null ? report : { ...report, namespaces });
  else out.text(layoutText(report, namespaces, { width: out.options.width, style: (style, text) => out.style(style, text) }));
  return EXIT.ok;
}

/** Geometry and ranges of the machine that was named, or x86-64 without any memory. */
async function machineFor(options: Options): Promise<{ readonly machine: LayoutMachine; readonly ranges: readonly LayoutRange[] }> {
  const asked = sizeOption(options, 'blockSize', '--block-size');
  if (options['from'] === undefined && options['live'] !== true) {
    const geometry = geometryOf('x86_64', 4096);
    if (geometry === null) throw new Error('no geometry');
    return { machine: { geometry, blockSize: checkBlock(asked ?? 128 * MiB, geometry.sectionSize) }, ranges: [] };
  }
  const { openHost } = await import('../open-host.ts');
  const { layoutOfMachine } = await import('../../plan/layout/of-machine.ts');
  const host = await openHost(options);
  try {
    const found = layoutOfMachine(host);
    return { machine: { ...found.machine, blockSize: checkBlock(asked ?? found.machine.blockSize, found.machine.geometry.sectionSize) }, ranges: found.ranges };
  } finally {
    host.close();
  }
}

function sizeOption(options: Options, key: string, flag: string): number | null {
  const text = options[key];
  if (typeof text !== 'string') return null;
  const size = parseSize(text);
  if (size === null || size <= 0) throw new UnseatError('USAGE', `"${text}" is no size`, { subject: flag, next: 'Write it as 128M or 2G.' });
  return size;
}

function checkBlock(blockSize: number, sectionSize: number): number {
  if (blockSize % sectionSize === 0) return blockSize;
  throw new UnseatError('USAGE', `a memory block holds whole sections of ${formatBytes(sectionSize)}`, { subject: '--block-size', seen: formatBytes(blockSize) });
}

function profilesFor(options: Options): readonly Profile[] {
  const text = options['kernel'];
  if (typeof text !== 'string') return RELEASES;
  return text.split(',').map((name) => {
    const profile = releaseNames().includes(name.trim()) ? profileByName(name.trim()) : null;
    if (profile === null) throw new UnseatError('USAGE', `there is no profile ${name.trim()}`, { subject: '--kernel', next: `Take some of ${releaseNames().join(', ')}.` });
    return profile;
  });
}

function carved(report: LayoutReport, options: Options, pageSize: number): NamespaceVerdict[] | null {
  const text = options['namespaces'];
  if (typeof text !== 'string') return null;
  const region = report.ranges.find((r) => r.kind === 'pmem');
  if (region === undefined) throw new UnseatError('USAGE', '--namespaces needs a pmem range', { next: 'Give one, for example 512M!4G.' });
  return carveNamespaces(region, text.split(',').map(parseNamespace), pageSize, sizeOption(options, 'regionAlign', '--region-align') ?? undefined);
}
