/**
 * Looks at one process after another through a descriptor of its folder in /proc. The folder belongs to the process and
 * not to its number (fs/proc/base.c, proc_pid_make_inode()): once it is open, nothing that is read through it can be of
 * a later process. By calls of the C library: with node:fs the calls themselves cost more than what the kernel does.
 */
import { constants } from 'node:fs';
import { endianness } from 'node:os';
import { quietly } from './absence.ts';
import { makedev } from './files.ts';
import { native, type Calls } from './native.ts';

/** What is looked at by name. */
export type Entry = 'exe' | 'cwd' | 'root' | 'fd' | 'task' | 'maps' | 'stat' | 'status' | 'cmdline' | 'cgroup' | 'ns/mnt';
const ENTRIES: readonly Entry[] = ['exe', 'cwd', 'root', 'fd', 'task', 'maps', 'stat', 'status', 'cmdline', 'cgroup', 'ns/mnt'];

/** Numbers of an inode as node:fs has them. */
export interface Numbers {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly rdev: number;
}

export interface Descriptor {
  readonly fd: number;
  /** Undefined where the file cannot be looked at (a FUSE mount of another user, a server that is gone). */
  readonly stats: Numbers | undefined;
}

/** Offsets of the parts of the memory, in bytes. */
const NAME = 16;
const AT = { path: 0, number: 32, entries: 64, statx: 512, link: 1024, content: 16384, end: 131072 } as const;
const LINK_SIZE = AT.content - AT.link;
const CONTENT_SIZE = AT.end - AT.content;
/** struct statx (include/uapi/linux/stat.h) and linux_dirent64, the same on every architecture. */
const STATX = { nlink: 16, mode: 28, ino: 32, rdevMajor: 128, rdevMinor: 132, devMajor: 136, devMinor: 140 } as const;
const DIRENT = { length: 16, name: 19 } as const;
/** STATX_TYPE, STATX_NLINK and STATX_INO; device numbers always come along. */
const MASK = 0x1 | 0x4 | 0x100;
/** Neither a server that is gone nor an automount is waited for: the numbers are known without them. */
const AT_STATX_DONT_SYNC = 0x4000;
const AT_NO_AUTOMOUNT = 0x800;
const AT_FDCWD = -100;
/** The same on all architectures that the FFI library has. */
const O_CLOEXEC = 0o2000000;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC;
const HIGH = 0x1_0000_0000;
const PREFIX = '/proc/';

export class ProcessDoor {
  private readonly calls: Calls;
  private readonly bytes = Buffer.allocUnsafeSlow(AT.end);
  private readonly words = new Uint32Array(this.bytes.buffer, 0, AT.content / 4);
  private readonly base: number;
  private readonly addresses: Readonly<Record<Entry, number>>;
  private folder = -1;
  /** Of its folder of descriptors. */
  private list = -1;

  /** Undefined where there is no FFI library, or the C library lacks a call. */
  static make(): ProcessDoor | undefined {
    return endianness() === 'LE' ? quietly(() => new ProcessDoor(), () => undefined) : undefined;
  }

  private constructor() {
    const { calls, address } = native();
    this.calls = calls;
    this.base = Number(address(this.bytes));
    this.bytes.write(PREFIX, AT.path, 'latin1');
    this.addresses = Object.fromEntries(ENTRIES.map((entry, i) => {
      this.bytes.write(`${entry}\0`, AT.entries + i * NAME, 'latin1');
      return [entry, this.base + AT.entries + i * NAME];
    })) as Record<Entry, number>;
  }

  /** False where it cannot be opened. */
  enter(pid: number): boolean {
    this.leave();
    this.bytes.write(`${pid}\0`, AT.path + PREFIX.length, 'latin1');
    this.folder = this.calls.openat(AT_FDCWD, this.base + AT.path, FOLDER);
    return this.folder >= 0;
  }

  leave(): void {
    if (this.list >= 0) this.calls.close(this.list);
    if (this.folder >= 0) this.calls.close(this.folder);
    this.list = this.folder = -1;
  }

  /** Where the link leads. Undefined for every error. */
  numbers(entry: Entry): Numbers | undefined {
    return this.statx(this.folder, this.addresses[entry]) ? this.seen() : undefined;
  }

