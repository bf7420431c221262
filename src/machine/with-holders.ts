/** The holder search for some devices of an inventory: one pass over all processes, and what the inventory itself shows. */
import type { Host } from '../host/host.ts';
import { standingHolders } from './devices/standing-holders.ts';
import { findHolders, type Detail } from './holders/find-holders.ts';
import type { Machine, Note } from './machine.ts';
import type { Device } from './types/device.ts';

/** Units that are memory themselves; what carries them is held by whoever holds them. */
export const leafDevices = (machine: Machine): Device[] => machine.devices.filter((d) => d.kind !== 'memory-block' && d.contains.length === 0);

/** The machine with `holders` of these devices (default: every leaf device) and the notes of the search. */
export function withHolders(host: Host, machine: Machine, devices: readonly Device[] = leafDevices(machine), detail: Detail = 'whole'): Machine {
  const notes: Note[] = [];
  // No process can be found by a device without numbers (System RAM without a character device): nothing to search for.
  const byProcess = devices.some((d) => d.deviceNumbers.length > 0) ? findHolders(host, devices, machine.mounts, notes, detail) : {};
  const holders = Object.fromEntries(devices.map((d) => [d.id, [...(byProcess[d.id] ?? []), ...standingHolders(machine, d)]]));
  return { ...machine, holders: { ...machine.holders, ...holders }, notes: [...machine.notes, ...notes] };
}
