/** `unseat capture`: one archive of this machine, to look at elsewhere. */
import type { Command } from 'commander';
import { EXIT } from '../../errors/codes.ts';
import type { Host } from '../../host/host.ts';
import type { WrittenCapture } from '../../host/capture/taking/write-capture.ts';
import { formatBytes } from '../../range/units.ts';
import type { Output } from '../print/output.ts';
import { addHostOptions, openHost } from '../open-host.ts';
import { VERSION } from '../version.ts';

const HELP = `
Reads what 'scan' and 'plan' need and writes it to one .tar.gz: the physical address map, memory blocks and zones,
nvdimm, dax, CXL, virtio and PCI devices, mounts of all namespaces, and of each process its names, mappings and open
file names. It changes nothing, and reads neither memory nor smaps. As root it sees most; as an ordinary
user the capture says what was denied.

Examples:
  unseat capture                                   writes unseat-capture-RELEASE-DATE.tar.gz here
  unseat capture --anonymize --output case.tar.gz  names, command lines, serials and addresses replaced
  unseat scan --from case.tar.gz                   looks at it, on any machine
  unseat capture --from sosreport-x.tar.xz         packs the useful part of another capture

Exit status: 0 written, also where files could not be read (the archive lists them); 1 failed, 2 wrong command line.`;

export function define(command: Command): void {
  addHostOptions(command)
    .option('-o, --output <file>', 'the archive to write (.tar.gz); must not exist')
    .option('--anonymize', 'replace names of hosts and files, command lines, serials, UUIDs and hardware addresses, each always by the same substitute')
    .option('--pagemap', 'also take the page table entries of mappings of devices (never those of a process that maps a device already gone)')
    .addHelpText('after', HELP);
}

export async function run(_args: readonly string[], options: Readonly<Record<string, unknown>>, out: Output): Promise<number> {
  const { defaultName, writeCapture } = await import('../../host/capture/taking/write-capture.ts');
  const { PRIVACY_NOTE } = await import('../../host/capture/taking/subjects.ts');
  const host = await openHost(options);
  try {
    const anonymize = options['anonymize'] === true;
    const path = typeof options['output'] === 'string' ? options['output'] : defaultName(host);
    for (const line of PRIVACY_NOTE) out.note(line);
    const written = await writeCapture(host, path, {
      tool: `unseat ${VERSION}`,
      command: `unseat capture${anonymize ? ' --anonymize' : ''}`,
      anonymize,
      ...(options['pagemap'] === true ? { pagemaps: await heldRanges(host) } : {}),
      progress: (done, at) => { if (done % 256 === 0) out.progress(`${done} files, ${at}`); },
    });
    if (out.options.json) out.json(written);
    else report(written, out);
    return EXIT.ok;
  } finally {
    host.close();
  }
}

/** What processes map of the devices that are there now. */
async function heldRanges(host: Host): Promise<{ pid: number; start: number; end: number }[]> {
  const { readMachine } = await import('../../machine/read.ts');
  const { withHolders } = await import('../../machine/with-holders.ts');
  const { holders } = withHolders(host, readMachine(host, { rivals: false }));
  const ranges = Object.values(holders).flat().flatMap((holder) => (holder.kind === 'process' ? holder.mappings.map(({ start, end }) => ({ pid: holder.pid, start, end })) : []));
  return [...new Map(ranges.map((range) => [`${range.pid} ${range.start}`, range])).values()];
}

function report(written: WrittenCapture, out: Output): void {
  const { path, entries, bytes, unreadable, manifest } = written;
  out.text(`${path}: ${entries} entries, ${formatBytes(bytes)}${manifest.anonymized ? ', anonymized' : ''}`);
  if (unreadable > 0) out.text(`${unreadable} files could not be read; unreadable.txt in the archive lists them.`);
  for (const { what, why } of manifest.leftOut) out.text(`Left out: ${what} (${why}).`);
  out.text(`Look at it with: unseat scan --from ${path}`);
}
