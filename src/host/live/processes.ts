/** Processes of the live machine, from /proc. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { endianness } from 'node:os';
import { isMissing, missing, type Fact, type Missing } from '../fact.ts';
import type { DeviceNumber } from '../host.ts';
import { parseMaps, type WantLine } from '../maps.ts';
import type { Mapping, OpenFile, Place, Processes, ProcessFile } from '../processes.ts';
import { absence, errnoOf, quietly } from './absence.ts';
import { addressSpaces } from './address-spaces.ts';
import { CharDevices, deviceFilter, fileFilter, PinningDevices } from './device-filter.ts';
import { deviceNumber, LiveFiles } from './files.ts';
import { Pagemaps } from './pagemap.ts';
import { ProcmapQuery } from './procmap-query.ts';
import { MANY, ReadAhead } from './read-ahead.ts';
import { withContent } from './read.ts';

const LATIN1 = { encoding: 'latin1' as const };

export class LiveProcesses implements Processes {
  private readonly files: LiveFiles;
  private readonly chars = new CharDevices();
  private readonly pinning = new PinningDevices();
  private readonly pages: Pagemaps;
  private readonly pageSize: number;
  private readonly ahead = new ReadAhead();
  /** There once many processes are looked at: for few, the FFI library takes longer to load than it saves. */
  private query: ProcmapQuery | undefined;

  constructor(files: LiveFiles, pageSize: number) {
    this.files = files;
    this.pageSize = pageSize;
    this.pages = new Pagemaps(files, (pid) => this.everyMapping(pid), pageSize);
  }

  pids(): Fact<readonly number[]> {
    this.chars.forget();
    this.ahead.stop();
    return numbersIn('/proc');
  }

  readAhead(pids: readonly number[], devices: ReadonlySet<DeviceNumber>): void {
    this.ahead.start(pids, devices, this.pageSize);
    if (pids.length >= MANY) this.askByNumber();
  }

  /** From now on, mappings of devices are asked for by PROCMAP_QUERY. Little-endian machines only. */
  askByNumber(): void {
    if (endianness() === 'LE') this.query ??= new ProcmapQuery();
  }

  threads(pid: number): Fact<readonly number[]> {
    const path = `/proc/${pid}/task`;
    const found = numbersIn(path);
    return isMissing(found) && found.missing === 'absent' ? missing('vanished', path, found.detail) : found;
  }

  read(pid: number, name: ProcessFile): Fact<Uint8Array> {
    return this.ahead.takeFrom(pid, 'files', name) ?? this.settle(pid, this.files.read(`/proc/${pid}/${name}`));
  }

  mappings(pid: number, devices?: ReadonlySet<DeviceNumber>): Fact<readonly Mapping[]> {
    if (devices === undefined) return this.mappingsThat(pid, undefined);
    const known = this.ahead.takeMappings(pid, devices);
    if (known !== undefined) return known;
    const filter = deviceFilter(devices, this.chars, this.pinning, pid);
    const asked = this.query === undefined ? undefined : quietly(() => this.query?.wanted(pid, filter.want), () => undefined);
    const found = asked === undefined ? this.mappingsThat(pid, filter.want) : this.complete(pid, asked);
    return isMissing(found) ? found : found.filter((mapping) => filter.isWanted(mapping));
  }

  /** All of them, with the character devices told. */
  private everyMapping(pid: number): Fact<readonly Mapping[]> {
    return this.mappingsThat(pid, fileFilter(this.chars, pid));
  }

  private mappingsThat(pid: number, want: WantLine | undefined): Fact<readonly Mapping[]> {
    const path = `/proc/${pid}/maps`;
    const found = quietly<Fact<readonly Mapping[]>>(() => withContent(path, (bytes, length) => {
      const parsed = parseMaps(bytes, length, want);
      return parsed.malformed === undefined ? this.complete(pid, parsed.mappings) : missing('malformed', path, parsed.malformed);
    }), (error) => absence(error, path));
    if (!isMissing(found) || found.detail !== 'ESRCH') return this.settle(pid, found);
    // Kernel threads and zombies have no address space; newer kernels say ESRCH for them (fs/proc/base.c, proc_mem_open).
    return exists(pid) ? [] : found;
  }

  openFiles(pid: number): Fact<readonly OpenFile[]> {
    const known = this.ahead.take(pid, 'openFiles');
    if (known !== undefined) return known;
    const directory = `/proc/${pid}/fd`;
    return this.settle(pid, quietly<Fact<readonly OpenFile[]>>(() => {
      const found: OpenFile[] = [];
      for (const name of readdirSync(directory)) {
        const file = openFile(directory, name);
        if (file !== undefined) found.push(file);
      }
      return found.sort((a, b) => a.fd - b.fd);
    }, (error) => absence(error, directory)));
  }

  fdInfo(pid: number, fd: number): Fact<Uint8Array> {
    return this.settle(pid, this.files.read(`/proc/${pid}/fdinfo/${fd}`));
  }

  place(pid: number, which: 'cwd' | 'root' | 'exe'): Fact<Place> {
    const known = this.ahead.takeFrom(pid, 'places', which);
    if (known !== undefined) return known;
    const path = `/proc/${pid}/${which}`;
    return this.settle(pid, quietly<Fact<Place>>(() => {
      const target = readlinkSync(path, LATIN1);
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats === undefined ? { target } : { target, dev: deviceNumber(stats.dev), ino: stats.ino };
    }, (error) => absence(error, path)));
  }

  namespace(pid: number, which: 'mnt' | 'pid' | 'user'): Fact<number> {
    const known = which === 'mnt' ? this.ahead.take(pid, 'namespace') : undefined;
    if (known !== undefined) return known;
    const path = `/proc/${pid}/ns/${which}`;
    const text = quietly<Fact<string>>(() => readlinkSync(path), (error) => absence(error, path));
    if (isMissing(text)) return this.settle(pid, text);
    const inode = /^\w+:\[(\d+)\]$/.exec(text)?.[1];
    return inode === undefined ? missing('malformed', path, text) : Number(inode);
  }

  addressSpaces(pids: readonly number[]): ReadonlyMap<number, number> {
    return addressSpaces(pids);
  }

  /** Ends the thread that helps, where one runs. */
  close(): void {
    this.ahead.stop();
  }

  pagemap(pid: number, address: number, into: Uint8Array): Fact<number> {
    return this.settle(pid, this.pages.read(pid, address, into));
  }

  /** A file of a process that is not there: because the process ended, or because the kernel has no such file. */
  private settle<T>(pid: number, fact: Fact<T>): Fact<T> {
    if (!isMissing(fact) || fact.missing !== 'absent') return fact;
    return exists(pid) ? fact : missing('vanished', (fact as Missing).path, (fact as Missing).detail);
  }

  /** The name as stored where the text is ambiguous, and the number of the character device where it is one. */
  private complete(pid: number, mappings: Mapping[]): Mapping[] {
    for (const [i, mapping] of mappings.entries()) {
      const rdev = mapping.ino === 0 ? undefined : this.chars.known(mapping.dev, mapping.ino);
      if (mapping.name.includes('\n')) mappings[i] = { ...mapping, name: mapFileName(pid, mapping) };
      if (rdev !== undefined) mappings[i] = { ...(mappings[i] ?? mapping), rdev };
    }
    return mappings;
  }
}

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

const NO_FILE = /^(?:pipe|socket|anon_inode):/;

/** Undefined for a descriptor that was closed meanwhile. */
function openFile(directory: string, name: string): OpenFile | undefined {
  const path = `${directory}/${name}`;
  try {
    const target = readlinkSync(path, LATIN1);
    // Pipes, sockets and anonymous inodes lie on no device.
    const stats = NO_FILE.test(target) ? undefined : statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return { fd: Number(name), target };
    const node = (stats.mode & 0o170000) === 0o020000 || (stats.mode & 0o170000) === 0o060000;
    const common = { fd: Number(name), target, dev: deviceNumber(stats.dev), ino: stats.ino };
    return node ? { ...common, rdev: deviceNumber(stats.rdev) } : common;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The link in map_files holds the name with every byte as it is; needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. */
function mapFileName(pid: number, mapping: Mapping): string {
  const path = `/proc/${pid}/map_files/${mapping.start.toString(16)}-${mapping.end.toString(16)}`;
  return quietly(() => readlinkSync(path, LATIN1), () => mapping.name);
}
