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
  /** Those that are character devices, by the number of their file system. */
  private readonly found = new Map<DeviceNumber, Map<number, DeviceNumber>>();
  private last: { dev: number; ino: number; rdev: DeviceNumber | null } = { dev: -1, ino: -1, rdev: null };

  forget(): void {
    this.seen.clear();
    this.found.clear();
    this.last = { dev: -1, ino: -1, rdev: null };
  }

  known(dev: DeviceNumber, ino: number): DeviceNumber | undefined {
    return this.found.get(dev)?.get(ino);
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
      if (found !== null) this.remember(dev, ino, found);
    }
    this.last = { dev, ino, rdev };
    return rdev;
  }

  private remember(dev: number, ino: number, rdev: DeviceNumber): void {
    const name: DeviceNumber = `${Math.floor(dev / 0x10_0000)}:${dev % 0x10_0000}`;
    this.found.set(name, (this.found.get(name) ?? new Map<number, DeviceNumber>()).set(ino, rdev));
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

/**
 * Sockets and AIO rings that are mapped tell of pins, and lie on file systems of the kernel's own whose numbers are
 * not told anywhere: they are learnt from the first name seen on each unnamed device, once and for all.
 */
export class PinningDevices {
  private readonly known = new Map<number, boolean>();

  /** True when mappings of this unnamed device are wanted, or must be looked at by name. */
  wants(dev: number): boolean {
    return this.known.get(dev) ?? true;
  }

  /** Learns from the name; true when it tells of a pin. */
  learn({ dev, name }: { readonly dev: DeviceNumber; readonly name: string }): boolean {
    const pins = name.startsWith('socket:[') || name.startsWith('/[aio]');
    this.known.set(packed(dev), pins);
    return pins;
  }
}

function packed(device: DeviceNumber): number {
  const [major, minor] = device.split(':');
  return pack(Number(major), Number(minor));
}

/** The lines that a search for `devices` needs; `isWanted` afterwards drops those that were only let through to be learnt from. */
export interface DeviceFilter {
  readonly want: WantLine;
  isWanted(mapping: { readonly dev: DeviceNumber; readonly name: string; readonly rdev?: DeviceNumber }): boolean;
}

export function deviceFilter(devices: ReadonlySet<DeviceNumber>, chars: CharDevices, pinning: PinningDevices, pid: number): DeviceFilter {
  const wanted = new Set([...devices].map(packed));
  return {
    want: (major, minor, ino, start, end) => {
      if (ino === 0) return false;
      const dev = pack(major, minor);
      if (wanted.has(dev)) return true;
      const rdev = chars.of(dev, ino, pid, start, end);
      return (rdev !== null && devices.has(rdev)) || (major === 0 && pinning.wants(dev));
    },
    isWanted: (mapping) => devices.has(mapping.dev) || (mapping.rdev !== undefined && devices.has(mapping.rdev)) || (mapping.dev.startsWith('0:') && pinning.learn(mapping)),
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
