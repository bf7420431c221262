/** Memory of a device used as System RAM: bound to kmem where that is needed, and its blocks brought online. */
import { NotAvailable, type Guest, type GuestDevice } from '../machine.ts';
import { once } from '../once.ts';
import { iomem, linkName, namesIn, textOf, waitFor } from '../sysfs.ts';

const MEMORY = '/sys/devices/system/memory';

export const blockSize = (): number => Number.parseInt(textOf(`${MEMORY}/block_size_bytes`) ?? '8000000', 16);

/** Indices of the memory blocks that lie in a range, in order. */
export function blocksIn(range: { start: number; end: number }): number[] {
  const size = blockSize();
  return namesIn(MEMORY).flatMap((name) => {
    const index = /^memory(\d+)$/.exec(name)?.[1];
    const start = Number(index) * size;
    return index !== undefined && start < range.end && start + size > range.start ? [Number(index)] : [];
  });
}

export const blockState = (index: number): string => textOf(`${MEMORY}/memory${index}/state`) ?? 'absent';
export const stateFile = (index: number): string => `${MEMORY}/memory${index}/state`;
export const onlineWord = (zone: 'movable' | 'kernel'): string => (zone === 'movable' ? 'online_movable' : 'online_kernel');

export async function useAsRam(guest: Guest): Promise<void> {
  for (const use of guest.scenario.systemRam) {
    const device = guest.devices.get(use.device);
    if (!device) throw new NotAvailable(`${use.device} is not there`);
    if (device.bus === 'dax' && device.driver === 'device_dax') await toKmem(device);
    const blocks = await waitFor(() => {
      const found = device.range ? blocksIn(device.range) : [];
      return found.length > 0 ? found : null;
    });
    if (!blocks) throw new NotAvailable(`no memory blocks came up for ${use.device}`);
    if (use.online === 'offline') continue;
    for (const index of blocks) {
      if (blockState(index) === 'online') continue;
      const done = await once(['write', stateFile(index), onlineWord(use.online)], 20_000);
      if (done.ending !== 'returned') throw new NotAvailable(`memory${index} cannot be brought online: ${done.errno ?? done.ending}`);
    }
  }
}

async function toKmem(device: GuestDevice): Promise<void> {
  const name = device.bindName ?? '';
  await once(['write', '/sys/bus/dax/drivers/device_dax/unbind', name], 10_000);
  const done = await once(['write', '/sys/bus/dax/drivers/kmem/new_id', name], 20_000);
  const bound = await waitFor(() => (linkName(`/sys/bus/dax/devices/${name}/driver`) === 'kmem' ? true : null));
  if (!bound) throw new NotAvailable(`kmem does not take ${name}: ${done.errno ?? done.ending}`);
  device.driver = 'kmem';
  const own = iomem().find((line) => line.name === name);
  if (own) device.range = { start: own.start, end: own.end };
}
