/** The inventory as a plan needs it: with the holders of the device's leaves, what is on its blocks, and room elsewhere. */
import type { Host } from '../host/host.ts';
import { findDevice } from '../machine/devices/find.ts';
import type { Machine } from '../machine/machine.ts';
import { readBlockPages, withPages } from '../machine/memory/pages.ts';
import { readRoom } from '../machine/memory/room.ts';
import { readMachine } from '../machine/read.ts';
import type { Device } from '../machine/types/device.ts';
import type { Room } from '../machine/types/room.ts';
import { withHolders } from '../machine/with-holders.ts';
import type { PlanOptions } from './context.ts';
import type { Known } from './facts/leaf-facts.ts';
import { leavesOf } from './facts/tree.ts';
import { rmapbtOf } from './facts/xfs-features.ts';

export interface PlanInventory {
  readonly machine: Machine;
  readonly device: Device;
  readonly leaves: readonly Device[];
  /** Null for a device without memory blocks. */
  readonly room: Room | null;
  /** Whether the XFS on a leaf has a reverse map; only leaves with a mounted XFS. */
  readonly rmapbt: Readonly<Record<string, Known>>;
}

/** Reads what a plan for the device `name` needs. Throws NOT_FOUND or AMBIGUOUS as `findDevice` does. */
export function inventoryFor(host: Host, name: string): PlanInventory {
  host.processes.expectSearch?.();
  const read = readMachine(host);
  const device = findDevice(read, name);
  const leaves = leavesOf(read, device);
  const indexes = new Set(leaves.flatMap((l) => l.blocks));
  const leaving = read.memory.blocks.filter((b) => indexes.has(b.index));
  if (leaving.length === 0) {
    const machine = withHolders(host, read, leaves);
    return { machine, device, leaves, room: null, rmapbt: rmapbtOf(host, machine, leaves) };
  }
  const memory = { ...read.memory, blocks: withPages(read.memory.blocks, readBlockPages(host, leaving)) };
  const room = readRoom(host, memory, memory.blocks.filter((b) => indexes.has(b.index)));
  const machine = withHolders(host, { ...read, memory }, leaves);
  return { machine, device, leaves, room, rmapbt: rmapbtOf(host, machine, leaves) };
}

/** What `makePlan` takes of it. */
export const optionsOf = (inventory: PlanInventory): PlanOptions => ({ rmapbt: inventory.rmapbt, ...(inventory.room ? { room: inventory.room } : {}) });
