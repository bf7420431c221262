/** Reading whole files of proc and sysfs: their size is not known beforehand, and a short read is not the end. */
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';

/** No file that we read is larger; what is, is no file of proc or sysfs (a device that never ends). */
const LIMIT = 1 << 29;

/** Never waits for a peer (a FIFO without writer reads as empty) and never becomes the controlling terminal's reader. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Text of a file of proc or sysfs: one call into the runtime, which reads to the end of file whatever the size says. */
export const textOf = (path: string): string => readFileSync(path, { encoding: 'utf8', flag: FLAGS });

/** Beyond ASCII, what was read as UTF-8 does not tell the bytes. */
const BEYOND_ASCII = /[^\0-\x7f]/;

/** The bytes of a small file of /proc. One call into the runtime where they are plain text, as they nearly always are. */
export function bytesOf(path: string): Uint8Array {
  const text = textOf(path);
  return BEYOND_ASCII.test(text) ? withContent(path, (bytes, length) => new Uint8Array(bytes.subarray(0, length))) : Buffer.from(text, 'latin1');
}

let buffer = Buffer.allocUnsafeSlow(1 << 16);

/**
 * Reads a file into a buffer that is reused by the next call, and hands the bytes to `use`, which must copy what it
 * keeps. Throws the error of node:fs.
 */
export function withContent<T>(path: string, use: (bytes: Buffer, length: number) => T): T {
  const fd = openSync(path, FLAGS);
  try {
    return use(buffer, fill(fd, path));
  } finally {
    closeSync(fd);
  }
}

function fill(fd: number, path: string): number {
  let length = 0;
  for (;;) {
    if (length === buffer.length) grow(path);
    const got = readSync(fd, buffer, length, buffer.length - length, null);
    if (got === 0) return length;
    length += got;
  }
}

function grow(path: string): void {
  if (buffer.length >= LIMIT) throw Object.assign(new Error(`${path} does not end`), { code: 'EFBIG' });
  const larger = Buffer.allocUnsafeSlow(buffer.length * 4);
  buffer.copy(larger);
  buffer = larger;
}
