/** Everything that a holder search asks of one process, in one go; runs in the main thread and in the worker. */
import { isMissing, type Fact } from '../fact.ts';
import type { DeviceNumber } from '../host.ts';
import type { Mapping, OpenFile, Place, ProcessFile } from '../processes.ts';
import type { LiveProcesses } from './processes.ts';

/** Answers by question: `stat`, `maps`, `fd`, `cwd`, `mnt`, ... A question that was not put is not there. */
export interface Gathered {
  readonly pid: number;
  readonly files: Partial<Record<ProcessFile, Fact<Uint8Array>>>;
  readonly places: Partial<Record<'cwd' | 'root' | 'exe', Fact<Place>>>;
  readonly openFiles?: Fact<readonly OpenFile[]>;
  readonly mappings?: Fact<readonly Mapping[]>;
  readonly namespace?: Fact<number>;
}

const OF_HOLDERS = ['status', 'cmdline', 'cgroup'] as const;

/** The start time is read first: whoever compares it later knows that all of this was of one process. */
export function gather(processes: LiveProcesses, pid: number, devices: ReadonlySet<DeviceNumber>): Gathered {
  const stat = processes.read(pid, 'stat');
  const exe = processes.place(pid, 'exe');
  // Kernel threads, zombies and what ended: there is nothing more to read, or the search finds another way.
  if (isMissing(exe)) return { pid, files: { stat }, places: { exe } };
  const places = { exe, cwd: processes.place(pid, 'cwd'), root: processes.place(pid, 'root') };
  const openFiles = processes.openFiles(pid);
  const mappings = processes.mappings(pid, devices);
  const files: Partial<Record<ProcessFile, Fact<Uint8Array>>> = { stat };
  if (!holds(devices, Object.values(places), openFiles, mappings)) return { pid, files, places, openFiles, mappings };
  for (const name of OF_HOLDERS) files[name] = processes.read(pid, name);
  return { pid, files, places, openFiles, mappings, namespace: processes.namespace(pid, 'mnt') };
}

function holds(devices: ReadonlySet<DeviceNumber>, places: readonly Fact<Place>[], openFiles: Fact<readonly OpenFile[]>, mappings: Fact<readonly Mapping[]>): boolean {
  const on = (thing: { readonly dev?: DeviceNumber; readonly rdev?: DeviceNumber }): boolean => (thing.dev !== undefined && devices.has(thing.dev)) || (thing.rdev !== undefined && devices.has(thing.rdev));
  return places.some((place) => !isMissing(place) && on(place)) || (!isMissing(openFiles) && openFiles.some(on)) || (!isMissing(mappings) && mappings.some(on));
}
