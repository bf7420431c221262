/** One look at one process: what it has of the devices that are asked for. */
import { isMissing, type Fact, type Missing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { byteString } from '../../host/names.ts';
import type { Mapping, OpenFile, Place } from '../../host/processes.ts';
import { threadsApart, type Apart } from './apart.ts';
import type { DeviceIndex } from './device-index.ts';
import { heldAmong, heldInTable, type Held, type HeldMappings } from './held-mapping.ts';
import { isKernelThread, parseStat } from './stat.ts';

export type Where = 'cwd' | 'root' | 'exe';
export const PLACES: readonly Where[] = ['cwd', 'root', 'exe'];

export interface Candidate {
  readonly pid: number;
  /** The thread whose files under /proc are read: the leader, or another one where the leader has ended. */
  readonly tid: number;
  readonly namespace: number | null;
  /** By device id. */
  readonly mappings: ReadonlyMap<string, HeldMappings>;
  readonly files: ReadonlyMap<string, readonly OpenFile[]>;
  readonly places: ReadonlyMap<string, Partial<Record<Where, Place>>>;
  readonly everyFile: Fact<readonly OpenFile[]>;
  readonly exe: Fact<Place>;
  /** Of what the host told of its mappings, those that tell of pins (pins.ts). */
  readonly rings: readonly Mapping[];
  /** Threads whose descriptors or directories are their own. */
  readonly apart: readonly Apart[];
}

/** What could not be read of a process: the reason, and of what. */
export interface Unread {
  readonly pid: number;
  readonly what: 'maps' | 'fd' | Where;
  readonly why: Missing;
}

export interface Look {
  /** Null where the process has nothing of any device. */
  readonly candidate: Candidate | null;
  readonly unread: readonly Unread[];
  readonly vanished: boolean;
}

const NOTHING: Look = { candidate: null, unread: [], vanished: false };

/** `threads`: how many it has, where that is known: one alone is not asked for its threads. */
export function lookAt(host: Host, index: DeviceIndex, pid: number, threads: number | null): Look {
  const exe = host.processes.place(pid, 'exe');
  const tid = isMissing(exe) ? readableThread(host, pid, exe) : pid;
  if (tid === 'vanished') return { ...NOTHING, vanished: true };
  return tid === null ? NOTHING : lookThrough(host, index, { pid, tid, threads }, tid === pid ? exe : host.processes.place(tid, 'exe'));
}

/**
 * A kernel thread has nothing that could hold a device; it has no exe either, and its flags are looked at only then.
 * A process whose first thread has ended while others run on shows its memory and files only under another thread's id.
 */
function readableThread(host: Host, pid: number, exe: Missing): number | null | 'vanished' {
  if (exe.missing === 'vanished') return 'vanished';
  const bytes = host.processes.read(pid, 'stat');
  if (isMissing(bytes)) return bytes.missing === 'vanished' || bytes.missing === 'absent' ? 'vanished' : pid;
  const stat = parseStat(byteString(bytes));
  if (stat === null) return pid;
  if (isKernelThread(stat)) return null;
  if (stat.state !== 'Z' && stat.state !== 'X') return pid;
  const threads = stat.threads > 1 ? host.processes.threads(pid) : [];
  return (isMissing(threads) ? undefined : threads.find((thread) => thread !== pid)) ?? null;
}

function lookThrough(host: Host, index: DeviceIndex, { pid, tid, threads }: { pid: number; tid: number; threads: number | null }, exe: Fact<Place>): Look {
  const unread: Unread[] = [];
  const keep = <T>(what: Unread['what'], fact: Fact<T>): T | null => {
    if (!isMissing(fact)) return fact;
    if (fact.missing !== 'absent') unread.push({ pid, what, why: fact });
    return null;
  };
  const { byDevice: mappings, rings } = mappingsFor(host, index, tid, (fact) => keep('maps', fact));
  const everyFile = host.processes.openFiles(tid);
  const namespace = namespaceFor(host, tid, everyFile);
  let files: ReadonlyMap<string, OpenFile[]> = NONE;
  for (const file of keep('fd', everyFile) ?? []) for (const id of index.ofFile(file, namespace)) files = push(files, id, file);
  let places: ReadonlyMap<string, Partial<Record<Where, Place>>> = NONE;
  for (const where of PLACES) {
    const place = keep(where, where === 'exe' ? exe : host.processes.place(tid, where));
    for (const id of place === null ? [] : index.ofPlace(place, namespace)) places = new Map(places).set(id, { ...places.get(id), [where]: place });
  }
  const apart = threads === 1 ? NO_THREADS : threadsApart(host, index, tid, keep);
  const vanished = unread.some(({ why }) => why.missing === 'vanished');
  const any = mappings.size > 0 || files.size > 0 || places.size > 0 || apart.some((thread) => thread.files.size > 0 || thread.places.size > 0);
  return { candidate: any ? { pid, tid, namespace, mappings, files, places, everyFile, exe, rings, apart } : null, unread, vanished };
}

function mappingsFor(host: Host, index: DeviceIndex, tid: number, keep: <T>(fact: Fact<T>) => T | null): Held {
  const table = host.processes.mappingTable?.(tid, index.numbers);
  if (table === undefined) return heldAmong(host, index, tid, keep(host.processes.mappings(tid, index.numbers)) ?? []);
  const told = keep(table);
  return told === null ? heldAmong(host, index, tid, []) : heldInTable(host, index, tid, told);
}

/** Asked for only where some descriptor has a path without a device number: one link less to read for each process. */
function namespaceFor(host: Host, tid: number, files: Fact<readonly OpenFile[]>): number | null {
  if (host.kind === 'live' && !isMissing(files) && files.every((file) => file.dev !== undefined || !file.target.startsWith('/'))) return null;
  const namespace = host.processes.namespace(tid, 'mnt');
  return isMissing(namespace) ? null : namespace;
}

/** Most processes have nothing, and most holders one kind of thing: maps are made only for what there is. */
const NONE: ReadonlyMap<string, never> = new Map<string, never>();
const NO_THREADS: readonly Apart[] = [];

function push<T>(map: ReadonlyMap<string, T[]>, id: string, item: T): ReadonlyMap<string, T[]> {
  const items = map.get(id);
  if (items === undefined) return new Map(map).set(id, [item]);
  items.push(item);
  return map;
}
