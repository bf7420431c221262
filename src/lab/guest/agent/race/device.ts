/** The one device of a race, and how it comes back. */
import { filesystemAt, mountFs } from '../setup/filesystems.ts';
import { deviceOf, type Guest } from '../machine.ts';
import { bind } from '../steps/drivers.ts';
import { linkName, textOf } from '../sysfs.ts';

export const DEVICE = 'data';
export const MOUNT = '/mnt';

export const isBound = (guest: Guest): boolean => {
  const device = deviceOf(guest, DEVICE);
  return linkName(`/sys/bus/${device.bus}/devices/${device.bindName}/driver`) !== null;
};

export const isMounted = (): boolean => (textOf('/proc/self/mounts') ?? '').split('\n').some((line) => line.split(' ')[1] === MOUNT && line.startsWith('/dev/pmem'));

/** @throws Error where it cannot be bound or mounted again */
export async function comeBack(guest: Guest): Promise<void> {
  if (!isBound(guest)) {
    const bound = await bind(guest, DEVICE, undefined, 20_000);
    if (bound.ending !== 'returned') throw new Error(`the device cannot be bound again: ${bound.errno ?? bound.ending}`);
  }
  if (isMounted()) return;
  const mounted = await mountFs(guest, filesystemAt(guest, MOUNT), 20_000);
  if (mounted.ending !== 'returned') throw new Error(`the file system cannot be mounted again: ${mounted.errno ?? mounted.ending}`);
}
