/** Processes of the live machine, from /proc. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { isMissing, missing, type Fact, type Missing } from '../fact.ts';
import type { DeviceNumber } from '../host.ts';
import { mappingsOf, type MappingTable } from '../mapping-table.ts';
import type { Mapping, OpenFile, Place, Processes, ProcessFile, ThreadsApart } from '../processes.ts';
import { absence, quietly } from './absence.ts';
import { AddressSpaces } from './address-spaces.ts';
import { openFiles } from './descriptors.ts';
import { deviceNumber, LiveFiles } from './files.ts';
import { LiveMappings } from './mappings.ts';
import type { Descriptor, Numbers } from './process-door.ts';
import { bytesOf } from './read.ts';
import { Pagemaps } from './pagemap.ts';
import { MANY, Sweep } from './sweep.ts';
import { threadsApart } from './threads-apart.ts';

export class LiveProcesses implements Processes {
  private readonly maps = new LiveMappings();
  private readonly pages: Pagemaps;
  private readonly sweep: Sweep;

  constructor(files: LiveFiles, pageSize: number) {
    this.sweep = new Sweep(pageSize);
    this.pages = new Pagemaps(files, (pid) => this.addressSpaceOf(pid, this.maps.allWithDevices(pid), []), pageSize);
  }

  pids(): Fact<readonly number[]> {
    this.maps.forget();
    return numbersIn('/proc');
  }

  expectSearch(): void {
    this.sweep.prepare();
  }

  suspects(pids: readonly number[], devices: ReadonlySet<DeviceNumber>, portraits: boolean): Iterable<number> {
    if (pids.length >= MANY) this.askByNumber();
    return this.sweep.suspects(this, pids, devices, portraits);
  }

  /** From now on, mappings of devices are asked for by number (PROCMAP_QUERY). */
  askByNumber(): void {
    this.maps.askByNumber();
  }

  threads(pid: number): Fact<readonly number[]> {
    const path = `/proc/${pid}/task`;
    const found = numbersIn(path);
    return isMissing(found) && found.missing === 'absent' ? missing('vanished', path, found.detail) : found;
  }

  read(pid: number, name: ProcessFile): Fact<Uint8Array> {
    return this.sweep.takeFile(pid, name) ?? this.settle(pid, readWhole(`/proc/${pid}/${name}`));
  }

  mappings(pid: number, devices?: ReadonlySet<DeviceNumber>): Fact<readonly Mapping[]> {
    if (devices === undefined) return this.addressSpaceOf(pid, this.maps.all(pid), []);
    const known = this.sweep.takeMappings(pid, devices);
    if (known !== undefined) return isMissing(known) ? known : mappingsOf(known);
    return this.addressSpaceOf(pid, this.maps.of(pid, devices), []);
  }

  mappingTable(pid: number, devices: ReadonlySet<DeviceNumber>, everyName = true): Fact<MappingTable> {
    return this.sweep.takeMappings(pid, devices) ?? this.addressSpaceOf(pid, this.maps.tableOf(pid, devices, everyName), EMPTY);
  }

  /** By PROCMAP_QUERY, from a descriptor of /proc/PID/maps; undefined where that cannot tell. */
  tableThrough(fd: number, pid: number, devices: ReadonlySet<DeviceNumber>, everyName: boolean): MappingTable | undefined {
    return this.maps.through(fd, pid, devices, everyName);
  }

  /** Kernel threads and zombies have no address space; newer kernels say ESRCH for them (fs/proc/base.c, proc_mem_open). */
  private addressSpaceOf<T>(pid: number, found: Fact<T>, none: T): Fact<T> {
    if (!isMissing(found) || found.detail !== 'ESRCH') return this.settle(pid, found);
    return exists(pid) ? none : found;
  }

  /** `seen`: what was found of them a moment ago. */
  openFiles(pid: number, seen?: readonly Descriptor[]): Fact<readonly OpenFile[]> {
    const known = this.sweep.take(pid, 'openFiles');
    if (known !== undefined) return known;
    return this.settle(pid, quietly<Fact<readonly OpenFile[]>>(() => openFiles(pid, seen), (error) => absence(error, `/proc/${pid}/fd`)));
  }

  fdInfo(pid: number, fd: number): Fact<Uint8Array> {
    return this.settle(pid, readWhole(`/proc/${pid}/fdinfo/${fd}`));
  }

  /** `seen`: its numbers, where they were looked at a moment ago. */
  place(pid: number, which: 'cwd' | 'root' | 'exe', seen?: Numbers): Fact<Place> {
    const known = this.sweep.takePlace(pid, which);
    if (known !== undefined) return known;
    const path = `/proc/${pid}/${which}`;
    return this.settle(pid, quietly<Fact<Place>>(() => {
      const target = readlinkSync(path, { encoding: 'latin1' });
      const stats = seen ?? statSync(path, { throwIfNoEntry: false });
      return stats === undefined ? { target } : { target, dev: deviceNumber(stats.dev), ino: stats.ino };
    }, (error) => absence(error, path)));
  }

  namespace(pid: number, which: 'mnt' | 'pid' | 'user'): Fact<number> {
    const known = which === 'mnt' ? this.sweep.take(pid, 'namespace') : undefined;
    if (known !== undefined) return known;
    const path = `/proc/${pid}/ns/${which}`;
    const text = quietly<Fact<string>>(() => readlinkSync(path), (error) => absence(error, path));
    if (isMissing(text)) return this.settle(pid, text);
    const inode = /^\w+:\[(\d+)\]$/.exec(text)?.[1];
    return inode === undefined ? missing('malformed', path, text) : Number(inode);
  }

  addressSpaces(pids: readonly number[]): ReadonlyMap<number, number> {
    return (this.sweep.takeSpaces() ?? new AddressSpaces()).groups(pids);
  }

  threadsApart(tid: number): Fact<readonly ThreadsApart[]> {
    return this.settle(tid, threadsApart(tid));
  }

  /** Ends the thread that helps, where one runs. */
  close(): void {
    this.sweep.stop();
  }

  pagemap(pid: number, address: number, into: Uint8Array): Fact<number> {
    return this.settle(pid, this.pages.read(pid, address, into));
  }

  /** A file of a process that is not there: because the process ended, or because the kernel has no such file. */
  private settle<T>(pid: number, fact: Fact<T>): Fact<T> {
    this.sweep.doubt(pid);
    if (!isMissing(fact) || fact.missing !== 'absent') return fact;
    return exists(pid) ? fact : missing('vanished', (fact as Missing).path, (fact as Missing).detail);
  }
}

const EMPTY: MappingTable = { numbers: new Float64Array(0), perms: [], files: [] };

const readWhole = (path: string): Fact<Uint8Array> => quietly<Fact<Uint8Array>>(() => bytesOf(path), (error) => absence(error, path));

const exists = (pid: number): boolean => statSync(`/proc/${pid}`, { throwIfNoEntry: false }) !== undefined;

function numbersIn(path: string): Fact<readonly number[]> {
  return quietly<Fact<readonly number[]>>(() => {
    const found: number[] = [];
    for (const name of readdirSync(path)) {
      const first = name.charCodeAt(0);
      if (first >= 0x30 && first <= 0x39) found.push(Number(name));
    }
    return found.sort((a, b) => a - b);
  }, (error) => absence(error, path));
}
