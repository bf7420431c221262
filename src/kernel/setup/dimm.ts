/** DIMMs: plugging one, asking for it back, writing to its `eject` file. The answers come by _OST. */
import { acpiMemoryDeviceAdd, acpiScanHotRemove, OST, type DimmInput } from '../drivers/acpi/memhotplug.ts';
import type { Kernel } from '../kernel.ts';
import { runStraight } from '../state/path.ts';
import { threads, type Thread } from '../threads.ts';

/** Plugs a DIMM; its address in the heap. */
export const plugDimm = (k: Kernel, input: DimmInput): number => runStraight(acpiMemoryDeviceAdd(k, input));

/** The host asks for the DIMM (QEMU `device_del`): the kacpi_hotplug worker that tries. */
export const requestEject = (k: Kernel, dimm: number): Thread => threads(k).spawn('kworker kacpi_hotplug', () => acpiScanHotRemove(k, dimm, OST.ejectRequest));

/** `echo 1 > /sys/bus/acpi/devices/PNP0C80:NN/eject`: the write itself always succeeds, the work is the same. */
export function writeEject(k: Kernel, dimm: number): number {
  threads(k).spawn('kworker kacpi_hotplug', () => acpiScanHotRemove(k, dimm, OST.ospmEject));
  return 0;
}
