/** Opens a capture: a directory, or an archive in any of the compressions of `compression.ts`. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Host } from '../host.ts';
import { readArchive } from './archive.ts';
import { DirectoryNode } from './directory.ts';
import { captureHost } from './capture-host.ts';
import { badCapture, DEFAULT_LIMITS, tooLarge, type CaptureLimits } from './limits.ts';
import { findRoot } from './root.ts';
import type { TreeNode } from './tree.ts';

/**
 * The machine in a capture, read only. Throws NOT_FOUND, UNREADABLE, BAD_CAPTURE (truncated, corrupt, none) or
 * UNSAFE_CAPTURE (reaches outside of itself, absurdly large).
 */
export async function openCapture(path: string, limits: CaptureLimits = DEFAULT_LIMITS): Promise<Host> {
  const top = await treeAt(path, limits);
  return captureHost(path, basename(resolve(path)), findRoot(path, top));
}

async function treeAt(path: string, limits: CaptureLimits): Promise<TreeNode> {
  let fd: number;
  try {
    // A FIFO without a writer would be waited for at open.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    throw cannotOpen(path, error as NodeJS.ErrnoException);
  }
  let bytes: Uint8Array;
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) return new DirectoryNode(resolve(path), limits);
    if (!stat.isFile()) throw badCapture(path, 'this is no capture', 'neither a directory nor a regular file', 'Give a directory, or a file that holds the archive.');
    if (stat.size > limits.totalBytes) throw tooLarge(path, 'the archive', stat.size, limits.totalBytes, 'bytes');
    bytes = readAll(fd, stat.size);
  } finally {
    closeSync(fd);
  }
  if (bytes.length === 0) throw badCapture(path, 'the archive is empty', '0 bytes');
  return readArchive(path, bytes, limits);
}

function readAll(fd: number, size: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  while (at < size) {
    const count = readSync(fd, bytes, at, size - at, at);
    if (count === 0) break;
    at += count;
  }
  return bytes.subarray(0, at);
}

function cannotOpen(path: string, error: NodeJS.ErrnoException): UnseatError {
  const denied = error.code === 'EACCES' || error.code === 'EPERM';
  return new UnseatError(denied ? 'UNREADABLE' : 'NOT_FOUND', 'the capture cannot be opened', {
    subject: path,
    cause: error.code ?? error.message,
    next: denied ? 'Make the file readable for this user, or run as its owner.' : 'Check the path; a capture is a directory or a .tar archive, plain or compressed.',
  });
}
