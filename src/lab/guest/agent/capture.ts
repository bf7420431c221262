/** Takes a capture of the guest for `lab capture`: the files of proc and sysfs that a host of captures reads. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Guest } from './machine.ts';

const CHUNK = 48 * 1024;

/** Uses the project's own `unseat capture`, so that what a capture holds is decided in one place. */
export async function sendCapture(guest: Guest): Promise<void> {
  const file = '/run/lab-capture.tar.gz';
  const failed = await new Promise<string | null>((resolve) => {
    execFile(process.execPath, ['--no-warnings', guest.unseat, 'capture', '--output', file], { timeout: 120_000 }, (error, _stdout, stderr) => resolve(error ? stderr || error.message : null));
  });
  if (failed !== null) return guest.channel.send({ type: 'setup-failed', reason: `unseat capture: ${failed}`, notAvailable: true });
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; at += CHUNK) {
    guest.channel.send({ type: 'file', name: 'capture.tar.gz', base64: bytes.subarray(at, at + CHUNK).toString('base64'), last: at + CHUNK >= bytes.length });
  }
}