  /** The links of task/ are its two own and one for each thread (fs/proc/base.c, proc_task_getattr()). @throws as node:fs */
  threads(): number {
    if (!this.statx(this.folder, this.addresses.task)) throw failure('task');
    return this.word(STATX.nlink) - 2;
  }

  /** Without those that were closed meanwhile. @throws as node:fs, for the list */
  descriptors(): Descriptor[] {
    const { calls, bytes, base } = this;
    if (this.list >= 0) calls.close(this.list);
    this.list = calls.openat(this.folder, this.addresses.fd, FOLDER);
    if (this.list < 0) throw failure('fd');
    const found: Descriptor[] = [];
    for (;;) {
      const got = calls.getdents(this.list, base + AT.content, CONTENT_SIZE);
      if (got < 0) throw failure('fd');
      if (got === 0) return found;
      for (let at: number = AT.content; at < AT.content + got; at += bytes.readUInt16LE(at + DIRENT.length)) {
        if (bytes[at + DIRENT.name] === DOT) continue;
        if (this.statx(this.list, base + at + DIRENT.name)) found.push({ fd: this.digits(at + DIRENT.name), stats: this.seen() });
        else if (native().errno() !== 'ENOENT') found.push({ fd: this.digits(at + DIRENT.name), stats: undefined });
      }
    }
  }

  /** Text of a descriptor's link, one character for each byte. `descriptors` was called before. @throws as node:fs */
  linkOf(fd: number): string {
    this.bytes.write(`${fd}\0`, AT.number, 'latin1');
    return this.linkAt(this.list, this.base + AT.number);
  }

  /** @throws as node:fs */
  link(entry: Entry): string {
    return this.linkAt(this.folder, this.addresses[entry]);
  }

  /** A whole file. @throws as node:fs, and where it is larger than any of these is */
  content(entry: Entry): Uint8Array {
    return this.within(entry, (fd) => {
      for (let length = 0; ;) {
        const got = this.calls.read(fd, this.base + AT.content + length, CONTENT_SIZE - length);
        if (got < 0) throw failure(entry);
        if (got === 0) return new Uint8Array(this.bytes.subarray(AT.content, AT.content + length));
        length += got;
        if (length === CONTENT_SIZE) throw Object.assign(new Error(entry), { code: 'EFBIG' });
      }
    });
  }

  /** With the entry open for reading. @throws as node:fs */
  within<T>(entry: Entry, use: (fd: number) => T): T {
    const fd = this.calls.openat(this.folder, this.addresses[entry], constants.O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw failure(entry);
    try {
      return use(fd);
    } finally {
      this.calls.close(fd);
    }
  }

  private statx(directory: number, path: number): boolean {
    return this.calls.statx(directory, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, MASK, this.base + AT.statx) === 0;
  }

  private linkAt(directory: number, path: number): string {
    const size = this.calls.readlinkat(directory, path, this.base + AT.link, LINK_SIZE);
    if (size < 0) throw failure('link');
    return this.bytes.toString('latin1', AT.link, AT.link + size);
  }

  private seen(): Numbers {
    return { dev: this.dev(), ino: this.ino(), mode: this.mode(), rdev: this.rdev() };
  }

  private dev(): number {
    return makedev(this.word(STATX.devMajor), this.word(STATX.devMinor));
  }

  private rdev(): number {
    return makedev(this.word(STATX.rdevMajor), this.word(STATX.rdevMinor));
  }

  private ino(): number {
    return this.word(STATX.ino) + this.word(STATX.ino + 4) * HIGH;
  }

  private mode(): number {
    return this.word(STATX.mode) & 0xffff;
  }

  private word(at: number): number {
    return this.words[(AT.statx + at) / 4] ?? 0;
  }

  private digits(at: number): number {
    let value = 0;
    for (let digit = this.bytes[at] ?? 0; digit !== 0; digit = this.bytes[(at += 1)] ?? 0) value = value * 10 + digit - 0x30;
    return value;
  }
}

const DOT = 0x2e;

const failure = (what: string): Error => Object.assign(new Error(what), { code: native().errno() });
