/** Everything that a holder search asks of one process, in one go; runs in the main thread and in the worker. */
import { statSync } from 'node:fs';
import { isMissing, type Fact } from '../fact.ts';
import type { ByteString, DeviceNumber } from '../host.ts';
import type { MappingTable } from '../mapping-table.ts';
import type { OpenFile, Place, ProcessFile } from '../processes.ts';
import { quietly } from './absence.ts';
import { descriptors, mayBeOn } from './descriptors.ts';
import { rawDeviceNumber } from './files.ts';
import type { Descriptor, Numbers } from './process-door.ts';
import type { LiveProcesses } from './processes.ts';
import { anyApartOn } from './threads-apart.ts';

/** Answers by question. A question that was not put is not there. */
export interface Gathered {
  readonly pid: number;
  readonly files: Partial<Record<ProcessFile, Fact<Uint8Array>>>;
  /** All of it is of one process for certain (quick-gather.ts): its start time need not be read again. */
  readonly sound?: true;
  readonly places?: Partial<Record<'cwd' | 'root' | 'exe', Fact<Place>>>;
  readonly openFiles?: Fact<readonly OpenFile[]>;
  readonly mappings?: Fact<MappingTable>;
  readonly namespace?: Fact<number>;
}

export const PLACES = ['exe', 'cwd', 'root'] as const;
export const OF_PORTRAITS = ['status', 'cmdline', 'cgroup'] as const;
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
  const mappings = processes.mappingTable(pid, devices, portraits);
  if (!holds(pid, { ...glance, mappings, threads }, { devices, raw })) return undefined;
  if (portraits) for (const name of OF_PORTRAITS) files[name] = processes.read(pid, name);
  const places: Partial<Record<'cwd' | 'root' | 'exe', Fact<Place>>> = {};
  for (const [i, place] of PLACES.entries()) places[place] = processes.place(pid, place, glance.places[i]);
  const gathered = { pid, files, places, openFiles: processes.openFiles(pid, glance.descriptors), mappings };
  return portraits ? { ...gathered, namespace: processes.namespace(pid, 'mnt') } : gathered;
}

export interface Glance {
  readonly places: readonly (Numbers | undefined)[];
  readonly descriptors: readonly Descriptor[];
  readonly mappings: Fact<MappingTable>;
  readonly threads: number;
}

/** Whether it has something of the devices, or may have. */
export function holds(pid: number, { places, descriptors: open, mappings, threads }: Glance, { devices, raw }: Pick<Wanted, 'devices' | 'raw'>): boolean {
  return isMissing(mappings) || mappings.files.some(({ dev, rdev }) => devices.has(dev) || (rdev !== undefined && devices.has(rdev)))
    || places.some((stats) => stats !== undefined && raw.has(stats.dev)) || open.some((file) => mayBeOn(file, raw)) || (threads > 1 && anyApartOn(pid, raw));
}

/** Numbers alone, no link is read. Throws the error of node:fs. */
function glanceAt(pid: number): { readonly places: readonly (Numbers | undefined)[]; readonly descriptors: readonly Descriptor[] } {
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
