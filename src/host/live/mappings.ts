/** Mappings of processes of the live machine: those of devices by PROCMAP_QUERY where many processes are searched, else from the text of maps. */
import { readlinkSync } from 'node:fs';
import { endianness } from 'node:os';
import { isMissing, missing, type Fact } from '../fact.ts';
import type { DeviceNumber } from '../host.ts';
import { mappingsOf, tableOf, type MappedFile, type MappingTable } from '../mapping-table.ts';
import { parseMaps, type WantLine } from '../maps.ts';
import type { Mapping } from '../processes.ts';
import { absence, quietly } from './absence.ts';
import { CharDevices, DeviceFilter, fileFilter, PinningDevices } from './device-filter.ts';
import { ProcmapQuery, type Question } from './procmap-query.ts';
import { withContent } from './read.ts';

export class LiveMappings {
  private readonly chars = new CharDevices();
  private readonly pinning = new PinningDevices();
  /** There once many processes are looked at: for few, the FFI library takes longer to load than it saves. */
  private query: ProcmapQuery | undefined;
  private filter: { readonly devices: ReadonlySet<DeviceNumber>; readonly filter: DeviceFilter } | undefined;

  /** Inodes are known for the length of one look at the process list. */
  forget(): void {
    this.chars.forget();
    this.filter = undefined;
  }

  /** From now on, mappings of devices are asked for by PROCMAP_QUERY. Little-endian machines only. */
  askByNumber(): void {
    if (endianness() === 'LE') this.query ??= new ProcmapQuery();
  }

  /** Of these devices, and what tells of pins; the absence of /proc/PID/maps as it is. */
  of(pid: number, devices: ReadonlySet<DeviceNumber>): Fact<readonly Mapping[]> {
    const filter = this.filterOf(pid, devices);
    const asked = this.asked(filter, true, (query, question) => query.wanted(pid, question));
    if (asked !== undefined) return mappingsOf(asked);
    const found = this.that(pid, filter.want);
    return isMissing(found) || found.length === 0 ? found : found.filter((mapping) => filter.isWanted(mapping));
  }

  /** The same as a table; `everyName` as in procmap-query.ts. */
  tableOf(pid: number, devices: ReadonlySet<DeviceNumber>, everyName: boolean): Fact<MappingTable> {
    const asked = this.asked(this.filterOf(pid, devices), everyName, (query, question) => query.wanted(pid, question));
    if (asked !== undefined) return asked;
    const found = this.of(pid, devices);
    return isMissing(found) ? found : tableOf(found);
  }

  /** Through a descriptor of its maps. Undefined where that cannot tell. */
  through(fd: number, pid: number, devices: ReadonlySet<DeviceNumber>, everyName: boolean): MappingTable | undefined {
    return this.asked(this.filterOf(pid, devices), everyName, (query, question) => query.through(fd, question));
  }

  private filterOf(pid: number, devices: ReadonlySet<DeviceNumber>): DeviceFilter {
    if (this.filter?.devices !== devices) this.filter = { devices, filter: new DeviceFilter(devices, this.chars, this.pinning) };
    this.filter.filter.pid = pid;
    return this.filter.filter;
  }

  private asked(filter: DeviceFilter, everyName: boolean, ask: (query: ProcmapQuery, question: Question) => MappingTable | undefined): MappingTable | undefined {
    const { query } = this;
    if (query === undefined) return undefined;
    const admit = (file: MappedFile): MappedFile | undefined => {
      const told = this.withDevice(filter.pid, file);
      return filter.isWanted(told) ? told : undefined;
    };
    return quietly(() => ask(query, { want: filter.want, admit, everyName }), () => undefined);
  }

  all(pid: number): Fact<readonly Mapping[]> {
    return this.that(pid, undefined);
  }

  /** All of them, with the character devices told. */
  allWithDevices(pid: number): Fact<readonly Mapping[]> {
    return this.that(pid, fileFilter(this.chars, pid));
  }

  private that(pid: number, want: WantLine | undefined): Fact<readonly Mapping[]> {
    const path = `/proc/${pid}/maps`;
    return quietly<Fact<readonly Mapping[]>>(() => withContent(path, (bytes, length) => {
      const parsed = parseMaps(bytes, length, want);
      return parsed.malformed === undefined ? this.complete(pid, parsed.mappings) : missing('malformed', path, parsed.malformed);
    }), (error) => absence(error, path));
  }

  /** The name as stored where the text is ambiguous, and the number of the character device where it is one. */
  private complete(pid: number, mappings: Mapping[]): Mapping[] {
    if (!this.chars.any && !mappings.some(({ name }) => name.includes('\n'))) return mappings;
    for (const [i, mapping] of mappings.entries()) {
      mappings[i] = this.withDevice(pid, mapping.name.includes('\n') ? { ...mapping, name: mapFileName(pid, mapping) } : mapping);
    }
    return mappings;
  }

  private withDevice<T extends MappedFile>(pid: number, file: T): T {
    if (!this.chars.any || file.ino === 0) return file;
    if (this.chars.denied) this.chars.byName(pid, file);
    const rdev = this.chars.known(file.dev, file.ino);
    return rdev === undefined ? file : { ...file, rdev };
  }
}

/** The link in map_files holds the name with every byte as it is; needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. */
function mapFileName(pid: number, mapping: Mapping): string {
  const path = `/proc/${pid}/map_files/${mapping.start.toString(16)}-${mapping.end.toString(16)}`;
  return quietly(() => readlinkSync(path, { encoding: 'latin1' }), () => mapping.name);
}
