/** Which machine a command looks at: this one, a capture, or a simulated one. Nothing is loaded that is not used. */
import type { Command } from 'commander';
import { UnseatError } from '../errors/unseat-error.ts';
import type { Host } from '../host/host.ts';

export interface HostOptions {
  /** A capture: a directory or an archive. */
  readonly from?: string;
  /** A scenario file, or the name of a bundled one. */
  readonly simulate?: string;
  readonly json?: boolean;
}

export type SimulatedHost = (scenario: string) => Promise<Host>;

/** Set by the room that serves /proc and /sys from the simulated kernel, once it is there. */
const simulated: { open?: SimulatedHost } = {};

/** Hooks the simulated kernel in; called by the composition of the program and by tests. */
export function simulateWith(open: SimulatedHost): void {
  simulated.open = open;
}

export function addHostOptions(command: Command): Command {
  return command
    .option('--from <capture>', 'look at a capture (directory, .tar, .tar.gz, .tar.bz2, .tar.xz, .tar.zst) instead of this machine')
    .option('--simulate <scenario>', 'look at a simulated machine instead of this one')
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
    return openCapture(from);
  }
  if (simulate !== undefined) return openSimulated(simulate);
  const { openLive } = await import('../host/live/open.ts');
  return openLive();
}

async function openSimulated(scenario: string): Promise<Host> {
  if (simulated.open === undefined) {
    throw new UnseatError('UNSUPPORTED', 'this build has no simulated machines', { subject: '--simulate', seen: scenario });
  }
  return simulated.open(scenario);
}
