/**
 * /proc/PID/maps from bytes (fs/proc/task_mmu.c, show_map_vma, 5.10 to 7.2). No string is made for a line that is not
 * wanted: a holder search looks at hundreds of thousands of lines and keeps a few.
 *
 * The kernel escapes only the newline in the name (as `\012`), not the backslash, so a file whose name holds the four
 * characters `\012` cannot be told from one with a newline; the newline is assumed, and the live host asks map_files.
 */
import type { DeviceNumber } from './host.ts';
import type { Mapping } from './processes.ts';

/** Says whether a line is wanted, from its numbers alone. Addresses in bytes. */
export type WantLine = (major: number, minor: number, ino: number, start: number, end: number) => boolean;

export interface ParsedMaps {
  readonly mappings: Mapping[];
  /** Set when a line did not have the form of maps: its byte offset and what was expected there. */
  readonly malformed?: string;
}

const NL = 0x0a;
const SPACE = 0x20;
const COLON = 0x3a;
const DASH = 0x2d;

/** Value of a hex digit by character code, 255 for all else. */
const HEX = new Uint8Array(256).fill(255);
for (let i = 0; i < 10; i += 1) HEX[0x30 + i] = i;
for (let i = 0; i < 6; i += 1) HEX[0x61 + i] = HEX[0x41 + i] = 10 + i;

/** One pass over the text; position and last number are fields so that no pair is allocated per number. */
class Cursor {
  at = 0;
  readonly bytes: Uint8Array;
  readonly end: number;

  constructor(bytes: Uint8Array, end: number) {
    this.bytes = bytes;
    this.end = end;
  }

  /** Reads digits in `base` up to the byte `stop` and steps over it; -1 where the form is not that. */
  number(base: 10 | 16, stop: number): number {
    const { bytes, end } = this;
    let value = 0;
    let at = this.at;
    const first = at;
    while (at < end) {
      const digit = HEX[bytes[at] as number] as number;
      if (digit >= base) break;
      value = value * base + digit;
      at += 1;
    }
    this.at = at;
    if (at === first || at >= end || bytes[at] !== stop) return -1;
    this.at = at + 1;
    return value;
  }

  lineEnd(): number {
    const at = this.bytes.indexOf(NL, this.at);
    return at === -1 || at > this.end ? this.end : at;
  }
}

/**
 * Parses `bytes[0, length)`. Never throws: lines up to the first malformed one are returned, with the reason. A last
 * line without newline counts as malformed only where its numbers are cut.
 */
export function parseMaps(bytes: Uint8Array, length: number = bytes.length, want?: WantLine): ParsedMaps {
  const mappings: Mapping[] = [];
  const cursor = new Cursor(bytes, length);
  const texts = new Texts(bytes);
  while (cursor.at < length) {
    const line = cursor.at;
    const start = cursor.number(16, DASH);
    const end = start < 0 ? -1 : cursor.number(16, SPACE);
    const permsAt = cursor.at;
    cursor.at = permsAt + 5;
    const offset = end < 0 || cursor.at > length || bytes[permsAt + 4] !== SPACE ? -1 : cursor.number(16, SPACE);
    const major = offset < 0 ? -1 : cursor.number(16, COLON);
    const minor = major < 0 ? -1 : cursor.number(16, SPACE);
    const ino = minor < 0 ? -1 : inode(cursor);
    if (ino < 0 || end <= start) return { mappings, malformed: `byte ${line}: no line of maps` };
    const stop = cursor.lineEnd();
    if (want === undefined || want(major, minor, ino, start, end)) {
      mappings.push({ start, end, perms: texts.perms(permsAt), offset, dev: texts.dev(major, minor), ino, name: texts.name(cursor.at, stop) });
    }
    cursor.at = stop + 1;
  }
  return { mappings };
}

/** The inode ends the line or is followed by the blanks that pad the name. */
function inode(cursor: Cursor): number {
  const before = cursor.at;
  const value = cursor.number(10, SPACE);
  if (value >= 0) return value;
  if (cursor.at === before || (cursor.at < cursor.end && cursor.bytes[cursor.at] !== NL)) return -1;
  const stop = cursor.at;
  let digits = 0;
  for (let at = before; at < stop; at += 1) digits = digits * 10 + (HEX[cursor.bytes[at] as number] as number);
  return digits;
}

/** The texts of lines. Neighbours mostly have the same: the last ones are kept, and no string is made again for them. */
class Texts {
  private readonly bytes: Buffer;
  private readonly permsSeen = new Map<number, string>();
  private lastMajor = -1;
  private lastMinor = -1;
  private lastDev: DeviceNumber = '';
  private nameFrom = 0;
  private nameTo = 0;
  private lastName = '';

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  perms(at: number): string {
    const key = this.bytes.readUInt32LE(at);
    let text = this.permsSeen.get(key);
    if (text === undefined) this.permsSeen.set(key, (text = this.bytes.toString('latin1', at, at + 4)));
    return text;
  }

  dev(major: number, minor: number): DeviceNumber {
    if (major !== this.lastMajor || minor !== this.lastMinor) {
      this.lastMajor = major;
      this.lastMinor = minor;
      this.lastDev = `${major}:${minor}`;
    }
    return this.lastDev;
  }

  name(from: number, stop: number): string {
    let at = from;
    while (at < stop && this.bytes[at] === SPACE) at += 1;
    if (at >= stop) return '';
    if (stop - at === this.nameTo - this.nameFrom && this.bytes.compare(this.bytes, this.nameFrom, this.nameTo, at, stop) === 0) return this.lastName;
    const text = this.bytes.toString('latin1', at, stop);
    this.nameFrom = at;
    this.nameTo = stop;
    this.lastName = text.includes('\\012') ? text.replaceAll('\\012', '\n') : text;
    return this.lastName;
  }
}
