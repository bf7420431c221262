/** `unseat map`: the physical address map. */
import type { Command } from 'commander';
import { EXIT } from '../../errors/codes.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import { physicalMap } from '../../machine/address-map/physical-map.ts';
import { findDevice } from '../../machine/devices/find.ts';
import { readMachine } from '../../machine/read.ts';
import { alignDown, alignUp, type PhysRange } from '../../range/phys-range.ts';
import { MiB, parseSize } from '../../range/units.ts';
import { addHostOptions, openHost } from '../open-host.ts';
import { mapText } from '../print/map.ts';
import type { Output } from '../print/output.ts';

export function define(command: Command): void {
  addHostOptions(command.argument('[device]', 'show only the sections that this device lies in'))
    .option('--range <range>', 'show only this range: START-END (END included, as in iomem) or START+SIZE')
    .addHelpText('after', `
Draws where memory lies, what it is, and which sections are shared. Each character is a power of two of bytes; the
scale stands above each area. Colour only on a terminal and without NO_COLOR; the letters say the same.

  unseat map                                      everything
  unseat map pmem0                                the sections around one device
  unseat map --range 0x100000000-0x107ffffff      one section
  unseat map --range 4G+128M                      the same

--json prints the segments, blocks and shared sections (schema/map.json); ranges are half open, in bytes.

Exit status: 0 shown, 1 failed, 2 wrong command line.`);
}

export async function run(args: readonly string[], options: Readonly<Record<string, unknown>>, out: Output): Promise<number> {
  const asked = typeof options['range'] === 'string' ? parseRange(options['range']) : null;
  const host = await openHost(options);
  try {
    const machine = readMachine(host, { rivals: false });
    const range = asked ?? (args[0] === undefined ? null : rangeAround(findDevice(machine, args[0]).ranges, args[0], machine.memory.blockSize ?? 128 * MiB));
    const map = physicalMap(machine, range);
    if (out.options.json) out.json(map);
    else out.text(mapText(map, { width: out.options.width, style: (style, text) => out.style(style, text) }));
    return EXIT.ok;
  } finally {
    host.close();
  }
}

/** `A-B` with B included, or `A+SIZE`. Throws USAGE. */
export function parseRange(text: string): PhysRange {
  const m = /^([^-+]+)([-+])([^-+]+)$/.exec(text.trim());
  const start = parseSize(m?.[1] ?? '');
  const second = parseSize(m?.[3] ?? '');
  if (m && start !== null && second !== null) {
    const end = m[2] === '+' ? start + second : second + 1;
    if (Number.isSafeInteger(end) && end > start) return { start, end };
  }
  throw new UnseatError('USAGE', 'this is no range', { subject: '--range', seen: JSON.stringify(text), next: 'Write START-END with the last byte included (0x100000000-0x107ffffff) or START+SIZE (4G+128M).' });
}

function rangeAround(ranges: readonly PhysRange[], name: string, unit: number): PhysRange {
  if (ranges.length === 0) throw new UnseatError('UNSUPPORTED', 'the addresses of this device are not known', { subject: name, next: 'Run as root: the kernel shows physical addresses to nobody else.' });
  return { start: alignDown(Math.min(...ranges.map((r) => r.start)), unit), end: alignUp(Math.max(...ranges.map((r) => r.end)), unit) };
}
