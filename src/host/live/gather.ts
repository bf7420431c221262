/** Everything that a holder search asks of one process, in one go; runs in the main thread and in the worker. */
import { statSync, type Stats } from 'node:fs';
import { isMissing, type Fact } from '../fact.ts';
import type { ByteString, DeviceNumber } from '../host.ts';
import type { Mapping, OpenFile, Place, ProcessFile } from '../processes.ts';
import { quietly } from './absence.ts';
import { descriptors, mayBeOn, type Descriptor } from './descriptors.ts';
import { rawDeviceNumber } from './files.ts';
import type { LiveProcesses } from './processes.ts';
import { anyApartOn } from './threads-apart.ts';

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
const OF_PORTRAITS = ['status', 'cmdline', 'cgroup'] as const;
const LENIENT = { throwIfNoEntry: false } as const;

/** What a search is for: the devices in the forms in which they are met, and whether holders are described. */
export interface Wanted {
  readonly devices: ReadonlySet<DeviceNumber>;
  /** As st_dev has them. */
  readonly raw: ReadonlySet<number>;
  readonly portraits: boolean;
}

export const wantedOf = (devices: ReadonlySet<DeviceNumber>, portraits: boolean): Wanted => ({ devices, raw: new Set([...devices].map(rawDeviceNumber)), portraits });

/**
 * Undefined for a process that has nothing of the devices: numbers are compared, no name is read. What could not be
 * looked at is left to whoever asks for it.
 *
 * The start time is read first: whoever compares it later knows that all of this was of one process.
 */
export function gather(processes: LiveProcesses, pid: number, { devices, raw, portraits }: Wanted): Gathered | undefined {
  const stat = processes.read(pid, 'stat');
  if (isMissing(stat)) return { pid, files: { stat } };
  const { isKernelThread, threads } = glanceAtStat(stat);
  if (isKernelThread) return undefined;
  const glance = quietly(() => glanceAt(pid), () => undefined);
  const files: Partial<Record<ProcessFile, Fact<Uint8Array>>> = { stat };
  // Denied, gone, or without an executable: a zombie, or one whose first thread has ended.
  if (glance?.places[0] === undefined) return { pid, files };
  const mappings = processes.mappings(pid, devices);
  const maps = isMissing(mappings) || mappings.some(({ dev, rdev }) => devices.has(dev) || (rdev !== undefined && devices.has(rdev)));
  const holds = maps || glance.places.some((stats) => stats !== undefined && raw.has(stats.dev)) || glance.descriptors.some((file) => mayBeOn(file, raw)) || (threads > 1 && anyApartOn(pid, raw));
  if (!holds) return undefined;
  if (portraits) for (const name of OF_PORTRAITS) files[name] = processes.read(pid, name);
  const places: Partial<Record<'cwd' | 'root' | 'exe', Fact<Place>>> = {};
  for (const [i, place] of PLACES.entries()) places[place] = processes.place(pid, place, glance.places[i]);
  const gathered = { pid, files, places, openFiles: processes.openFiles(pid, glance.descriptors), mappings };
  return portraits ? { ...gathered, namespace: processes.namespace(pid, 'mnt') } : gathered;
}

/** Numbers alone, no link is read. Throws the error of node:fs. */
function glanceAt(pid: number): { readonly places: readonly (Stats | undefined)[]; readonly descriptors: readonly Descriptor[] } {
  return { places: PLACES.map((place) => statSync(`/proc/${pid}/${place}`, LENIENT)), descriptors: descriptors(pid) };
}

/**
 * PF_KTHREAD among the flags, which are the seventh field after the name, and the number of threads, the eighteenth (fs/proc/array.c,
 * do_task_stat()). The name may hold anything, parentheses too.
 */
function glanceAtStat(stat: Uint8Array): { readonly isKernelThread: boolean; readonly threads: number } {
  const text: ByteString = Buffer.from(stat.buffer, stat.byteOffset, stat.byteLength).toString('latin1');
  const [, flags = '0', threads = '1'] = /^ \S(?: -?\d+){5} (\d+)(?: -?\d+){10} (\d+) /.exec(text.slice(text.lastIndexOf(')') + 1)) ?? [];
  return { isKernelThread: (Number(flags) & PF_KTHREAD) !== 0, threads: Number(threads) };
}
const PF_KTHREAD = 0x00200000;
