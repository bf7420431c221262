/** Open files of a process of the live machine, from /proc/PID/fd. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import type { OpenFile } from '../processes.ts';
import { errnoOf } from './absence.ts';
import { deviceNumber } from './files.ts';
import type { Descriptor, Numbers } from './process-door.ts';

const LATIN1 = { encoding: 'latin1' as const };
const LENIENT = { throwIfNoEntry: false } as const;
const NO_FILE = /^(?:pipe|socket|anon_inode):/;

/** One call for each: no link is read. Without those that were closed meanwhile. Throws the error of node:fs for the directory. */
export function descriptors(pid: number): Descriptor[] {
  const directory = `/proc/${pid}/fd`;
  const found: Descriptor[] = [];
  for (const name of readdirSync(directory)) {
    const path = `${directory}/${name}`;
    try {
      const stats = statSync(path, LENIENT);
      if (stats !== undefined) found.push({ fd: Number(name), stats });
    } catch {
      found.push({ fd: Number(name), stats: undefined });
    }
  }
  return found;
}

/** Whether a descriptor is of the devices, given as st_dev numbers; where it cannot be looked at, it may be. */
export const mayBeOn = ({ stats }: Descriptor, devices: ReadonlySet<number>): boolean =>
  stats === undefined || devices.has(stats.dev) || (isNode(stats) && devices.has(stats.rdev));

/** Ascending. Throws the error of node:fs. `link` reads the link of a descriptor. */
export function openFiles(pid: number, known: readonly Descriptor[] = descriptors(pid), link: (fd: number, stats: Numbers | undefined) => string = (fd) => readlinkSync(`/proc/${pid}/fd/${fd}`, LATIN1)): OpenFile[] {
  const found: OpenFile[] = [];
  for (const descriptor of known) {
    const file = openFile(descriptor, link);
    if (file !== undefined) found.push(file);
  }
  return found.sort((a, b) => a.fd - b.fd);
}

/** Undefined for a descriptor that was closed meanwhile. */
function openFile({ fd, stats }: Descriptor, link: (fd: number, stats: Numbers | undefined) => string): OpenFile | undefined {
  try {
    const told = stats === undefined ? undefined : NAMELESS.get(stats.dev);
    if (told !== undefined) return { fd, target: `${told}:[${stats?.ino}]` };
    const target = link(fd, stats);
    // Pipes, sockets and anonymous inodes lie on no device.
    if (stats === undefined || NO_FILE.test(target)) return learnt({ fd, target }, stats);
    const common = { fd, target, dev: deviceNumber(stats.dev), ino: stats.ino };
    return isNode(stats) ? { ...common, rdev: deviceNumber(stats.rdev) } : common;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * `pipe` and `socket` by the number of the kernel's own file system that they lie on. The links there are made of the inode
 * number alone (pipefs_dname(), fs/pipe.c; sockfs_dname(), net/socket.c): after the first, no other need be read.
 */
const NAMELESS = new Map<number, string>();

function learnt(file: OpenFile, stats: Numbers | undefined): OpenFile {
  const kind = /^(pipe|socket):\[(\d+)\]$/.exec(file.target);
  if (stats !== undefined && kind?.[1] !== undefined && Number(kind[2]) === stats.ino) NAMELESS.set(stats.dev, kind[1]);
  return file;
}

const isNode = ({ mode }: Numbers): boolean => (mode & 0o170000) === 0o020000 || (mode & 0o170000) === 0o060000;
