/** Whether the holder search behind an inventory could see what it had to see. */
import type { Machine, Note } from '../../machine/machine.ts';
import type { Device } from '../../machine/types/device.ts';

/** System RAM and devices without a driver have no holders among processes. */
export const needsSearch = (device: Device): boolean => device.blocks.length === 0 && !['unbound', 'memory-block', 'dimm', 'kmem', 'virtio-mem'].includes(device.kind);

/** System RAM of which no memory block can be seen at all: whether it is online is not known. */
export const blocksUnknown = (machine: Machine, device: Device): boolean => ['kmem', 'dimm', 'virtio-mem'].includes(device.kind) && device.driver !== null && machine.memory.blocks.length === 0;

/** Why the list of holders of `device` may be short: one sentence; null where mappings and open files were all seen. */
export function blindness(machine: Machine, device: Device): string | null {
  if (blocksUnknown(machine, device)) return `which memory blocks of ${device.name} are online is not known`;
  if (!needsSearch(device)) return null;
  if (machine.holders[device.id] === undefined) return `holders of ${device.name} were not looked for`;
  return machine.notes.find(hides)?.text.replace(/\.$/, '') ?? null;
}

/** The notes of the holder search (machine/holders/notes.ts) that say mappings or files were out of sight. */
function hides(note: Note): boolean {
  if (note.absence === undefined || !(note.subject ?? '').startsWith('/proc')) return false;
  return note.subject === '/proc' || /^The .*\b(mappings|open files)\b/.test(note.text);
}
