/**
 * The mappings of one process as a table of numbers. A holder search sees hundreds of thousands of mappings; an object for
 * each costs more than to find them, and most are only counted. Tables also go between threads at the price of a copy.
 */
import type { ByteString, DeviceNumber } from './host.ts';
import type { Mapping } from './processes.ts';

/** What a run of mappings has in common. */
export interface MappedFile {
  readonly dev: DeviceNumber;
  readonly ino: number;
  readonly rdev?: DeviceNumber;
  readonly name: ByteString;
}

export interface MappingTable {
  /** `COLUMNS` for each mapping, in address order: start, end, offset (bytes), index in `perms`, index in `files`. */
  readonly numbers: Float64Array;
  readonly perms: readonly string[];
  readonly files: readonly MappedFile[];
}

export const COLUMNS = 5;
const FILE = 4;

export const countOf = ({ numbers }: MappingTable): number => numbers.length / COLUMNS;

/** Index of the file of mapping `at`, which counts mappings. */
export const fileAt = ({ numbers }: MappingTable, at: number): number => numbers[at * COLUMNS + FILE] ?? 0;

/** One mapping without its file. */
export function rangeAt({ numbers, perms }: MappingTable, at: number): Pick<Mapping, 'start' | 'end' | 'perms' | 'offset'> {
  const base = at * COLUMNS;
  return { start: numbers[base] ?? 0, end: numbers[base + 1] ?? 0, perms: perms[numbers[base + 3] ?? 0] ?? '', offset: numbers[base + 2] ?? 0 };
}

export function mappingAt(table: MappingTable, at: number): Mapping {
  const { start, end, perms, offset } = rangeAt(table, at);
  const { dev, ino, name, rdev } = table.files[fileAt(table, at)] ?? { dev: '0:0', ino: 0, name: '' };
  const mapping = { start, end, perms, offset, dev, ino, name };
  return rdev === undefined ? mapping : { ...mapping, rdev };
}

export const mappingsOf = (table: MappingTable): Mapping[] => Array.from({ length: countOf(table) }, (_, at) => mappingAt(table, at));

export function tableOf(mappings: readonly Mapping[]): MappingTable {
  const numbers = new Float64Array(mappings.length * COLUMNS);
  const perms: string[] = [];
  const files: MappedFile[] = [];
  let at = 0;
  for (const { start, end, offset, perms: text, dev, ino, name, rdev } of mappings) {
    let perm = perms.indexOf(text);
    if (perm < 0) perm = perms.push(text) - 1;
    const last = files.at(-1);
    if (last?.ino !== ino || last.name !== name || last.dev !== dev || last.rdev !== rdev) files.push({ dev, ino, name, ...(rdev === undefined ? {} : { rdev }) });
    numbers[at] = start;
    numbers[at + 1] = end;
    numbers[at + 2] = offset;
    numbers[at + 3] = perm;
    numbers[at + FILE] = files.length - 1;
    at += COLUMNS;
  }
  return { numbers, perms, files };
}
