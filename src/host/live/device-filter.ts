/** Which lines of maps belong to a set of devices: file systems by their number, character devices by their inode. */
import { statSync } from 'node:fs';
import type { DeviceNumber } from '../host.ts';
import type { WantLine } from '../maps.ts';
import { quietly } from './absence.ts';
import { deviceNumber } from './files.ts';

/**
 * Numbers of the character devices behind mapped inodes, asked once for each inode through
 * /proc/PID/map_files (needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE). Forgotten at each new look at the process list.
 */
export class CharDevices {
  private readonly seen = new Map<number, Map<number, DeviceNumber | null>>();
  private last: { dev: number; ino: number; rdev: DeviceNumber | null } = { dev: -1, ino: -1, rdev: null };

  forget(): void {
    this.seen.clear();
    this.last = { dev: -1, ino: -1, rdev: null };
  }

  known(dev: DeviceNumber, ino: number): DeviceNumber | undefined {
    const [major, minor] = dev.split(':');
    return this.seen.get(pack(Number(major), Number(minor)))?.get(ino) ?? undefined;
  }

  of(dev: number, ino: number, pid: number, start: number, end: number): DeviceNumber | null {
    const last = this.last;
    if (last.dev === dev && last.ino === ino) return last.rdev;
    let inodes = this.seen.get(dev);
    if (inodes === undefined) this.seen.set(dev, (inodes = new Map()));
    let rdev = inodes.get(ino);
    if (rdev === undefined) {
      const found = charDeviceAt(`/proc/${pid}/map_files/${start.toString(16)}-${end.toString(16)}`);
      // A range that is gone again says nothing about the inode: ask at its next line.
      if (found === undefined) return null;
      inodes.set(ino, (rdev = found));
    }
    this.last = { dev, ino, rdev };
    return rdev;
  }
}

/** Undefined where it could not be looked at. */
function charDeviceAt(path: string): DeviceNumber | null | undefined {
  return quietly<DeviceNumber | null | undefined>(() => {
    const stats = statSync(path);
    return (stats.mode & 0o170000) === 0o020000 ? deviceNumber(stats.rdev) : null;
  }, () => undefined);
}

const pack = (major: number, minor: number): number => major * 0x10_0000 + minor;

export function deviceFilter(devices: ReadonlySet<DeviceNumber>, chars: CharDevices, pid: number): WantLine {
  const wanted = new Set<number>();
  for (const device of devices) {
    const [major, minor] = device.split(':');
    wanted.add(pack(Number(major), Number(minor)));
  }
  return (major, minor, ino, start, end) => {
    if (ino === 0) return false;
    const dev = pack(major, minor);
    if (wanted.has(dev)) return true;
    const rdev = chars.of(dev, ino, pid, start, end);
    return rdev !== null && devices.has(rdev);
  };
}

/** Every line with a file behind it; asks for the character devices on the way. */
export function fileFilter(chars: CharDevices, pid: number): WantLine {
  return (major, minor, ino, start, end) => {
    if (ino === 0) return false;
    chars.of(pack(major, minor), ino, pid, start, end);
    return true;
  };
}
