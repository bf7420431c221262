/** Mappings as what a holder has: each with its file by name, and whether that is deleted. */
import type { Host } from '../../host/host.ts';
import { countOf, fileAt, mappingsOf, rangeAt, type MappingTable } from '../../host/mapping-table.ts';
import type { Mapping } from '../../host/processes.ts';
import type { HeldMapping } from '../types/holder.ts';
import { splitDeleted } from './deleted.ts';
import type { DeviceIndex } from './device-index.ts';
import { isRing } from './pins.ts';

/** What a process has mapped of one device: at least one mapping. */
export interface HeldMappings {
  readonly list: readonly HeldMapping[];
  /** The list is made when it is read. */
  readonly late?: true;
}

export interface Held {
  /** By device id. */
  readonly byDevice: ReadonlyMap<string, HeldMappings>;
  /** Those that tell of pins (pins.ts). */
  readonly rings: readonly Mapping[];
}

type Named = ReturnType<typeof splitDeleted>;

/** Of the mappings of one process in order: neighbours mostly map one file, which is asked for once for a run of them. */
export function heldAmong(host: Host, index: DeviceIndex, tid: number, mappings: readonly Mapping[]): Held {
  let byDevice: ReadonlyMap<string, { list: HeldMapping[] }> = NONE;
  let last: Mapping | undefined;
  let named: Named = { file: '', deleted: false };
  for (const mapping of mappings) {
    const { start, end, perms, offset, dev, ino, name } = mapping;
    for (const id of index.ofMapping(mapping)) {
      if (last?.name !== name || last.ino !== ino || last.dev !== dev) named = splitDeleted(host.files, tid, { name, dev, ino });
      last = mapping;
      const held = { start, end, perms, offset, dev, ino, file: named.file, deleted: named.deleted };
      const known = byDevice.get(id);
      if (known === undefined) byDevice = new Map(byDevice).set(id, { list: [held] });
      else known.list.push(held);
    }
  }
  return { byDevice, rings: mappings.some(isRing) ? mappings.filter(isRing) : NO_RINGS };
}

/** The same from a table: the files are looked at now, the list of mappings is made when somebody reads it. */
export function heldInTable(host: Host, index: DeviceIndex, tid: number, table: MappingTable): Held {
  const ids = table.files.map((file) => index.ofMapping(file));
  const named = table.files.map((file, at) => (ids[at]?.length === 0 ? null : splitDeleted(host.files, tid, file)));
  const devices = new Set(ids.flat());
  const byDevice = devices.size === 0 ? NONE : new Map([...devices].map((id) => [id, new InTable(table, ids.map((of, at) => (of.includes(id) ? (named[at] ?? null) : null)))]));
  return { byDevice, rings: table.files.some(isRing) ? ringsIn(table) : NO_RINGS };
}

class InTable implements HeldMappings {
  readonly late = true;
  private made: readonly HeldMapping[] | undefined;
  /** Until the list is made. `files` by index in the table, null for those that are not of the device. */
  private source: { readonly table: MappingTable; readonly files: readonly (Named | null)[] } | undefined;

  constructor(table: MappingTable, files: readonly (Named | null)[]) {
    this.source = { table, files };
  }

  get list(): readonly HeldMapping[] {
    if (this.source !== undefined) {
      const { table, files } = this.source;
      this.made = heldOf(table, files);
      this.source = undefined;
    }
    return this.made ?? [];
  }
}

function heldOf(table: MappingTable, files: readonly (Named | null)[]): HeldMapping[] {
  const found: HeldMapping[] = [];
  for (let at = 0; at < countOf(table); at += 1) {
    const named = files[fileAt(table, at)];
    const file = table.files[fileAt(table, at)];
    if (named == null || file === undefined) continue;
    const { start, end, perms, offset } = rangeAt(table, at);
    found.push({ start, end, perms, offset, dev: file.dev, ino: file.ino, file: named.file, deleted: named.deleted });
  }
  return found;
}

const ringsIn = (table: MappingTable): Mapping[] => mappingsOf(table).filter(isRing);

/** Most processes have nothing, and most holders one kind of thing: maps are made only for what there is. */
const NONE: ReadonlyMap<string, never> = new Map<string, never>();
const NO_RINGS: readonly Mapping[] = [];
