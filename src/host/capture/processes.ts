/** The processes of a capture: directories /proc/PID with text listings where the kernel has links. */
import { isMissing, missing, type Fact } from '../fact.ts';
import type { ByteString, DeviceNumber, Files } from '../host.ts';
import type { Mapping, OpenFile, Place, ProcessFile, Processes, ThreadsApart } from '../processes.ts';
import { parseMaps } from '../maps.ts';
import type { MountGroups } from './mounts.ts';
import { parseFdListing } from './listings.ts';
import { parseOwnListing, type OwnListing } from './own-listing.ts';
import { parseThreadsListing, type ThreadsListing } from './threads-listing.ts';

const latin1 = (bytes: Uint8Array): ByteString => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

export class CaptureProcesses implements Processes {
  private readonly files: Files;
  private readonly groups: MountGroups;
  /** Character devices by path: `/dev/dax0.0` to `251:0`. */
  private readonly rdevOf: (path: ByteString) => DeviceNumber | undefined;
  private readonly spaces: ReadonlyMap<number, readonly number[]>;
  /** Processes of threads that were told of. */
  private readonly owners = new Map<number, number>();

  /** `spaces`: for each process that shares its address space, all that do. */
  constructor(files: Files, groups: MountGroups, rdevOf: (path: ByteString) => DeviceNumber | undefined, spaces: ReadonlyMap<number, readonly number[]>) {
    this.files = files;
    this.groups = groups;
    this.rdevOf = rdevOf;
    this.spaces = spaces;
  }

  /** Where the files of a process lie, or of a thread that has some of its own. */
  private home(id: number): string {
    const owner = this.owners.get(id);
    return owner === undefined || owner === id ? `/proc/${id}` : `/proc/${owner}/apart/${id}`;
  }

  pids(): Fact<readonly number[]> {
    return numbersIn(this.files, '/proc', 'no process is in the capture');
  }

  threads(pid: number): Fact<readonly number[]> {
    const listed = numbersIn(this.files, `/proc/${pid}/task`, 'no threads are in the capture');
    if (!isMissing(listed)) return listed;
    const told = this.threadsOf(pid);
    if (told !== null) return isMissing(told) ? told : told.tids;
    const status = this.read(pid, 'status');
    if (isMissing(status)) return status;
    return /^Threads:\t1$/m.test(latin1(status)) ? [pid] : listed;
  }

  read(pid: number, name: ProcessFile): Fact<Uint8Array> {
    return this.files.read(`${this.home(pid)}/${name}`);
  }

  mappings(pid: number, devices?: ReadonlySet<DeviceNumber>): Fact<readonly Mapping[]> {
    const bytes = this.read(pid, 'maps');
    if (isMissing(bytes)) return bytes;
    const parsed = parseMaps(bytes);
    if (parsed.malformed !== undefined) return missing('malformed', `${this.home(pid)}/maps`, parsed.malformed);
    const all = parsed.mappings.map((mapping) => {
      const rdev = this.rdevOf(mapping.name);
      return rdev === undefined ? mapping : { ...mapping, rdev };
    });
    return devices === undefined ? all : all.filter((m) => devices.has(m.dev) || (m.rdev !== undefined && devices.has(m.rdev)));
  }

  openFiles(pid: number): Fact<readonly OpenFile[]> {
    const own = this.ownListing(pid);
    if (own !== null) return isMissing(own) ? own : own.files;
    const links = this.linkedFiles(pid);
    if (links !== null) return links;
    const listing = this.files.read(`/proc/${pid}/fd.txt`);
    if (isMissing(listing)) return missing(listing.missing, `/proc/${pid}/fd`, listing.detail);
    return parseFdListing(latin1(listing)).map((file) => {
      const rdev = this.rdevOf(file.target);
      return rdev === undefined ? file : { ...file, rdev };
    });
  }

  fdInfo(pid: number, fd: number): Fact<Uint8Array> {
    return this.files.read(`${this.home(pid)}/fdinfo/${fd}`);
  }

  place(pid: number, which: 'cwd' | 'root' | 'exe'): Fact<Place> {
    const own = this.ownListing(pid);
    if (own !== null) return isMissing(own) ? own : (own.places[which] ?? missing('not-captured', `${this.home(pid)}/${which}`));
    const target = this.files.link(`/proc/${pid}/${which}`);
    return isMissing(target) ? target : { target: Buffer.from(target, 'utf8').toString('latin1') };
  }

