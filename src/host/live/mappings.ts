/** Mappings of processes of the live machine: those of devices by PROCMAP_QUERY where many processes are searched, else from the text of maps. */
import { readlinkSync } from 'node:fs';
import { endianness } from 'node:os';
import { isMissing, missing, type Fact } from '../fact.ts';
import type { DeviceNumber } from '../host.ts';
import { parseMaps, type WantLine } from '../maps.ts';
import type { Mapping } from '../processes.ts';
import { absence, quietly } from './absence.ts';
import { CharDevices, DeviceFilter, fileFilter, PinningDevices } from './device-filter.ts';
import { ProcmapQuery } from './procmap-query.ts';
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
    if (this.filter?.devices !== devices) this.filter = { devices, filter: new DeviceFilter(devices, this.chars, this.pinning) };
    const { filter } = this.filter;
    filter.pid = pid;
    const asked = this.query === undefined ? undefined : quietly(() => this.query?.wanted(pid, filter.want), () => undefined);
    const found = asked === undefined ? this.that(pid, filter.want) : this.complete(pid, asked);
    return isMissing(found) || found.length === 0 ? found : found.filter((mapping) => filter.isWanted(mapping));
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
      if (mapping.name.includes('\n')) mappings[i] = { ...mapping, name: mapFileName(pid, mapping) };
      if (this.chars.denied && mapping.ino !== 0) this.chars.byName(pid, mappings[i] ?? mapping);
      const rdev = mapping.ino === 0 ? undefined : this.chars.known(mapping.dev, mapping.ino);
      if (rdev !== undefined) mappings[i] = { ...(mappings[i] ?? mapping), rdev };
    }
    return mappings;
  }
}

/** The link in map_files holds the name with every byte as it is; needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. */
function mapFileName(pid: number, mapping: Mapping): string {
  const path = `/proc/${pid}/map_files/${mapping.start.toString(16)}-${mapping.end.toString(16)}`;
  return quietly(() => readlinkSync(path, { encoding: 'latin1' }), () => mapping.name);
}
