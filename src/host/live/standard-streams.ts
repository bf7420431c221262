/**
 * Standard output and error without Node's streams, which take three milliseconds to load. Only where they are no
 * terminals: those have colours, widths and lines that are written again.
 */
import { fstatSync, writeSync } from 'node:fs';
import { errnoOf } from './absence.ts';

/** `failed` is told the errno of a write that nobody wanted to fail; printing goes on then. Null where descriptor 1 or 2 is a character device, or cannot be looked at. */
export function plainStreams(failed: (errno: string) => void): { out(text: string): void; err(text: string): void } | null {
  const [out, err] = [plainWriter(1, failed), plainWriter(2, failed)];
  return out === null || err === null ? null : { out, err };
}

/** Writes to one of them as a whole, which Node's stream of a file does not: it takes a short write for all of it. Null for a terminal. */
export function plainWriter(fd: 1 | 2, failed: (errno: string) => void): ((text: string) => void) | null {
  try {
    return fstatSync(fd).isCharacterDevice() ? null : (text) => writeWhole(fd, text, failed);
  } catch {
    return null;
  }
}

/** A reader that went away (`| head`) ends the printing and nothing else. A pipe that another process made non-blocking is waited for. */
function writeWhole(fd: number, text: string, failed: (errno: string) => void): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (errnoOf(error) === 'EPIPE') return;
      if (errnoOf(error) !== 'EAGAIN') return failed(errnoOf(error));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
