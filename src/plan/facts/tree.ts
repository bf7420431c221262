/** The device tree of a plan: the device, everything in it, and its leaves. */
import { reachable } from '../../machine/devices/nesting.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Device } from '../../machine/types/device.ts';

const indexes = new WeakMap<Machine, Map<string, Device>>();

/** The devices of a machine by id; made once for each inventory. */
function byIdOf(machine: Machine): Map<string, Device> {
  const known = indexes.get(machine);
  if (known !== undefined) return known;
  const made = new Map(machine.devices.map((d) => [d.id, d]));
  indexes.set(machine, made);
  return made;
}

/** `device` and everything inside, outermost first, each once; contents that the inventory lacks are left out. */
export const insideOf = (machine: Machine, device: Device): Device[] => [device, ...reachable(device.contains, byIdOf(machine), (d) => d.contains).filter((d) => d !== device)];

const CONTAINERS: readonly Device['kind'][] = ['nvdimm-region', 'cxl-region', 'cxl-memdev', 'pci-slot', 'virtio-pmem'];

/** The devices that hold memory themselves. A container with nothing inside is its own leaf. */
export function leavesOf(machine: Machine, device: Device): Device[] {
  const leaves = insideOf(machine, device).filter((d) => d.contains.length === 0 && !CONTAINERS.includes(d.kind));
  return leaves.length > 0 || CONTAINERS.includes(device.kind) ? leaves : [device];
}

/** Everything that `device` is part of, at any depth. */
export const aroundOf = (machine: Machine, device: Device): Device[] => reachable(device.partOf, byIdOf(machine), (d) => d.partOf);

const CXL: readonly Device['kind'][] = ['cxl-region', 'cxl-memdev', 'pci-slot'];

/** True when the device sits behind CXL decoders, so that it can go with the card. */
export const behindCxl = (machine: Machine, device: Device): boolean =>
  [device, ...aroundOf(machine, device), ...insideOf(machine, device)].some((d) => d.kind === 'cxl-region' || d.kind === 'cxl-memdev');

export const isCxlContainer = (machine: Machine, device: Device): boolean => CXL.includes(device.kind) && behindCxl(machine, device);
