/** Which machine a command looks at: this one, a capture, or a simulated one. Nothing is loaded that is not used. */
import type { Command } from 'commander';
import { UnseatError } from '../errors/unseat-error.ts';
import type { Host } from '../host/host.ts';

export interface HostOptions {
  /** A capture: a directory or an archive. */
  readonly from?: string;
  /** A scenario file, or the name of a bundled one. */
  readonly simulate?: string;
  /** Profile of the simulated kernel; the newest release unless told. */
  readonly profile?: string;
  /** With `from`: a simulated machine like the captured one. */
  readonly twin?: boolean;
  readonly json?: boolean;
}

export function addHostOptions(command: Command): Command {
  return command
    .option('--from <capture>', 'look at a capture (directory, .tar, .tar.gz, .tar.bz2, .tar.xz, .tar.zst) instead of this machine')
    .option('--simulate <scenario>', 'look at a simulated machine instead of this one: a scenario file, or the name of a shipped one')
    .option('--profile <kernel>', 'with --simulate or --twin: which kernel, as 6.12; without it the newest, or the captured one')
    .option('--twin', 'with --from: a simulated machine like the captured one, which can also be changed')
    .option('--json', 'print one JSON document: sizes and addresses in bytes');
}

/** The caller closes the host. Throws USAGE for options that exclude each other, and what opening a capture throws. */
export async function openHost(options: HostOptions | Readonly<Record<string, unknown>>): Promise<Host> {
  const { from, simulate } = options as HostOptions;
  if (from !== undefined && simulate !== undefined) {
    throw new UnseatError('USAGE', '--from and --simulate exclude each other', { next: 'Give the one that you mean.' });
  }
  if (from !== undefined) {
    const { openCapture } = await import('../host/capture/open.ts');
    const capture = await openCapture(from);
    return (options as HostOptions).twin === true ? openTwin(capture, (options as HostOptions).profile) : capture;
  }
  if (simulate !== undefined) return openSimulated(simulate, (options as HostOptions).profile);
  if ((options as HostOptions).twin === true) throw new UnseatError('USAGE', '--twin needs --from', { next: 'Name the capture.' });
  if ((options as HostOptions).profile !== undefined) throw new UnseatError('USAGE', '--profile needs --simulate or --twin', { next: 'A real machine runs the kernel that it runs.' });
  const { openLive } = await import('../host/live/open.ts');
  return openLive();
}

/** The capture is read whole; the twin goes on without it. */
async function openTwin(capture: Host, profile: string | undefined): Promise<Host> {
  try {
    const { twinHost } = await import('../twin/open.ts');
    return twinHost(capture, profile);
  } finally {
    capture.close();
  }
}

async function openSimulated(name: string, profile: string | undefined): Promise<Host> {
  const { readDocuments } = await import('../host/live/documents.ts');
  const { simulate } = await import('../kernel/scenario/simulate.ts');
  const [document, ...more] = readDocuments([name], 'scenarios');
  if (document === undefined || more.length > 0) throw new UnseatError('USAGE', 'one scenario is simulated at a time', { subject: '--simulate', seen: name });
  return simulate(document.text, document.path, profile);
}
