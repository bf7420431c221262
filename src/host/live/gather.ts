/** Everything that a holder search asks of one process, in one go; runs in the main thread and in the worker. */
import { statSync } from 'node:fs';
import { isMissing, type Fact } from '../fact.ts';
import type { ByteString, DeviceNumber } from '../host.ts';
import type { Mapping, OpenFile, Place, ProcessFile } from '../processes.ts';
import { quietly } from './absence.ts';
import { anyFileOn } from './descriptors.ts';
import { rawDeviceNumber } from './files.ts';
import type { LiveProcesses } from './processes.ts';

/** Answers by question. A question that was not put is not there. */
export interface Gathered {
  readonly pid: number;
  readonly files: Partial<Record<ProcessFile, Fact<Uint8Array>>>;
  readonly places?: Partial<Record<'cwd' | 'root' | 'exe', Fact<Place>>>;
  readonly openFiles?: Fact<readonly OpenFile[]>;
  readonly mappings?: Fact<readonly Mapping[]>;
  readonly namespace?: Fact<number>;
}

const PLACES = ['exe', 'cwd', 'root'] as const;
const OF_HOLDERS = ['status', 'cmdline', 'cgroup'] as const;
const LENIENT = { throwIfNoEntry: false } as const;

/** The devices of a search in the forms in which they are met. */
export interface Wanted {
  readonly devices: ReadonlySet<DeviceNumber>;
  /** As st_dev has them. */
  readonly raw: ReadonlySet<number>;
}

export const wantedOf = (devices: ReadonlySet<DeviceNumber>): Wanted => ({ devices, raw: new Set([...devices].map(rawDeviceNumber)) });

/**
 * Undefined for a process that has nothing of the devices: numbers are compared, no name is read. What could not be
 * looked at is left to whoever asks for it.
 *
 * The start time is read first: whoever compares it later knows that all of this was of one process.
 */
export function gather(processes: LiveProcesses, pid: number, { devices, raw }: Wanted): Gathered | undefined {
  const stat = processes.read(pid, 'stat');
  if (isMissing(stat)) return { pid, files: { stat } };
  if (isKernelThread(stat)) return undefined;
  const glance = quietly<'nothing' | 'something' | 'unknown'>(() => {
    const places = PLACES.map((place) => statSync(`/proc/${pid}/${place}`, LENIENT));
    // Without an executable: a zombie, or one whose first thread has ended.
    if (places[0] === undefined) return 'unknown';
    return places.some((stats) => stats !== undefined && raw.has(stats.dev)) || anyFileOn(pid, raw) ? 'something' : 'nothing';
  }, () => 'unknown');
  const files: Partial<Record<ProcessFile, Fact<Uint8Array>>> = { stat };
  if (glance === 'unknown') return { pid, files };
  const mappings = processes.mappings(pid, devices);
  const on = ({ dev, rdev }: Mapping): boolean => devices.has(dev) || (rdev !== undefined && devices.has(rdev));
  if (glance === 'nothing' && !isMissing(mappings) && !mappings.some(on)) return undefined;
  for (const name of OF_HOLDERS) files[name] = processes.read(pid, name);
  const places = Object.fromEntries(PLACES.map((place) => [place, processes.place(pid, place)]));
  return { pid, files, places, openFiles: processes.openFiles(pid), mappings, namespace: processes.namespace(pid, 'mnt') };
}

/** PF_KTHREAD among the flags, which are the seventh field after the name; the name may hold anything, parentheses too. */
function isKernelThread(stat: Uint8Array): boolean {
  const text: ByteString = Buffer.from(stat.buffer, stat.byteOffset, stat.byteLength).toString('latin1');
  const flags = /^ \S(?: -?\d+){5} (\d+) /.exec(text.slice(text.lastIndexOf(')') + 1))?.[1];
  return flags !== undefined && (Number(flags) & PF_KTHREAD) !== 0;
}
const PF_KTHREAD = 0x00200000;
