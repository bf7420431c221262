/** Files of the live machine. */
import { closeSync, openSync, readdirSync, readlinkSync, readSync, realpathSync, statSync, type Stats } from 'node:fs';
import type { Fact } from '../fact.ts';
import type { DeviceNumber, FileKind, Files, FileStat } from '../host.ts';
import { absence, quietly } from './absence.ts';
import { textOf, withContent } from './read.ts';

/** Linux's dev_t as glibc packs it in st_dev: 12 bits of major and 20 of minor, split for history's sake. */
export function deviceNumber(dev: number): DeviceNumber {
  const high = Math.floor(dev / 0x1_0000_0000);
  const low = dev >>> 0;
  const major = ((low >>> 8) & 0xfff) + (high & 0xfffff000);
  const minor = (low & 0xff) + ((low >>> 12) & 0xfff00) + (high & 0xfff) * 0x100000;
  return `${major}:${minor}`;
}

/** The inverse of `deviceNumber`: as st_dev and st_rdev have it. */
export function rawDeviceNumber(number: DeviceNumber): number {
  const [major = 0, minor = 0] = number.split(':').map(Number);
  return makedev(major, minor);
}

export function makedev(major: number, minor: number): number {
  const low = ((major & 0xfff) * 0x100) + (minor & 0xff) + ((minor >>> 8) & 0xfff) * 0x100000;
  const high = (major & 0xfffff000) + ((minor >>> 20) & 0xfff);
  return high === 0 ? low : (high >>> 0) * 0x1_0000_0000 + low;
}

const S_IFMT = 0o170000;
const KINDS: Readonly<Record<number, FileKind>> = {
  0o100000: 'file', 0o040000: 'directory', 0o120000: 'link', 0o020000: 'char', 0o060000: 'block', 0o010000: 'fifo', 0o140000: 'socket',
};

export function fileStat(stats: Stats): FileStat {
  const kind = KINDS[stats.mode & S_IFMT] ?? 'file';
  const common = { kind, dev: deviceNumber(stats.dev), ino: stats.ino, mode: stats.mode, size: stats.size };
  return kind === 'char' || kind === 'block' ? { ...common, rdev: deviceNumber(stats.rdev) } : common;
}

export class LiveFiles implements Files {
  /** Descriptors of kpageflags, kpagecount and kpagecgroup, which are read in many pieces. Never those of a process: a pid is used again. */
  private readonly pieces = new Map<string, number>();

  read(path: string): Fact<Uint8Array> {
    return quietly<Fact<Uint8Array>>(() => withContent(path, (bytes, length) => new Uint8Array(bytes.subarray(0, length))), (error) => absence(error, path));
  }

  text(path: string): Fact<string> {
    return quietly<Fact<string>>(() => withoutNewline(path.startsWith('/proc/') || path.startsWith('/sys/') ? textOf(path)
      : withContent(path, (bytes, length) => bytes.toString('utf8', 0, length))), (error) => absence(error, path));
  }

  readAt(path: string, offset: number, into: Uint8Array): Fact<number> {
    return quietly<Fact<number>>(() => {
      if (!path.startsWith('/proc/kpage')) return readOnce(path, offset, into);
      let fd = this.pieces.get(path);
      if (fd === undefined) this.pieces.set(path, (fd = openSync(path, 'r')));
      return readPiece(fd, offset, into);
    }, (error) => absence(error, path));
  }

  list(path: string): Fact<readonly string[]> {
    return quietly<Fact<readonly string[]>>(() => readdirSync(path).sort(), (error) => absence(error, path));
  }

  link(path: string): Fact<string> {
    return quietly<Fact<string>>(() => readlinkSync(path), (error) => absence(error, path));
  }

  resolve(path: string): Fact<string> {
    return quietly<Fact<string>>(() => realpathSync.native(path), (error) => absence(error, path));
  }

  stat(path: string): Fact<FileStat> {
    return quietly<Fact<FileStat>>(() => fileStat(statSync(path)), (error) => absence(error, path));
  }

  close(): void {
    for (const fd of this.pieces.values()) closeSync(fd);
    this.pieces.clear();
  }
}

const withoutNewline = (text: string): string => (text.endsWith('\n') ? text.slice(0, -1) : text);

function readOnce(path: string, offset: number, into: Uint8Array): number {
  const fd = openSync(path, 'r');
  try {
    return readPiece(fd, offset, into);
  } finally {
    closeSync(fd);
  }
}

/** Fills `into` as far as the file goes: a short read in the middle is followed by another. */
export function readPiece(fd: number, offset: number, into: Uint8Array): number {
  let done = 0;
  while (done < into.length) {
    const got = readSync(fd, into, done, into.length - done, offset + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}
