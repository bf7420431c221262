/** The little of /proc that the tracer needs of a process, and its memory. */
import { closeSync, openSync, readFileSync, readSync, readdirSync, readlinkSync, writeSync } from 'node:fs';

/** One line of /proc/PID/maps; addresses in bytes, half open. */
export interface MapLine {
  readonly start: number;
  readonly end: number;
  readonly perms: string;
  readonly offset: number;
  readonly dev: string;
  readonly ino: number;
  readonly name: string;
}

const LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) (\S+) (\d+) *(.*)$/;

export function parseMaps(text: string): MapLine[] {
  const lines: MapLine[] = [];
  for (const line of text.split('\n')) {
    const m = LINE.exec(line);
    if (m === null) continue;
    lines.push({
      start: parseInt(m[1] ?? '', 16), end: parseInt(m[2] ?? '', 16), perms: m[3] ?? '', offset: parseInt(m[4] ?? '', 16),
      dev: m[5] ?? '', ino: Number(m[6]), name: m[7] ?? '',
    });
  }
  return lines;
}

export const readMaps = (pid: number): MapLine[] => parseMaps(readFileSync(`/proc/${pid}/maps`, 'latin1'));

/** Thread ids. Throws where the process is gone. */
export const threadsOf = (pid: number): number[] => readdirSync(`/proc/${pid}/task`).map(Number).sort((a, b) => a - b);

/** A field of /proc/PID/status, as `TracerPid`; null where it is not there. */
export function statusField(status: string, name: string): string | null {
  const m = new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status);
  return m?.[1] ?? null;
}

export interface StatLine {
  readonly state: string;
  /** Clock ticks since boot. */
  readonly startTime: number;
}

/** Fields of /proc/PID/stat behind the name, which may itself hold spaces and parentheses. */
export function parseStat(text: string): StatLine | null {
  const rest = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const startTime = Number(rest[19]);
  return rest.length < 20 || !Number.isFinite(startTime) ? null : { state: rest[0] ?? '?', startTime };
}

export const readStat = (pid: number, tid?: number): StatLine | null =>
  parseStat(readFileSync(tid === undefined ? `/proc/${pid}/stat` : `/proc/${pid}/task/${tid}/stat`, 'latin1'));

/** The first free descriptor numbers, lowest first: what the kernel will hand out next. */
export function freeDescriptors(pid: number, count: number): number[] {
  const used = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  const free: number[] = [];
  for (let fd = 0; free.length < count; fd += 1) if (!used.has(fd)) free.push(fd);
  return free;
}

export const linkOf = (path: string): string => readlinkSync(path, 'latin1');

/** /proc/PID/mem. A write to it ignores page protections, as ptrace does. */
export class Memory {
  private readonly fd: number;

  constructor(pid: number) {
    this.fd = openSync(`/proc/${pid}/mem`, 'r+');
  }

  read(address: number, into: Buffer): number {
    try {
      return readSync(this.fd, into, 0, into.length, address);
    } catch {
      return -1;
    }
  }

  write(address: number, bytes: Buffer): boolean {
    try {
      return writeSync(this.fd, bytes, 0, bytes.length, address) === bytes.length;
    } catch {
      return false;
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}
