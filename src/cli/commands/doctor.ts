/** `unseat doctor`: what this kernel and this user can and cannot see or do. */
import type { Command } from 'commander';
import { EXIT } from '../../errors/codes.ts';
import { examine } from '../../machine/doctor/doctor.ts';
import { addHostOptions, openHost } from '../open-host.ts';
import { doctorText } from '../print/doctor.ts';
import type { Output } from '../print/output.ts';

const HELP = `
Each line: ok, limited, missing or unknown; what was found; what follows from it.
  ok       nothing stands in the way
  limited  works in part, or by a longer way
  missing  not there, or not for this user
  unknown  this host cannot tell (a capture that does not hold the file)
Nothing is changed. The exit status is 0 whatever is found.

Examples:
  unseat doctor                          this machine, as this user
  sudo unseat doctor                     the same with all rights
  unseat doctor --from capture.tar.gz    what a capture can tell of its machine
  unseat doctor --json                   the same for programs`;

export function define(command: Command): void {
  addHostOptions(command).addHelpText('after', HELP);
}

export async function run(_args: readonly string[], options: Readonly<Record<string, unknown>>, out: Output): Promise<number> {
  const host = await openHost(options);
  try {
    const doctor = examine(host);
    if (out.options.json) out.json(doctor);
    else out.text(doctorText(doctor, out));
    return EXIT.ok;
  } finally {
    host.close();
  }
}
