/**
 * PROCMAP_QUERY (fs/proc/task_mmu.c, 6.11 and later): asks for mappings by number, file-backed ones only. No text is
 * printed for those that are not wanted, and a name only for those that are.
 */
import { closeSync, openSync } from 'node:fs';
import type { WantLine } from '../maps.ts';
import type { Mapping } from '../processes.ts';
import { native } from './native.ts';

/** _IOWR('f', 17, struct procmap_query), 104 bytes. */
const PROCMAP_QUERY = 0xc0686611;
const SIZE = 104;
/** Offsets of the fields of struct procmap_query. */
const AT = { size: 0, flags: 8, address: 16, start: 24, end: 32, vmaFlags: 40, offset: 56, inode: 64, major: 72, minor: 76, nameSize: 80, name: 88 } as const;
const COVERING_OR_NEXT_VMA = 0x10;
const FILE_BACKED_VMA = 0x20;
const [READABLE, WRITABLE, EXECUTABLE, SHARED] = [1, 2, 4, 8];
/** PATH_MAX and what ` (deleted)` adds; a name that does not fit makes the text of maps be read. */
const NAME_SIZE = 8192;
const HIGH = 0x1_0000_0000;

export class ProcmapQuery {
  private readonly bytes = Buffer.alloc(SIZE);
  private readonly view = new DataView(this.bytes.buffer, this.bytes.byteOffset, SIZE);
  private readonly name = Buffer.alloc(NAME_SIZE);
  /** Addresses of the two buffers: a number is passed sooner than a buffer. */
  private at: { readonly query: number; readonly name: bigint } | undefined;
  private lacking = false;

  /**
   * The wanted mappings of the process in address order, as the text of maps has them. Undefined where this cannot tell
   * (an older kernel, no address space, a name too long): the text can. Throws the error of node:fs when maps cannot be opened.
   */
  wanted(pid: number, want: WantLine): Mapping[] | undefined {
    if (this.lacking) return undefined;
    const fd = openSync(`/proc/${pid}/maps`, 'r');
    try {
      return this.walk(fd, want);
    } finally {
      closeSync(fd);
    }
  }

  private walk(fd: number, want: WantLine): Mapping[] | undefined {
    const found: Mapping[] = [];
    // Mappings of one device mostly lie together: after a wanted one the name, which costs, is asked for at once.
    for (let [address, named] = [0, false]; ;) {
      const errno = this.ask(fd, address, named);
      if (errno !== null) return errno === 'ENOENT' ? found : undefined;
      const wanted = this.isWanted(want);
      // The same mapping again, with its name; it may have changed meanwhile, so it is judged by that answer.
      const again = wanted && !named;
      address = again ? Math.max(address, this.wide(AT.start)) : this.wide(AT.end);
      if (wanted && named) found.push(this.mapping());
      named = wanted;
    }
  }

  private isWanted(want: WantLine): boolean {
    return want(this.view.getUint32(AT.major, true), this.view.getUint32(AT.minor, true), this.wide(AT.inode), this.wide(AT.start), this.wide(AT.end));
  }

  /** Fills the answer in; returns the errno, null for success. */
  private ask(fd: number, address: number, named: boolean): string | null {
    const { view } = this;
    this.at ??= { query: Number(native().address(this.bytes)), name: native().address(this.name) };
    view.setUint32(AT.size, SIZE, true);
    view.setUint32(AT.flags, COVERING_OR_NEXT_VMA | FILE_BACKED_VMA, true);
    view.setUint32(AT.address, address % HIGH, true);
    view.setUint32(AT.address + 4, Math.floor(address / HIGH), true);
    view.setUint32(AT.nameSize, named ? NAME_SIZE : 0, true);
    view.setBigUint64(AT.name, named ? this.at.name : 0n, true);
    if (native().ioctl(fd, PROCMAP_QUERY, this.at.query) === 0) return null;
    const errno = native().errno();
    this.lacking ||= errno === 'ENOTTY' || errno === 'EINVAL';
    return errno;
  }

  private mapping(): Mapping {
    const flags = this.view.getUint32(AT.vmaFlags, true);
    const nameSize = this.view.getUint32(AT.nameSize, true);
    return {
      start: this.wide(AT.start),
      end: this.wide(AT.end),
      perms: `${flags & READABLE ? 'r' : '-'}${flags & WRITABLE ? 'w' : '-'}${flags & EXECUTABLE ? 'x' : '-'}${flags & SHARED ? 's' : 'p'}`,
      offset: this.wide(AT.offset),
      dev: `${this.view.getUint32(AT.major, true)}:${this.view.getUint32(AT.minor, true)}`,
      ino: this.wide(AT.inode),
      // The size counts the NUL at the end.
      name: nameSize === 0 ? '' : this.name.toString('latin1', 0, nameSize - 1),
    };
  }

  private wide(at: number): number {
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * HIGH;
  }
}
