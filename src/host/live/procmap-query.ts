/**
 * PROCMAP_QUERY (fs/proc/task_mmu.c, 6.11 and later): asks for mappings by number, file-backed ones only. No text is
 * printed for those that are not wanted, and a name only for those that are.
 */
import { closeSync, openSync } from 'node:fs';
import type { DeviceNumber } from '../host.ts';
import type { WantLine } from '../maps.ts';
import type { Mapping } from '../processes.ts';
import { native } from './native.ts';

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

type Ioctl = ReturnType<typeof native>['ioctl'];

export class ProcmapQuery {
  private readonly words = new Uint32Array(SIZE / 4);
  private readonly name = Buffer.alloc(NAME_SIZE);
  private readonly texts = new Texts(this.name);
  /** The call, and the addresses of the two buffers: a number is passed sooner than a buffer. */
  private call: { readonly ioctl: Ioctl; readonly query: number; readonly name: readonly [number, number] } | undefined;
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
    const { words } = this;
    const found: Mapping[] = [];
    words[AT.address] = words[AT.address + 1] = 0;
    // Mappings of one device mostly lie together: after a wanted one the name, which costs, is asked for at once.
    for (let named = false; ;) {
      const errno = this.ask(fd, named);
      if (errno !== null) return errno === 'ENOENT' ? found : undefined;
      const wanted = want(words[AT.major] ?? 0, words[AT.minor] ?? 0, this.wide(AT.inode), this.wide(AT.start), this.wide(AT.end));
      if (wanted && named) found.push(this.mapping());
      // Wanted and without its name: asked again. It may have changed meanwhile, so it is judged by that answer.
      if (named || !wanted) {
        words[AT.address] = words[AT.end] ?? 0;
        words[AT.address + 1] = words[AT.end + 1] ?? 0;
      }
      named = wanted;
    }
  }

  /** Asks for the mapping at or after the address in the query and fills the answer in; returns the errno, null for success. */
  private ask(fd: number, named: boolean): string | null {
    const { words } = this;
    const call = (this.call ??= this.prepared());
    words[AT.size] = SIZE;
    words[AT.flags] = COVERING_OR_NEXT_VMA | FILE_BACKED_VMA;
    words[AT.nameSize] = named ? NAME_SIZE : 0;
    words[AT.name] = named ? call.name[0] : 0;
    words[AT.name + 1] = named ? call.name[1] : 0;
    if (call.ioctl(fd, PROCMAP_QUERY, call.query) === 0) return null;
    const errno = native().errno();
    this.lacking ||= errno === 'ENOTTY' || errno === 'EINVAL';
    return errno;
  }

  private prepared(): NonNullable<ProcmapQuery['call']> {
    const { address, ioctl } = native();
    const name = Number(address(this.name));
    return { ioctl, query: Number(address(new Uint8Array(this.words.buffer))), name: [name % HIGH, Math.floor(name / HIGH)] };
  }

  private mapping(): Mapping {
    const { words, texts } = this;
    return {
      start: this.wide(AT.start),
      end: this.wide(AT.end),
      perms: PERMS[(words[AT.vmaFlags] ?? 0) & 15] ?? '----',
      offset: this.wide(AT.offset),
      dev: texts.dev(words[AT.major] ?? 0, words[AT.minor] ?? 0),
      ino: this.wide(AT.inode),
      name: texts.name(words[AT.nameSize] ?? 0),
    };
  }

  private wide(at: number): number {
    return (this.words[at] ?? 0) + (this.words[at + 1] ?? 0) * HIGH;
  }
}

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
