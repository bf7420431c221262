/**
 * The tree of a capture that is a directory. It is read when asked for and only as far as asked for (an unpacked
 * sosreport may hold gigabytes of logs). Links are never followed by the file system: `resolve.ts` does, inside the root.
 */
import { constants, closeSync, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { FileKind } from '../host.ts';
import { tooLarge, type CaptureLimits } from './limits.ts';
import type { TreeNode } from './tree.ts';

const NOTHING: ReadonlyMap<string, TreeNode> = new Map();

export class DirectoryNode implements TreeNode {
  readonly kind: FileKind;
  readonly mode: number;
  readonly ino: number;
  readonly rdev?: string;
  readonly target?: string;
  private readonly path: string;
  private readonly limits: CaptureLimits;
  private listed: ReadonlyMap<string, TreeNode> | null = null;

  constructor(path: string, limits: CaptureLimits) {
    const stat = lstatSync(path);
    this.path = path;
    this.limits = limits;
    this.mode = stat.mode;
    this.ino = stat.ino;
    this.kind = kindOf(stat.mode);
    if (this.kind === 'link') this.target = readlinkSync(path);
    if (this.kind === 'char' || this.kind === 'block') this.rdev = `${major(stat.rdev)}:${minor(stat.rdev)}`;
  }

  data(): Uint8Array | string {
    if (this.kind !== 'file') return this.kind === 'directory' ? 'EISDIR' : 'EINVAL';
    try {
      return readRegular(this.path, this.limits);
    } catch (error) {
      if (isErrno(error)) return error.code;
      throw error;
    }
  }

  children(): ReadonlyMap<string, TreeNode> {
    if (this.kind !== 'directory') return NOTHING;
    this.listed ??= this.list();
    return this.listed;
  }

  private list(): ReadonlyMap<string, TreeNode> {
    const found = new Map<string, TreeNode>();
    let names: string[];
    try {
      names = readdirSync(this.path);
    } catch (error) {
      if (isErrno(error)) return NOTHING;
      throw error;
    }
    for (const name of names) {
      try {
        found.set(name, new DirectoryNode(join(this.path, name), this.limits));
      } catch (error) {
        if (!isErrno(error)) throw error;
      }
    }
    return found;
  }
}

/** Reads a regular file to its end. A file that grows beyond the limit, or that is none, is refused. */
function readRegular(path: string, limits: CaptureLimits): Uint8Array {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(fd);
    if (size > limits.fileBytes) throw tooLarge(path, 'the file', size, limits.fileBytes, 'bytes');
    const chunks: Uint8Array[] = [];
    let total = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(Math.max(4096, size - total + 1));
      const count = readSync(fd, chunk, 0, chunk.length, null);
      if (count === 0) break;
      total += count;
      if (total > limits.fileBytes) throw tooLarge(path, 'the file', total, limits.fileBytes, 'bytes');
      chunks.push(chunk.subarray(0, count));
    }
    return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
  } finally {
    closeSync(fd);
  }
}

function kindOf(mode: number): FileKind {
  switch (mode & constants.S_IFMT) {
    case constants.S_IFDIR: return 'directory';
    case constants.S_IFLNK: return 'link';
    case constants.S_IFCHR: return 'char';
    case constants.S_IFBLK: return 'block';
    case constants.S_IFIFO: return 'fifo';
    case constants.S_IFSOCK: return 'socket';
    default: return 'file';
  }
}

/** As glibc's gnu_dev_major and gnu_dev_minor split a dev_t. */
const major = (dev: number): number => Math.floor(dev / 0x100) % 0x1000;
const minor = (dev: number): number => (dev % 0x100) + Math.floor(dev / 0x100000) % 0x1000 * 0x100;

const isErrno = (error: unknown): error is NodeJS.ErrnoException & { code: string } =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error;
