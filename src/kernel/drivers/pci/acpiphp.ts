/** PCI hotplug by ACPI (drivers/pci/hotplug/acpiphp_glue.c; 5.10 to 7.2): no button, no delay, nothing in the log. */
import { EINVAL, ENODEV } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import type { Path } from '../../state/path.ts';
import { deviceDel, getDevice, putDevice } from '../base/dd.ts';
import { cardUnpowered, INDICATOR, SLOT } from './slot.ts';

/** acpiphp_disable_and_eject_slot: drivers let go, _EJ0, the latch opens. */
export function* acpiphpEject(k: Kernel, slot = 0): Path<number> {
  const dev = k.heap.load(slot + SLOT.dev);
  if (dev === 0) return -ENODEV;
  getDevice(k, dev);
  yield* k.call(deviceDel, dev);
  cardUnpowered(k, slot);
  putDevice(k, dev);
  k.heap.store(slot + SLOT.dev, 0);
  k.heap.store(slot + SLOT.power, 0);
  k.heap.store(slot + SLOT.adapter, 0);
  k.heap.store(slot + SLOT.latch, 1);
  k.heap.store(slot + SLOT.indicator, INDICATOR.off);
  return 0;
}

/** A read of slots/N/attention: these slots have none. */
export const attentionShow = (): number => -EINVAL;
