/** A device by any name that people use for it. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Machine } from '../machine.ts';
import type { Device } from '../types/device.ts';
import { displayName, toByteString } from '../../host/names.ts';

/**
 * Finds the one device that goes by `name`: an id, a name, an alias (see `Device.aliases`). Throws NOT_FOUND with the
 * nearest names, or AMBIGUOUS with the ids to choose from. A name comes before an alias: `dax0.0` is the device of the
 * dax bus even if the nvdimm bus has one of that name.
 */
export function findDevice(machine: Pick<Machine, 'devices' | 'slots'>, name: string): Device {
  const wanted = normalise(name);
  const found = [
    (d: Device) => d.id === wanted,
    (d: Device) => d.name === wanted,
    (d: Device) => d.aliases.includes(wanted),
  ].map((fits) => machine.devices.filter(fits)).find((list) => list.length > 0) ?? [];
  const exact = found.length > 1 ? [...found, ...machine.devices.filter((d) => d.aliases.includes(wanted) && !found.includes(d))] : found;
  if (exact.length === 1) return exact[0]!;
  if (exact.length > 1) throw ambiguous(name, exact);
  throw notFound(machine, name, wanted);
}

/** Without a final slash, short PCI addresses with their domain, /dev/dax/... as typed; names of mount points are bytes. */
function normalise(name: string): string {
  const trimmed = toByteString(name.trim()).replace(/(?<=.)\/+$/, '');
  if (/^[0-9a-f]{2}:[0-9a-f]{2}(\.[0-7])?$/i.test(trimmed)) return `0000:${trimmed.toLowerCase()}`;
  return trimmed;
}

/** The shortest unmistakable name: `cxl:region0` where there is one, else the id. */
const plainName = (device: Device): string => device.aliases.find((a) => a === `cxl:${device.name}` || a === `nvdimm:${device.name}`) ?? device.id;

function ambiguous(name: string, devices: readonly Device[]): UnseatError {
  const names = devices.map(plainName);
  return new UnseatError('AMBIGUOUS', `${devices.length} devices go by this name`, {
    subject: name,
    seen: devices.map((d, i) => `${names[i]} (${d.kind}, ${displayName(d.use)})`).join('; '),
    next: `Say which one: ${names.join(' or ')}.`,
    data: { candidates: devices.map((d) => d.id) },
  });
}

function notFound(machine: Pick<Machine, 'devices' | 'slots'>, name: string, wanted: string): UnseatError {
  const near = nearest(machine.devices, wanted);
  const slot = machine.slots.find((s) => s.name === wanted || `slot:${s.name}` === wanted || s.address === wanted);
  return new UnseatError('NOT_FOUND', slot ? 'this PCI slot holds no memory device' : 'no memory device goes by this name', {
    subject: name,
    ...(near.length > 0 ? { seen: `names that come near: ${near.map(displayName).join(', ')}` } : {}),
    next: machine.devices.length === 0 ? 'This machine shows no memory that could leave; `unseat doctor` says what this user can see.' : 'List what there is with `unseat scan`.',
    data: { nearest: near },
  });
}

/** Up to five names in order of likeness, only those that are like it at all. */
function nearest(devices: readonly Device[], wanted: string): string[] {
  const names = new Set(devices.flatMap((d) => [d.name, ...d.aliases]));
  const limit = Math.max(2, Math.floor(wanted.length / 3));
  return [...names].filter((n) => Math.abs(n.length - wanted.length) <= limit).map((n) => ({ n, distance: editDistance(n, wanted) }))
    .filter((c) => c.distance <= limit).sort((a, b) => a.distance - b.distance || (a.n < b.n ? -1 : 1)).slice(0, 5).map((c) => c.n);
}

/** Levenshtein's distance, one row at a time. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