  namespace(pid: number, which: 'mnt' | 'pid' | 'user'): Fact<number> {
    const target = this.files.link(`${this.home(pid)}/ns/${which}`);
    if (isMissing(target)) return (which === 'mnt' ? this.groups.of(pid) : undefined) ?? target;
    const ino = /^\w+:\[(\d+)\]$/.exec(target)?.[1];
    return ino === undefined ? missing('malformed', `/proc/${pid}/ns/${which}`, target) : Number(ino);
  }

  /** From `pagemap-START-END.bin` beside the process's other files: 8 bytes for each page of START to END (hex addresses). */
  pagemap(pid: number, address: number, into: Uint8Array): Fact<number> {
    const path = `/proc/${pid}/pagemap`;
    const names = this.files.list(`/proc/${pid}`);
    if (isMissing(names)) return names;
    for (const name of names) {
      const m = /^pagemap-([0-9a-f]{1,13})-([0-9a-f]{1,13})\.bin$/.exec(name);
      if (m === null) continue;
      const [start, end] = [parseInt(m[1] as string, 16), parseInt(m[2] as string, 16)];
      const bytes = this.files.read(`/proc/${pid}/${name}`);
      if (address < start || address >= end || isMissing(bytes)) continue;
      const pageSize = bytes.length === 0 ? 0 : (end - start) / (bytes.length / 8);
      if (bytes.length % 8 !== 0 || !Number.isInteger(pageSize) || pageSize < 4096) return missing('malformed', `/proc/${pid}/${name}`, `${bytes.length} bytes for ${end - start} bytes of addresses`);
      const from = Math.floor((address - start) / pageSize) * 8;
      const part = bytes.subarray(from, from + into.length);
      into.set(part);
      return part.length;
    }
    return missing('not-captured', path);
  }

  private ownListing(pid: number): Fact<OwnListing> | null {
    const path = `${this.home(pid)}/fd.jsonl`;
    const text = this.files.read(path);
    return isMissing(text) ? null : parseOwnListing(path, latin1(text));
  }

  threadsApart(tid: number): Fact<readonly ThreadsApart[]> {
    const told = this.threadsOf(this.owners.get(tid) ?? tid);
    return told === null ? [] : isMissing(told) ? told : told.apart;
  }

  addressSpaces(pids: readonly number[]): ReadonlyMap<number, number> {
    const asked = new Set(pids);
    return new Map(pids.flatMap((pid) => {
      const group = this.spaces.get(pid)?.filter((one) => asked.has(one)) ?? [];
      return group.length === 0 ? [] : [[pid, Math.min(...group)] as const];
    }));
  }

  /** Null where nothing is told: they share all that the process has, or the capture is none of unseat's. */
  private threadsOf(pid: number): Fact<ThreadsListing> | null {
    const path = `/proc/${pid}/threads.jsonl`;
    const text = this.files.read(path);
    if (isMissing(text)) return null;
    const told = parseThreadsListing(path, latin1(text));
    if (!isMissing(told)) for (const tid of [...told.tids, ...(isMissing(told.apart) ? [] : told.apart.flatMap(({ threads }) => threads))]) this.owners.set(tid, pid);
    return told;
  }

  /** A copy of /proc made by a tool that keeps links. */
  private linkedFiles(pid: number): Fact<readonly OpenFile[]> | null {
    const fds = this.files.list(`/proc/${pid}/fd`);
    if (isMissing(fds)) return null;
    return fds.filter((name) => /^\d+$/.test(name)).map(Number).sort((a, b) => a - b).flatMap((fd) => {
      const link = this.files.link(`/proc/${pid}/fd/${fd}`);
      if (isMissing(link)) return [];
      const target = Buffer.from(link, 'utf8').toString('latin1');
      const rdev = this.rdevOf(target);
      return [rdev === undefined ? { fd, target } : { fd, target, rdev }];
    });
  }
}

function numbersIn(files: Files, path: string, why: string): Fact<readonly number[]> {
  const names = files.list(path);
  if (isMissing(names)) return names;
  const numbers = names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number).sort((a, b) => a - b);
  return numbers.length === 0 ? missing('not-captured', path, why) : numbers;
}
