/** Large files of our own, read and replaced as a whole. */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { UnseatError } from '../../errors/unseat-error.ts';
import { errnoOf } from './absence.ts';

/** Bytes of one read(2) or write(2): the kernel takes at most 2 GiB. */
const PIECE = 1 << 26;

/** Writes to a file beside it first: the old one stays whole whatever happens. @throws UnseatError WRITE_FAILED */
export function replaceWhole(path: string, parts: readonly Uint8Array[]): void {
  const temporary = `${path}.${process.pid}.new`;
  try {
    const file = openSync(temporary, 'w', 0o644);
    try {
      for (const part of parts) for (let at = 0; at < part.length;) at += writeSync(file, part, at, Math.min(PIECE, part.length - at));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UnseatError('WRITE_FAILED', 'the file cannot be written', { subject: path, cause: errnoOf(error) });
  }
}

/** @throws UnseatError NOT_FOUND, BAD_INPUT */
export function readWhole(path: string): Uint8Array<ArrayBuffer> {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(fstatSync(file).size);
      let at = 0;
      for (let got = 1; got > 0 && at < bytes.length; at += got) got = readSync(file, bytes, at, Math.min(PIECE, bytes.length - at), null);
      return at === bytes.length ? bytes : bytes.slice(0, at);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const errno = errnoOf(error);
    throw new UnseatError(errno === 'ENOENT' ? 'NOT_FOUND' : 'BAD_INPUT', errno === 'ENOENT' ? 'there is no such file' : 'the file cannot be read', { subject: path, cause: errno });
  }
}
