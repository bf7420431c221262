/**
 * A dax device that came back with its CXL region is taken by kmem, whatever driver it had before (drivers/dax/cxl.c:
 * IORESOURCE_DAX_KMEM; KERNEL-TRUTH B 8). Putting it back to device_dax is what `daxctl reconfigure-device` does: its
 * blocks offline, kmem unbound, its name written to device_dax's new_id.
 */
import { isMissing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import type { PhysRange } from '../../range/phys-range.ts';
import type { Acted, Removal } from '../engine/removal.ts';
import { saidBy } from './mounts.ts';

const DAX = '/sys/bus/dax/drivers';
const MEMORY = '/sys/devices/system/memory';

/** The driver that a device of a bus is bound to; null where none is, or it cannot be read. */
export function driverOf(host: Host, bus: string, device: string): string | null {
  const driver = host.files.link(`/sys/bus/${bus}/devices/${device}/driver`);
  return isMissing(driver) ? null : (driver.split('/').at(-1) ?? null);
}

export const tookByKmem = (removal: Removal, path: string, device: string): boolean => path === `${DAX}/device_dax/bind` && driverOf(removal.host, 'dax', device) === 'kmem';

/** Null where it is with no driver now and may be bound; otherwise what went wrong. */
export async function backFromKmem(removal: Removal, device: string, deadlineMs: number): Promise<Acted | null> {
  for (const path of blockStates(removal)) {
    if (removal.host.files.text(path) !== 'online') continue;
    const off = await removal.actions.write(path, 'offline', deadlineMs);
    if (!off.ok) return saidBy(off);
  }
  const out = await removal.actions.write(`${DAX}/kmem/unbind`, device, deadlineMs);
  if (!out.ok) return saidBy(out);
  // This binds it as well where nobody else has it (drivers/dax/bus.c, do_id_store()).
  const named = await removal.actions.write(`${DAX}/device_dax/new_id`, device, deadlineMs);
  return driverOf(removal.host, 'dax', device) === 'device_dax' ? saidBy(named) : null;
}

/** State files of the memory blocks in what the plan takes out. */
function blockStates(removal: Removal): string[] {
  const ranges = removal.header.steps.flatMap(({ action }): readonly PhysRange[] => (action.kind === 'confirm-gone' ? action.ranges : []));
  const size = removal.host.files.text(`${MEMORY}/block_size_bytes`);
  const names = removal.host.files.list(MEMORY);
  if (isMissing(size) || isMissing(names)) return [];
  const bytes = parseInt(size, 16);
  const inside = (index: number): boolean => ranges.some((r) => index * bytes < r.end && r.start < (index + 1) * bytes);
  return names.flatMap((name) => (/^memory\d+$/.test(name) && inside(Number(name.slice(6))) ? [`${MEMORY}/${name}/state`] : []));
}
