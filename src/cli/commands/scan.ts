/** `unseat scan`: the inventory. */
import type { Command } from 'commander';
import { EXIT } from '../../errors/codes.ts';
import { readMachine } from '../../machine/read.ts';
import { leafDevices, withHolders } from '../../machine/with-holders.ts';
import { addHostOptions, openHost } from '../open-host.ts';
import type { Output } from '../print/output.ts';
import { scanText } from '../print/scan.ts';

export function define(command: Command): void {
  addHostOptions(command)
    .option('--no-holders', 'do not look at the processes')
    .option('--pages', 'read what is on the blocks of memory that can leave even if that is more than 8 GiB (about 60 ns a page)')
    .addHelpText('after', `
Shows what memory this machine has, how it is used, who holds it, and what could leave. It changes nothing.

  unseat scan                        this machine; as root it sees addresses and all processes
  unseat scan --from capture.tar.gz  a machine captured elsewhere, a sosreport, an lsmem or hwloc dump
  unseat scan --json                 the whole inventory: raw bytes, half-open ranges (schema/machine.json)

The names in the first column are those that 'unseat plan' and 'unseat remove' take; so are /dev paths, mount
points, namespaces, memory blocks (memory42), PCI addresses and slots.

Exit status: 0 shown, 1 failed (as a capture that cannot be read), 2 wrong command line.`);
}

export async function run(_args: readonly string[], options: Readonly<Record<string, unknown>>, out: Output): Promise<number> {
  const host = await openHost(options);
  try {
    if (options['holders'] !== false) host.processes.expectSearch?.();
    // The page for people tells of mounts and swap only where they stand on memory that can leave.
    const looked = readMachine(host, { pages: options['pages'] === true ? true : 'when-cheap', users: out.options.json ? 'always' : 'when-memory-has-one' });
    const machine = options['holders'] === false ? looked : withHolders(host, looked, leafDevices(looked), out.options.json ? 'whole' : 'who');
    if (out.options.json) out.json(machine);
    else out.text(scanText(machine, { width: out.options.width, style: (style, text) => out.style(style, text) }));
    return EXIT.ok;
  } finally {
    host.close();
  }
}
