/** Which lines of maps belong to a set of devices: file systems by their number, character devices by their inode. */
import { existsSync, statSync, type Stats } from 'node:fs';
import type { DeviceNumber } from '../host.ts';
import type { WantLine } from '../maps.ts';
import type { Mapping } from '../processes.ts';
import { errnoOf, quietly } from './absence.ts';
import { deviceNumber } from './files.ts';

/**
 * Numbers of the character devices behind mapped inodes, asked once for each inode through
 * /proc/PID/map_files (needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE), else by name. Forgotten at each new look at the process list.
 */
export class CharDevices {
  private readonly seen = new Map<number, Map<number, DeviceNumber | null>>();
  /** Those that are character devices, by the number of their file system. */
  private readonly found = new Map<DeviceNumber, Map<number, DeviceNumber>>();
  /** Set once map_files could not be followed for want of rights. */
  denied = false;

  forget(): void {
    this.seen.clear();
    this.found.clear();
    this.denied = false;
  }

  /** False where no mapped inode can be told to be a character device. */
  get any(): boolean {
    return this.denied || this.found.size > 0;
  }

  known(dev: DeviceNumber, ino: number): DeviceNumber | undefined {
    return this.found.get(dev)?.get(ino);
  }

  /** Null: it is none. Undefined: this user may not follow map_files, the name must tell (`byName`). */
  of(dev: number, ino: number, pid: number, start: number, end: number): DeviceNumber | null | undefined {
    const known = this.seen.get(dev)?.get(ino);
    if (known !== undefined) return known;
    const found = charDeviceAt(`/proc/${pid}/map_files/${start.toString(16)}-${end.toString(16)}`);
    // A range that is gone again says nothing about the inode: ask at its next line.
    if (found === 'gone') return null;
    if (found !== 'denied') return this.remember(dev, ino, found);
    this.denied = true;
    return undefined;
  }

  /** By the name as the process sees it, if that still leads to this inode. What no name leads to is taken for no device. */
  byName(pid: number, { dev, ino, name }: Pick<Mapping, 'dev' | 'ino' | 'name'>): void {
    const at = packed(dev);
    if (this.seen.get(at)?.has(ino) === true) return;
    const path = Buffer.from(`/proc/${pid}/root${name}`, 'latin1');
    const stats = name.startsWith('/') ? quietly(() => statSync(path), () => undefined) : undefined;
    const same = stats !== undefined && stats.ino === ino && deviceNumber(stats.dev) === dev;
    this.remember(at, ino, same ? charDeviceOf(stats) : null);
  }

  private remember(dev: number, ino: number, rdev: DeviceNumber | null): DeviceNumber | null {
    let inodes = this.seen.get(dev);
    if (inodes === undefined) this.seen.set(dev, (inodes = new Map()));
    inodes.set(ino, rdev);
    const name: DeviceNumber = `${Math.floor(dev / 0x10_0000)}:${dev % 0x10_0000}`;
    if (rdev !== null) this.found.set(name, (this.found.get(name) ?? new Map<number, DeviceNumber>()).set(ino, rdev));
    return rdev;
  }
}

const charDeviceOf = (stats: Stats): DeviceNumber | null => ((stats.mode & 0o170000) === 0o020000 ? deviceNumber(stats.rdev) : null);

function charDeviceAt(path: string): DeviceNumber | null | 'gone' | 'denied' {
  return quietly<ReturnType<typeof charDeviceAt>>(() => charDeviceOf(statSync(path)), (error) => (errnoOf(error) === 'EPERM' || errnoOf(error) === 'EACCES' ? 'denied' : 'gone'));
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

/**
 * The lines that a search for `devices` needs; `isWanted` afterwards drops those that were only let through to be
 * learnt from. One for a whole search: `pid` is set before the lines of a process are shown to it.
 */
export class DeviceFilter {
  pid = 0;
  private readonly devices: ReadonlySet<DeviceNumber>;
  private readonly wanted: ReadonlySet<number>;
  /** Undefined where no device is a character device: no inode need be asked then. */
  private readonly chars: CharDevices | undefined;
  private readonly pinning: PinningDevices;
  /** Neighbours mostly map one file. */
  private last = { pid: -1, major: -1, minor: -1, ino: -1, wanted: false };

  constructor(devices: ReadonlySet<DeviceNumber>, chars: CharDevices, pinning: PinningDevices) {
    this.devices = devices;
    this.wanted = new Set([...devices].map(packed));
    this.chars = [...devices].some((device) => existsSync(`/sys/dev/char/${device}`)) ? chars : undefined;
    this.pinning = pinning;
  }

  readonly want: WantLine = (major, minor, ino, start, end) => {
    const { last } = this;
    if (last.ino === ino && last.minor === minor && last.major === major && last.pid === this.pid) return last.wanted;
    const wanted = this.asks(major, minor, ino, start, end);
    this.last = { pid: this.pid, major, minor, ino, wanted };
    return wanted;
  };

  isWanted(mapping: { readonly dev: DeviceNumber; readonly name: string; readonly rdev?: DeviceNumber }): boolean {
    return this.isOn(mapping) || (mapping.dev.startsWith('0:') && this.pinning.learn(mapping));
  }

  isOn({ dev, rdev }: { readonly dev?: DeviceNumber; readonly rdev?: DeviceNumber }): boolean {
    return (dev !== undefined && this.devices.has(dev)) || (rdev !== undefined && this.devices.has(rdev));
  }

  private asks(major: number, minor: number, ino: number, start: number, end: number): boolean {
    if (ino === 0) return false;
    const dev = pack(major, minor);
    if (this.wanted.has(dev)) return true;
    const rdev = this.chars === undefined ? null : this.chars.of(dev, ino, this.pid, start, end);
    return rdev === undefined || (rdev !== null && this.devices.has(rdev)) || (major === 0 && this.pinning.wants(dev));
  }
}

/** Every line with a file behind it; asks for the character devices on the way. */
export function fileFilter(chars: CharDevices, pid: number): WantLine {
  return (major, minor, ino, start, end) => {
    if (ino === 0) return false;
    chars.of(pack(major, minor), ino, pid, start, end);
    return true;
  };
}
