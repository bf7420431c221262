/** The project's own tool, run in the guest as an operator would. */
import { execFile } from 'node:child_process';
import { deviceOf, type Guest } from '../machine.ts';
import { notAvailable, type Seen } from './outcome.ts';

export interface UnseatRun {
  readonly status: number;
  readonly json: unknown;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export function unseat(guest: Guest, args: readonly string[], deadlineMs: number): Promise<UnseatRun> {
  return new Promise((resolve) => {
    const all = ['--no-warnings', guest.unseat, ...args, '--json'];
    execFile(process.execPath, all, { timeout: deadlineMs, killSignal: 'SIGKILL', maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      let json: unknown = null;
      try {
        json = JSON.parse(stdout);
      } catch { /* stderr says why */ }
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ status: code, json, stderr: stderr.trim().slice(0, 3000), timedOut: error?.killed === true });
    });
  });
}

/** The name by which an operator knows the device. */
export function operatorName(guest: Guest, name: string): string {
  const d = deviceOf(guest, name);
  if (d.driver === 'cxl_pci' && d.kernelName !== undefined) return d.kernelName;
  return (d.block ?? d.char ?? d.kernelName ?? d.namespace ?? name).replace('/dev/', '');
}

export async function remove(guest: Guest, name: string, way: string, deadlineMs: number): Promise<Seen> {
  const device = operatorName(guest, name);
  // `--force` alone takes detach where it can; a scenario that says force means memory_failure(), as on the simulated kernel.
  const asked = way === 'graceful' ? [] : [`--${way}`, ...(way === 'force' ? ['--by-memory-failure'] : [])];
  const ran = await unseat(guest, ['remove', device, ...asked, '--yes', device], deadlineMs);
  return asSeen(ran);
}

export const scan = async (guest: Guest, deadlineMs: number): Promise<Seen> => asSeen(await unseat(guest, ['scan'], deadlineMs));
export const plan = async (guest: Guest, name: string, deadlineMs: number): Promise<Seen> => asSeen(await unseat(guest, ['plan', operatorName(guest, name)], deadlineMs));

function asSeen(ran: UnseatRun): Seen {
  if (/unknown command|Cannot find module/.test(ran.stderr)) return notAvailable(ran.stderr);
  const ending = ran.timedOut ? 'hangs' : ran.status === 0 ? 'returned' : 'refused';
  return { ending, unseat: ran.json ?? { status: ran.status }, detail: `exit ${ran.status}\n${ran.stderr}` };
}
