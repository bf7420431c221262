/** The hotplug slots that a device sits in: its own, and those of the cards that it is made from. */
import type { Machine } from '../machine.ts';
import type { PciSlot } from '../types/bus.ts';
import type { Device } from '../types/device.ts';
import { reachable } from './nesting.ts';

/** More than one where a region is interleaved over several cards. */
export function slotsOf(machine: Pick<Machine, 'devices' | 'slots'>, device: Device): PciSlot[] {
  const byId = new Map(machine.devices.map((d) => [d.id, d]));
  const paths = new Set([device, ...reachable(device.partOf, byId, (d) => d.partOf)].filter((d) => d.kind === 'pci-slot').map((d) => d.path));
  return machine.slots.filter((s) => paths.has(s.path));
}
