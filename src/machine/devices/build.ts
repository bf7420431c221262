/** Every removable unit of the machine. Largest units last, so that lists read from the memory to the card that holds it. */
import type { Device } from '../types/device.ts';
import { cxlDevices, slotDevices } from './cxl.ts';
import { daxDevices } from './dax.ts';
import type { Parts } from './draft.ts';
import { nest } from './nesting.ts';
import { namespaceDevices, regionDevices } from './pmem.ts';
import { blockDevices, dimmDevices, virtioDevices } from './ram.ts';

export function buildDevices(parts: Parts): Device[] {
  const units = nest([
    ...namespaceDevices(parts), ...daxDevices(parts), ...virtioDevices(parts), ...dimmDevices(parts),
    ...regionDevices(parts), ...cxlDevices(parts), ...slotDevices(parts),
  ]);
  return [...units, ...blockDevices(parts, units)];
}
