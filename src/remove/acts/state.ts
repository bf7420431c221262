/** Reading the state that steps are about. Everything is read at the moment it is asked for. */
import { isMissing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { displayName } from '../../host/names.ts';
import type { ProcessRef } from '../../host/actions.ts';
import type { PhysRange } from '../../range/phys-range.ts';
import { parseMountinfo, type MountLine } from '../../machine/stack/mountinfo.ts';
import { daxState } from '../../machine/stack/mounts.ts';
import { parseStat } from '../../machine/holders/stat.ts';
import type { Removal } from '../engine/removal.ts';

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** True while the very process is there (a zombie counts as gone: its memory is). */
export function isAlive(host: Host, process: ProcessRef): boolean {
  const bytes = host.processes.read(process.pid, 'stat');
  if (isMissing(bytes)) return bytes.missing !== 'absent' && bytes.missing !== 'vanished';
  const stat = parseStat(latin1(bytes));
  return stat !== null && stat.startTime === process.startTime && !(stat.state === 'Z' && stat.threads <= 1) && stat.state !== 'X';
}

/** Mounts of the device at a place: more than one where mounts are stacked. Null where the namespace cannot be read. */
export const mountsAt = (...place: Parameters<typeof linesAt>): number | null => linesAt(...place)?.length ?? null;

/** Whether the file system there says that it was shut down: ext4 does (its mount options); others do not, and count as running. */
export const isShutDown = (...place: Parameters<typeof linesAt>): boolean => linesAt(...place)?.some((line) => daxState(line).shutdown) ?? false;

function linesAt(host: Host, devices: ReadonlySet<string>, namespaceId: number, mountPoint: string): MountLine[] | null {
  const namespaces = host.mounts.all();
  if (isMissing(namespaces)) return null;
  const namespace = namespaces.find((n) => n.id === namespaceId);
  if (namespace === undefined) return [];
  if (isMissing(namespace.mountinfo)) return null;
  return parseMountinfo(latin1(namespace.mountinfo)).mounts.filter((m) => devices.has(m.dev) && m.mountPoint === mountPoint);
}

export interface MountPlace {
  readonly namespaceId: number;
  readonly mountPoint: string;
}

/** Every mount of the device, in every namespace; null where that cannot be known. */
export function mountPlaces(host: Host, devices: ReadonlySet<string>): MountPlace[] | null {
  const namespaces = host.mounts.all();
  if (isMissing(namespaces)) return null;
  const found: MountPlace[] = [];
  for (const n of namespaces) {
    if (isMissing(n.mountinfo)) return null;
    const mounts = parseMountinfo(latin1(n.mountinfo)).mounts.filter((m) => devices.has(m.dev));
    found.push(...mounts.map((m) => ({ namespaceId: n.id, mountPoint: m.mountPoint })));
  }
  return found;
}

export const placeText = ({ namespaceId, mountPoint }: MountPlace): string => `${displayName(mountPoint)} in mount namespace ${namespaceId}`;

/** The same for people. */
export const mountsOf = (host: Host, devices: ReadonlySet<string>): string[] | null => mountPlaces(host, devices)?.map(placeText) ?? null;

/** Blocks that the plan takes offline and that are not offline now. Nothing may be unbound under them. */
export function blocksOnline(removal: Removal): string[] {
  return removal.header.steps.flatMap(({ action }) => {
    if (action.kind !== 'offline-block') return [];
    const state = removal.host.files.text(action.path);
    if (isMissing(state)) return state.missing === 'absent' || state.missing === 'vanished' ? [] : [`memory${action.index} (${state.missing})`];
    return state.trim() === 'offline' ? [] : [`memory${action.index} (${state.trim()})`];
  });
}

/** Whether a file or directory is there. Null where that cannot be known: a look that failed says neither. */
export function isThere(host: Host, path: string): boolean | null {
  const stat = host.files.stat(path);
  if (!isMissing(stat)) return true;
  return stat.missing === 'absent' || stat.missing === 'vanished' ? false : null;
}

/**
 * Whether a driver that the plan unbinds is unbound now: the device is gone then, page tables must not be walked, and no
 * file system of it may be unmounted. `unknown` forbids the same.
 */
export function bindingOf(removal: Removal): 'bound' | 'unbound' | 'unknown' {
  const looks = removal.header.steps.flatMap(({ action }) => (action.kind === 'unbind' ? [isThere(removal.host, `${action.driverPath}/${action.device}`)] : []));
  return looks.includes(false) ? 'unbound' : looks.includes(null) ? 'unknown' : 'bound';
}

export const BINDING_UNKNOWN = 'whether the device is still bound cannot be read';

/** Lines of /proc/iomem in the ranges that show the device still in use. Source: what each driver requests. */
export function claimsLeft(host: Host, ranges: readonly PhysRange[]): string[] | null {
  const text = host.files.text('/proc/iomem');
  if (isMissing(text)) return null;
  return text.split('\n').flatMap((line) => {
    const m = /^\s*([0-9a-f]+)-([0-9a-f]+) : (.*)$/.exec(line);
    if (m === null) return [];
    const start = parseInt(m[1] ?? '', 16);
    const end = parseInt(m[2] ?? '', 16) + 1;
    const inside = ranges.some((r) => start < r.end && r.start < end);
    return inside && /^System RAM|^dax\d+\.\d+$/.test(m[3] ?? '') ? [line.trim()] : [];
  });
}

/** Lines of the kernel log since the removal began that mean harm, whatever a return code said. */
export function alarming(removal: Removal): string[] {
  if (removal.logMark === null) return [];
  const lines = removal.host.log.since(removal.logMark);
  if (isMissing(lines)) return [];
  return lines.map((l) => l.text).filter((text) => ALARMS.some((alarm) => alarm.test(text)));
}

/** Texts of the kernel (docs/kernel-truth). */
const ALARMS = [
  /cannot be hotremoved until the next reboot/, /removing memory fails/, /still has system memory added/, /^BUG: /, /kernel BUG at/, /Bad page map/, /refcount_t:/,
  /Oops/, /unable to handle page fault/, /rcu.*stall/i, /memremap\.c.*free_zone_device/, /list_del corruption/,
];
