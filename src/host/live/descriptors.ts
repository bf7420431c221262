/** Open files of a process of the live machine, from /proc/PID/fd. */
import { readdirSync, readlinkSync, statSync, type Stats } from 'node:fs';
import type { OpenFile } from '../processes.ts';
import { errnoOf } from './absence.ts';
import { deviceNumber } from './files.ts';

const LATIN1 = { encoding: 'latin1' as const };
const LENIENT = { throwIfNoEntry: false } as const;
const NO_FILE = /^(?:pipe|socket|anon_inode):/;

/** Ascending. Throws the error of node:fs. */
export function openFiles(pid: number): OpenFile[] {
  const directory = `/proc/${pid}/fd`;
  const found: OpenFile[] = [];
  for (const name of readdirSync(directory)) {
    const file = openFile(`${directory}/${name}`, Number(name));
    if (file !== undefined) found.push(file);
  }
  return found.sort((a, b) => a.fd - b.fd);
}

/** Undefined for a descriptor that was closed meanwhile. */
function openFile(path: string, fd: number): OpenFile | undefined {
  try {
    const target = readlinkSync(path, LATIN1);
    // Pipes, sockets and anonymous inodes lie on no device.
    const stats = NO_FILE.test(target) ? undefined : statSync(path, LENIENT);
    if (stats === undefined) return { fd, target };
    const common = { fd, target, dev: deviceNumber(stats.dev), ino: stats.ino };
    return isNode(stats) ? { ...common, rdev: deviceNumber(stats.rdev) } : common;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether any descriptor is of the devices, given as st_dev numbers. No link is read: one call for each. Throws the error of node:fs. */
export function anyFileOn(pid: number, devices: ReadonlySet<number>): boolean {
  const directory = `/proc/${pid}/fd`;
  for (const name of readdirSync(directory)) {
    const stats = statSync(`${directory}/${name}`, LENIENT);
    if (stats !== undefined && (devices.has(stats.dev) || (isNode(stats) && devices.has(stats.rdev)))) return true;
  }
  return false;
}

const isNode = ({ mode }: Stats): boolean => (mode & 0o170000) === 0o020000 || (mode & 0o170000) === 0o060000;
