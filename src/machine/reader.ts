/**
 * Reading through a host with a memory for what went wrong. Readers ask for small files by the thousand; most of them
 * may be absent, and that is no news. What a reader of the inventory must hear of (no permission, a file that makes no
 * sense, a device that went away meanwhile) becomes a note, once for each kind and place.
 */
import { isMissing, type Fact, type Missing } from '../host/fact.ts';
import type { Host } from '../host/host.ts';
import type { Note } from './machine.ts';

/** The same refusal for hundreds of files of one kind is one note with a count. */
interface Collected {
  readonly note: Note;
  count: number;
}

/** `/sys/devices/system/memory/memory42/state` and its neighbours share `.../memoryN/state`. */
const family = (path: string): string => path.replace(/\d+/g, 'N');

const SAYS: Readonly<Record<string, string>> = {
  'denied': 'may not be read by this user',
  'unreadable': 'could not be read',
  'malformed': 'does not have the form that it should have',
  'vanished': 'went away while it was looked at',
  'not-captured': 'is not in the capture',
  'unsafe': 'was not read because that could crash this kernel',
};

export class Reader {
  readonly host: Host;
  private readonly collected = new Map<string, Collected>();

  constructor(host: Host) {
    this.host = host;
  }

  /** Adds a note; the same code and subject is kept once. */
  note(code: string, text: string, subject?: string): void {
    const key = `${code}\0${subject ?? text}`;
    if (this.collected.has(key)) return;
    this.collected.set(key, { count: 1, note: subject === undefined ? { code, text } : { code, text, subject } });
  }

  malformed(path: string, seen: string, wanted: string): void {
    this.note('malformed', `${path} should be ${wanted} and reads ${JSON.stringify(seen.slice(0, 60))}`, path);
  }

  /** Notes an absence, unless the machine simply does not have the thing. Files of one family share one note. */
  absence(lost: Missing, loud = false): void {
    if (lost.missing === 'absent' || (lost.missing === 'not-captured' && !loud)) return;
    const key = `${lost.missing}\0${family(lost.path)}`;
    const before = this.collected.get(key);
    if (before) before.count += 1;
    else this.collected.set(key, { count: 1, note: { code: lost.missing, text: `${lost.path} ${SAYS[lost.missing] ?? lost.missing}${lost.detail ? ` (${lost.detail})` : ''}`, subject: lost.path, absence: lost } });
  }

  /** The value, or null with the absence noted. `loud`: a capture that lacks the file is worth a note too. */
  value<T>(fact: Fact<T>, loud = false): T | null {
    if (!isMissing(fact)) return fact;
    this.absence(fact, loud);
    return null;
  }

  /** Trimmed text of a file; null where there is none. An empty file is an empty string. */
  text(path: string, loud = false): string | null {
    const text = this.value(this.host.files.text(path), loud);
    // Some collectors (hwloc's) leave a NUL at the end.
    return text === null ? null : (text.endsWith('\0') ? text.replace(/[\s\0]+$/, '') : text).trim();
  }

  /** A decimal or 0x-prefixed integer; null where there is none, the file is empty, or it is no integer (noted). */
  integer(path: string): number | null {
    const text = this.text(path);
    if (text === null || text === '') return null;
    const value = parseInteger(text);
    if (value === null) this.malformed(path, text, 'an integer');
    return value;
  }

  /** A size, an address or a count: an integer that is not negative. */
  unsigned(path: string): number | null {
    const value = this.integer(path);
    if (value === null || value >= 0) return value;
    this.malformed(path, String(value), 'a size or an address');
    return null;
  }

  /** `0` or `1`. */
  flag(path: string): boolean | null {
    const value = this.integer(path);
    return value === null ? null : value !== 0;
  }

  /** Names in a directory; empty where there is none. */
  list(path: string): readonly string[] {
    return this.value(this.host.files.list(path)) ?? [];
  }

  /** The last component of a symbolic link's target: the driver behind `driver`, the bus behind `subsystem`. */
  linkName(path: string): string | null {
    const target = this.host.files.link(path);
    return isMissing(target) ? null : (target.split('/').at(-1) ?? null);
  }

  /** The path with all links resolved, or the path itself where that cannot be told. */
  real(path: string): string {
    const real = this.host.files.resolve(path);
    return isMissing(real) ? path : real;
  }

  exists(path: string): boolean {
    return !isMissing(this.host.files.stat(path)) || !isMissing(this.host.files.link(path));
  }

  notes(): Note[] {
    return [...this.collected.values()].map(({ note, count }) => (count === 1 ? note : { ...note, text: `${note.text}; the same for ${count - 1} more like it` }));
  }
}

/** A decimal, negative or 0x-prefixed integer that a number holds exactly; null for anything else. */
export function parseInteger(text: string): number | null {
  if (!/^-?(0x[0-9a-f]+|\d+)$/i.test(text)) return null;
  const value = text.startsWith('-') ? -Number(text.slice(1)) : Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

const MOST_ID = 1 << 20;

/** `0-3,8,10-11` as sysfs prints CPU and node lists; null where the text is no such list. */
export function parseIdList(text: string): number[] | null {
  const ids: number[] = [];
  for (const part of text.trim().split(',').filter((p) => p !== '')) {
    const m = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!m) return null;
    const [first, last] = [Number(m[1]), Number(m[2] ?? m[1])];
    // Ids are small; beyond 2^53 adding one would not even move on.
    if (last < first || last > MOST_ID || ids.length + last - first > MOST_ID) return null;
    for (let id = first; id <= last; id += 1) ids.push(id);
  }
  return ids;
}

/** Numbers of a name of the form `PREFIXn`: 42 for `memory42`. */
export function numbered(names: readonly string[], prefix: string): number[] {
  const pattern = new RegExp(`^${prefix}\\d+$`);
  const numbers: number[] = [];
  for (const name of names) if (pattern.test(name)) numbers.push(Number(name.slice(prefix.length)));
  return numbers.sort((a, b) => a - b);
}
