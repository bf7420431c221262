/** What a twin needs to know of a host: the inventory with every holder, and what is on the blocks of devices. */
import type { Host } from '../host/host.ts';
import type { Machine } from '../machine/machine.ts';
import { readBlockPages, withPages } from '../machine/memory/pages.ts';
import { readMachine } from '../machine/read.ts';
import { withHolders } from '../machine/with-holders.ts';

export function readForTwin(host: Host): Machine {
  const machine = withHolders(host, readMachine(host));
  const leaving = new Set(machine.devices.filter((d) => d.kind !== 'memory-block').flatMap((d) => d.blocks));
  const blocks = machine.memory.blocks.filter((b) => leaving.has(b.index));
  return blocks.length === 0 ? machine : { ...machine, memory: { ...machine.memory, blocks: withPages(machine.memory.blocks, readBlockPages(host, blocks)) } };
}
