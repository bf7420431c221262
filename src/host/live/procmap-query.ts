/**
 * PROCMAP_QUERY (fs/proc/task_mmu.c, 6.11 and later): asks for mappings by number, file-backed ones only. No text is
 * printed for those that are not wanted, and a name only for those that are.
 */
import { closeSync, openSync } from 'node:fs';
import type { DeviceNumber } from '../host.ts';
import { COLUMNS, type MappedFile, type MappingTable } from '../mapping-table.ts';
import type { WantLine } from '../maps.ts';
import { native, type Calls } from './native.ts';

/** _IOWR('f', 17, struct procmap_query), 104 bytes. */
const PROCMAP_QUERY = 0xc0686611;
const SIZE = 104;
/** Fields of struct procmap_query as indexes of 32-bit words; 64-bit ones have their low half there and the high one after it. */
const AT = { size: 0, flags: 2, address: 4, start: 6, end: 8, vmaFlags: 10, offset: 14, inode: 16, major: 18, minor: 19, nameSize: 20, name: 22 } as const;
const COVERING_OR_NEXT_VMA = 0x10;
const FILE_BACKED_VMA = 0x20;
/** By the four lowest bits of the flags: readable, writable, executable, shared. */
const PERMS = Array.from({ length: 16 }, (_, bits) => `${bits & 1 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 4 ? 'x' : '-'}${bits & 8 ? 's' : 'p'}`);
/** PATH_MAX and what ` (deleted)` adds; a name that does not fit makes the text of maps be read. */
const NAME_SIZE = 8192;
const HIGH = 0x1_0000_0000;

type Ioctl = Calls['ioctl'];

export interface Question {
  readonly want: WantLine;
  /** Completes what is told of a file; undefined where its mappings are not wanted after all. */
  readonly admit: (file: MappedFile) => MappedFile | undefined;
  /**
   * False: mappings of one inode that follow each other are told under the name of the first, which nearly halves the time
   * of a process that maps a device often. They may have been made by different names (links, mounts).
   */
  readonly everyName: boolean;
}

/** What is known of the mapping before: an inode and its index among the files, -1 where it is not admitted. */
interface Before { major: number; minor: number; ino: number; index: number }

export class ProcmapQuery {
  private readonly words = new Uint32Array(SIZE / 4);
  private readonly name = Buffer.alloc(NAME_SIZE);
  private readonly texts = new Texts(this.name);
  private rows = new Float64Array(1024 * COLUMNS);
  private files: MappedFile[] = [];
  private readonly before: Before = { major: -1, minor: -1, ino: -1, index: -1 };
  /** The call, and the addresses of the two buffers: a number is passed sooner than a buffer. */
  private call: { readonly ioctl: Ioctl; readonly query: number; readonly name: readonly [number, number] } | undefined;
  private lacking = false;

  /**
   * The wanted mappings of the process in address order, as the text of maps has them. Undefined where this cannot tell
   * (an older kernel, no address space, a name too long): the text can. Throws the error of node:fs when maps cannot be opened.
   */
  wanted(pid: number, question: Question): MappingTable | undefined {
    if (this.lacking) return undefined;
    const fd = openSync(`/proc/${pid}/maps`, 'r');
    try {
      return this.through(fd, question);
    } finally {
      closeSync(fd);
    }
  }

  /** The same through a descriptor of maps. */
  through(fd: number, question: Question): MappingTable | undefined {
    if (this.lacking) return undefined;
    this.files = [];
    this.before.ino = -1;
    const length = this.walk(fd, question);
    return length === undefined ? undefined : { numbers: length === 0 ? NO_ROWS : this.rows.slice(0, length), perms: PERMS, files: this.files };
  }

  /** Fills the rows; the length of what is filled. */
  private walk(fd: number, { want, admit, everyName }: Question): number | undefined {
    const { words, before } = this;
    let length = 0;
    // Neighbours mostly map one inode: one answer for a run of them.
    let [major, minor, low, high, wanted] = [-1, -1, -1, -1, false];
    words[AT.address] = words[AT.address + 1] = 0;
    for (let named = false; ;) {
      const errno = named ? this.named(fd) : wanted ? this.pass(fd, -1, -1, -1, -1) : this.pass(fd, major, minor, low, high);
      if (errno !== null) return errno === 'ENOENT' ? length : undefined;
      if (words[AT.inode] !== low || words[AT.minor] !== minor || words[AT.major] !== major || words[AT.inode + 1] !== high) {
        [major, minor, low, high] = [words[AT.major] ?? 0, words[AT.minor] ?? 0, words[AT.inode] ?? 0, words[AT.inode + 1] ?? 0];
        wanted = want(major, minor, low + high * HIGH, this.wide(AT.start), this.wide(AT.end));
      }
      let again = false;
      if (wanted) {
        const ino = low + high * HIGH;
        again = !everyName && before.ino === ino && before.minor === minor && before.major === major;
        if (named) this.learn(major, minor, ino, admit);
        if ((named || again) && before.index >= 0) length = this.row(length, before.index);
      }
      // Wanted and without its name: asked again. It may have changed meanwhile, so it is judged by that answer.
      if (named || again || !wanted) {
        words[AT.address] = words[AT.end] ?? 0;
        words[AT.address + 1] = words[AT.end + 1] ?? 0;
      }
      // Mappings of one device mostly lie together: after a wanted one the name, which costs, is asked for at once.
      named = wanted && !again && (everyName || !named);
    }
  }

