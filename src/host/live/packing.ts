/** Mappings on their way between threads: numbers in one array, texts once each. A copy of objects would cost more than the search. */
import type { Mapping } from '../processes.ts';

export interface PackedMappings {
  /** Six for each mapping: start, end, offset, inode, index of the texts, index of the file text (name, dev, rdev). */
  readonly numbers: Float64Array;
  readonly perms: readonly string[];
  readonly files: readonly { readonly name: string; readonly dev: string; readonly rdev?: string }[];
}

const FIELDS = 6;

export function pack(mappings: readonly Mapping[]): PackedMappings {
  const numbers = new Float64Array(mappings.length * FIELDS);
  const perms: string[] = [];
  const files: { name: string; dev: string; rdev?: string }[] = [];
  let at = 0;
  for (const { start, end, offset, ino, perms: text, name, dev, rdev } of mappings) {
    let perm = perms.indexOf(text);
    if (perm < 0) perm = perms.push(text) - 1;
    const last = files.at(-1);
    if (last?.name !== name || last.dev !== dev || last.rdev !== rdev) files.push({ name, dev, ...(rdev === undefined ? {} : { rdev }) });
    numbers[at] = start;
    numbers[at + 1] = end;
    numbers[at + 2] = offset;
    numbers[at + 3] = ino;
    numbers[at + 4] = perm;
    numbers[at + 5] = files.length - 1;
    at += FIELDS;
  }
  return { numbers, perms, files };
}

export function unpack({ numbers, perms, files }: PackedMappings): Mapping[] {
  const mappings: Mapping[] = [];
  for (let at = 0; at < numbers.length; at += FIELDS) {
    const number = (field: number): number => numbers[at + field] ?? 0;
    const file = files[number(5)];
    const mapping = { start: number(0), end: number(1), perms: perms[number(4)] ?? '', offset: number(2), dev: file?.dev ?? '0:0', ino: number(3), name: file?.name ?? '' };
    mappings.push(file?.rdev === undefined ? mapping : { ...mapping, rdev: file.rdev });
  }
  return mappings;
}
