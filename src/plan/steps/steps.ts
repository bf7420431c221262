/**
 * The ordered steps of one way: holders let go, file systems come off, blocks go offline, drivers are unbound, then
 * regions, memdevs and slots from the inside out, and at last everything that was changed is put back (DESIGN, 5).
 */
import { displayName } from '../../host/names.ts';
import type { Way } from '../../steps/reason.ts';
import type { Step } from '../../steps/step.ts';
import type { PlanContext } from '../context.ts';
import { draft, numbered, type Draft } from './draft.ts';
import { takeOff } from './file-systems.ts';
import { goOn, letGo } from './let-go.ts';
import { offline } from './memory.ts';
import { takeDown, unbindLeaves } from './unbind.ts';

export function stepsFor(c: PlanContext, way: Way): Step[] {
  return numbered([...letGo(c, way), ...takeOff(c, way), ...offline(c), ...unbindLeaves(c), ...takeDown(c), ...goOn(c, way), ...hints(c, way)]);
}

function hints(c: PlanContext, way: Way): Draft[] {
  const notes = [...hostNotes(c)];
  if (way === 'force' && c.mounts.length > 0) {
    notes.push(`Do not unmount ${[...new Set(c.mounts.map((m) => displayName(m.mountPoint)))].join(', ')} until the device is bound again: its inodes still hold entries for it, and umount would crash the kernel.${c.containers.some((d) => d.kind === 'pci-slot') ? ' If the card does not come back, they stay until a reboot.' : ''}`);
  }
  return notes.map((text) => draft({ kind: 'note', text }, text, 'this cannot be done from here'));
}

function hostNotes(c: PlanContext): string[] {
  return c.leaves.filter((l) => l.device.kind === 'virtio-mem').map((l) => (l.device.blocks.length > 0
    ? `Ask the host to set the requested size of ${l.device.name} to 0; the guest then gives its blocks back by itself.`
    : `Nothing of ${l.device.name} is plugged: the host can take it out now (device_del).`));
}