  /** Takes the name that was told into the files, where it is another than before. */
  private learn(major: number, minor: number, ino: number, admit: Question['admit']): void {
    const { before, files, texts } = this;
    const name = texts.name(this.words[AT.nameSize] ?? 0);
    if (before.ino === ino && before.minor === minor && before.major === major && before.index >= 0 && files[before.index]?.name === name) return;
    const admitted = admit({ dev: texts.dev(major, minor), ino, name });
    Object.assign(before, { major, minor, ino, index: admitted === undefined ? -1 : files.push(admitted) - 1 });
  }

  private row(length: number, file: number): number {
    if (length === this.rows.length) {
      const larger = new Float64Array(length * 2);
      larger.set(this.rows);
      this.rows = larger;
    }
    const { rows } = this;
    rows[length] = this.wide(AT.start);
    rows[length + 1] = this.wide(AT.end);
    rows[length + 2] = this.wide(AT.offset);
    rows[length + 3] = (this.words[AT.vmaFlags] ?? 0) & 15;
    rows[length + 4] = file;
    return length + COLUMNS;
  }

  /** Asks for the mapping at or after the address in the query, with its name, and fills the answer in; returns the errno, null for success. */
  private named(fd: number): string | null {
    const { words } = this;
    const { ioctl, query, name } = (this.call ??= this.prepared());
    words[AT.nameSize] = NAME_SIZE;
    words[AT.name] = name[0];
    words[AT.name + 1] = name[1];
    return ioctl(fd, PROCMAP_QUERY, query) === 0 ? null : this.failed();
  }

  /**
   * The same without the name, and past the mappings of one inode that is not wanted (-1: none). Nearly every call of a search is made
   * here: V8 compiles a loop as small as this in a quarter of the time that the whole walk takes it.
   */
  private pass(fd: number, major: number, minor: number, low: number, high: number): string | null {
    const { words } = this;
    const { ioctl, query } = (this.call ??= this.prepared());
    words[AT.nameSize] = words[AT.name] = words[AT.name + 1] = 0;
    while (ioctl(fd, PROCMAP_QUERY, query) === 0) {
      if (words[AT.inode] !== low || words[AT.minor] !== minor || words[AT.major] !== major || words[AT.inode + 1] !== high) return null;
      words[AT.address] = words[AT.end] ?? 0;
      words[AT.address + 1] = words[AT.end + 1] ?? 0;
    }
    return this.failed();
  }

  private failed(): string {
    const errno = native().errno();
    this.lacking ||= errno === 'ENOTTY' || errno === 'EINVAL';
    return errno;
  }

  private prepared(): NonNullable<ProcmapQuery['call']> {
    const { address, calls } = native();
    const name = Number(address(this.name));
    // What the kernel leaves as it is.
    this.words[AT.size] = SIZE;
    this.words[AT.flags] = COVERING_OR_NEXT_VMA | FILE_BACKED_VMA;
    return { ioctl: calls.ioctl, query: Number(address(new Uint8Array(this.words.buffer))), name: [name % HIGH, Math.floor(name / HIGH)] };
  }

  private wide(at: number): number {
    return (this.words[at] ?? 0) + (this.words[at + 1] ?? 0) * HIGH;
  }
}

const NO_ROWS = new Float64Array(0);

/** Neighbours mostly have the same name and device: no string is made again for them. */
class Texts {
  private readonly bytes: Buffer;
  private readonly last = Buffer.alloc(NAME_SIZE);
  private lastSize = -1;
  private lastName = '';
  private lastDev = { major: -1, minor: -1, text: '' };

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  dev(major: number, minor: number): DeviceNumber {
    if (this.lastDev.major !== major || this.lastDev.minor !== minor) this.lastDev = { major, minor, text: `${major}:${minor}` };
    return this.lastDev.text;
  }

  /** `size` counts the NUL at the end; 0 is no name. */
  name(size: number): string {
    if (size !== this.lastSize || !this.same(size)) {
      this.lastSize = size;
      this.bytes.copy(this.last, 0, 0, size);
      this.lastName = size === 0 ? '' : this.bytes.toString('latin1', 0, size - 1);
    }
    return this.lastName;
  }

  private same(size: number): boolean {
    const { bytes, last } = this;
    // From the end: names in one folder differ there.
    for (let at = size - 1; at >= 0; at -= 1) if (bytes[at] !== last[at]) return false;
    return true;
  }
}
