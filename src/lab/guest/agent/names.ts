/** What the kernel of this guest calls the devices that a scenario names in paths and arguments. */
import { withNames } from '../../../scenario/verbs-machine.ts';
import { deviceOf, NotAvailable, type Guest, type GuestDevice } from './machine.ts';
import { namesIn, textOf } from './sysfs.ts';

/** @throws NotAvailable where a device has no such name */
export const withKernelNames = (guest: Guest, text: string): string => withNames(text, ({ device: name, what }) => {
  const device = deviceOf(guest, name);
  const found = { bus: busName, region: (d: GuestDevice) => d.region, number: (d: GuestDevice) => d.region?.replace('region', ''), namespace: (d: GuestDevice) => d.namespace, block: (d: GuestDevice) => d.block?.replace('/dev/', ''), memdev: (d: GuestDevice) => d.kernelName,
    cxl: cxlRegion, slot: slotOf, acpi: (d: GuestDevice) => d.kernelName, dax: (d: GuestDevice) => d.char?.replace('/dev/', '') }[what](device);
  if (found === undefined) throw new NotAvailable(`${name} has no ${what}`);
  return found;
});

const busName = (d: GuestDevice): string | undefined => d.bindName ?? d.kernelName;

/** The region of the cxl bus over the memory of a card. */
function cxlRegion({ range }: GuestDevice): string | undefined {
  const folder = '/sys/bus/cxl/devices';
  return namesIn(folder).find((n) => /^region\d+$/.test(n) && Number(textOf(`${folder}/${n}/resource`)) === range?.start);
}

/** The PCI slot that a device sits in: a disk's by its address, a CXL card's by that of its function. */
function slotOf({ kernelName, bindName }: GuestDevice): string | undefined {
  const folder = '/sys/bus/pci/slots';
  const address = bindName !== undefined && /^[0-9a-f]{4}:/.test(bindName) ? bindName.replace(/\.\d+$/, '') : kernelName;
  return namesIn(folder).find((slot) => textOf(`${folder}/${slot}/address`) === address);
}

