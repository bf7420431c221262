/** `unseat audit`: what past removals left behind. */
import type { Command } from 'commander';
import { EXIT } from '../../errors/codes.ts';
import { audit } from '../../remove/audit/audit.ts';
import { addHostOptions, openHost } from '../open-host.ts';
import { auditText } from '../print/audit.ts';
import type { Output } from '../print/output.ts';

export function define(command: Command): void {
  addHostOptions(command).addHelpText('after', `
Looks for mappings of devices that are gone (from maps alone: reading more of such a process can crash the kernel),
regions that stay claimed, memory without its device, mounts and swap of dead devices, blocks left offline, poisoned
pages, and removals that were interrupted. Nothing is changed. Exit status 4 when something is left behind.

  sudo unseat audit
  unseat audit --from capture.tar.gz
  unseat audit --json`);
}

export async function run(_args: readonly string[], options: Readonly<Record<string, unknown>>, out: Output): Promise<number> {
  const host = await openHost(options);
  try {
    const found = audit(host);
    if (out.options.json) out.json(found);
    else out.text(auditText(found, out));
    return found.findings.some((f) => f.weight === 'left') ? EXIT.found : EXIT.ok;
  } finally {
    host.close();
  }
}
