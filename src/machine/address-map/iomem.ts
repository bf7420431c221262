/** /proc/iomem. Source: kernel/resource.c, r_show(): two spaces for each level, `start-end : name`, inclusive ends, zeros for a reader without CAP_SYS_ADMIN. */
import { contains, type PhysRange } from '../../range/phys-range.ts';
import type { AddressMap, Resource } from '../types/address-map.ts';
import type { Reader } from '../reader.ts';

interface Growing extends PhysRange {
  readonly name: string;
  readonly children: Growing[];
}

export interface ParsedIomem extends AddressMap {
  /** Lines that are no resource, by number from 1. */
  readonly badLines: readonly number[];
}

/**
 * The tree of the text. Nesting is taken from the indentation; a line that claims a deeper level than its predecessor
 * allows is put at the deepest level there is. Addresses above 2^53 are no memory of ours: the line is reported bad.
 */
export function parseIomem(text: string): ParsedIomem {
  const resources: Growing[] = [];
  const path: Growing[] = [];
  const badLines: number[] = [];
  let addresses = 0;
  let zeros = 0;
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '') return;
    const m = /^( *)([0-9a-f]+)-([0-9a-f]+) : (.*)$/i.exec(line);
    const start = m ? parseInt(m[2]!, 16) : NaN;
    const last = m ? parseInt(m[3]!, 16) : NaN;
    if (!m || !Number.isSafeInteger(last) || last < start) {
      badLines.push(index + 1);
      return;
    }
    addresses += 1;
    if (start === 0 && last === 0) zeros += 1;
    const node: Growing = { start, end: last + 1, name: m[4]!, children: [] };
    path.length = Math.min(path.length, m[1]!.length >> 1);
    (path.at(-1)?.children ?? resources).push(node);
    path.push(node);
  });
  const hidden = addresses > 0 && zeros === addresses;
  return { resources: hidden ? [] : resources, hidden, badLines };
}

export function readAddressMap(reader: Reader): AddressMap {
  const text = reader.value(reader.host.files.text('/proc/iomem'), true);
  if (text === null) return { resources: [], hidden: false };
  const { resources, hidden, badLines } = parseIomem(text);
  if (text.trim() === '') reader.note('malformed', '/proc/iomem is empty: where memory lies is not known', '/proc/iomem');
  if (hidden) reader.note('iomem-hidden', 'The kernel shows zeros instead of addresses in /proc/iomem to a user without CAP_SYS_ADMIN: run as root to see where memory lies', '/proc/iomem');
  if (badLines.length > 0) reader.note('malformed', `${badLines.length} line(s) of /proc/iomem are no resources, the first is line ${badLines[0]}`, '/proc/iomem');
  return { resources, hidden };
}

/** Every resource of the tree with its depth, parents before children. */
export function* walkResources(resources: readonly Resource[], depth = 0): Generator<{ readonly resource: Resource; readonly depth: number; readonly parent: Resource | null }> {
  yield* walk(resources, depth, null);
}

function* walk(resources: readonly Resource[], depth: number, parent: Resource | null): Generator<{ readonly resource: Resource; readonly depth: number; readonly parent: Resource | null }> {
  for (const resource of resources) {
    yield { resource, depth, parent };
    yield* walk(resource.children, depth + 1, resource);
  }
}

/** System RAM in the kernel's eyes, whatever added it: `System RAM`, `System RAM (kmem)`, `System RAM (virtio_mem)`. */
export const isSystemRam = (name: string): boolean => name === 'System RAM' || name.startsWith('System RAM (');
export const isPersistent = (name: string): boolean => name.startsWith('Persistent Memory');

/** All System RAM, in address order. */
export const systemRam = (map: AddressMap): Resource[] =>
  [...walkResources(map.resources)].map((w) => w.resource).filter((r) => isSystemRam(r.name)).sort((a, b) => a.start - b.start);

/** Resources of that name anywhere in the tree; with `within`, only those inside a range. */
export const resourcesNamed = (map: AddressMap, name: string, within?: PhysRange): Resource[] =>
  [...walkResources(map.resources)].map((w) => w.resource).filter((r) => r.name === name && (within === undefined || contains(within, r)));
