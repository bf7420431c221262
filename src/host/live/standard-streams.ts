/**
 * Standard output and error without Node's streams, which take three milliseconds to load. Only where they are no
 * terminals: those have colours, widths and lines that are written again.
 */
import { fstatSync, writeSync } from 'node:fs';
import { errnoOf } from './absence.ts';

/** Null where descriptor 1 or 2 is a character device, or cannot be looked at. */
export function plainStreams(): { out(text: string): void; err(text: string): void } | null {
  try {
    if (fstatSync(1).isCharacterDevice() || fstatSync(2).isCharacterDevice()) return null;
  } catch {
    return null;
  }
  return { out: (text) => writeWhole(1, text), err: (text) => writeWhole(2, text) };
}

/** A reader that went away (`| head`) ends the printing and nothing else. A pipe that another process made non-blocking is waited for. */
function writeWhole(fd: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (errnoOf(error) === 'EPIPE') return;
      if (errnoOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
