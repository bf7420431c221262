/** The running guest as the steps see it: declared names turned into the kernel's names. */
import type { Scenario } from '../../../scenario/scenario.ts';
import type { GuestChannel } from './channel.ts';
import type { Holder } from './holder.ts';
import type { KernelLog } from './kmsg.ts';

export interface GuestDevice {
  readonly name: string;
  /** `/dev/pmem0`, `/dev/vda`. */
  block?: string;
  /** `/dev/dax0.0`. */
  char?: string;
  /** For ndctl: `namespace0.0`. */
  namespace?: string;
  /** nd region that the namespace lies in. */
  region?: string;
  /** cxl memdev, virtio device, ACPI device: what the kernel calls it. */
  kernelName?: string;
  /** Where drivers are: bus and the name to write to unbind and bind. */
  bus?: string;
  bindName?: string;
  driver?: string;
  /** Physical range, bytes, half open; kept because it cannot be read once the device is gone. */
  range?: { start: number; end: number };
}

/** Thrown where the guest cannot do what the scenario asks and that says nothing about the kernel's behaviour. */
export class NotAvailable extends Error {}

export interface Guest {
  readonly scenario: Scenario;
  readonly channel: GuestChannel;
  readonly log: KernelLog;
  readonly devices: Map<string, GuestDevice>;
  readonly holders: Map<string, Holder>;
  /** Path of unseat's bundle. */
  readonly unseat: string;
}

export function deviceOf(guest: Guest, name: string): GuestDevice {
  const device = guest.devices.get(name);
  if (!device) throw new NotAvailable(`the device ${name} was never there`);
  return device;
}
