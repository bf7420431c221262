/**
 * ACPI memory devices, PNP0C80 (drivers/acpi/acpi_memhotplug.c, drivers/acpi/scan.c: acpi_scan_hot_remove,
 * acpi_scan_try_to_offline, acpi_bus_offline; 5.10 to 7.2). "6d", "9e": an eject is accepted, vetoed, or never ends; the
 * answer is in _OST only.
 */
import { EBUSY, ENODEV } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { addMemoryNamed, MHP } from '../../mm/memory_hotplug/add.ts';
import { lockDeviceHotplug, unlockDeviceHotplug } from '../../mm/memory_hotplug/hotplug.ts';
import { onlineTypeOf, tryRemoveMemory } from '../../mm/memory_hotplug/remove.ts';
import { KERN_WARNING } from '../../printk.ts';
import { loadLong, storeLong } from '../../state/long.ts';
import type { Path } from '../../state/path.ts';
import { Slab } from '../../state/slab.ts';
import { blockOffline, blockOnline } from '../base/block-state.ts';
import { blocksIn } from '../base/memory.ts';

/** Words of an ACPI memory device; longs in bytes. `ost`: a ring of the last answers, source << 16 | status. */
export const DIMM = { name: 0, addr: 1, size: 3, nid: 5, present: 6, ostCount: 7, ost: 8, words: 24 } as const;
const OST_RING = DIMM.words - DIMM.ost;

/** _OST sources and status codes (ACPI 6.5, 6.3.5; include/linux/acpi.h). */
export const OST = {
  ejectRequest: 0x03, ospmEject: 0x103,
  success: 0, nonSpecificFailure: 1, inProgress: 0x84, deviceBusy: 0x82,
} as const;

const makeDimms = (k: Kernel): Slab => new Slab(k.heap, 'acpi memory device', DIMM.words, 8);

export interface DimmInput {
  /** `PNP0C80:00`. */
  readonly name: string;
  readonly addr: number;
  readonly size: number;
  readonly nid: number;
}

/** acpi_memory_device_add: the DIMM is plugged; its memory is added (offline, unless auto_online_blocks says so). */
export function* acpiMemoryDeviceAdd(k: Kernel, input: DimmInput): Path<number> {
  const dimm = k.part(makeDimms).alloc();
  k.heap.store(dimm + DIMM.name, k.names.of(input.name));
  storeLong(k.heap, dimm + DIMM.addr, input.addr);
  storeLong(k.heap, dimm + DIMM.size, input.size);
  k.heap.store(dimm + DIMM.nid, input.nid);
  yield* lockDeviceHotplug(k);
  const ret = yield* k.call(addMemoryNamed, input.nid, input.addr, input.size, k.names.of('System RAM'), MHP.memmapOnMemory);
  unlockDeviceHotplug(k);
  k.heap.store(dimm + DIMM.present, ret < 0 ? 0 : 1);
  return dimm;
}

export const dimmPresent = (k: Kernel, dimm: number): boolean => k.heap.load(dimm + DIMM.present) !== 0;
const dimmAddr = (k: Kernel, dimm: number): number => loadLong(k.heap, dimm + DIMM.addr);
const dimmSize = (k: Kernel, dimm: number): number => loadLong(k.heap, dimm + DIMM.size);

/** acpi_evaluate_ost. */
function ost(k: Kernel, dimm: number, source: number, status: number): void {
  const count = k.heap.load(dimm + DIMM.ostCount);
  k.heap.store(dimm + DIMM.ost + (count % OST_RING), (source << 16) | status);
  k.heap.store(dimm + DIMM.ostCount, count + 1);
}

/** The last answers to firmware, oldest first, as [source, status]. */
export function ostEvents(k: Kernel, dimm: number): (readonly [number, number])[] {
  const count = k.heap.load(dimm + DIMM.ostCount);
  return Array.from({ length: Math.min(count, OST_RING) }, (_, i) => {
    const word = k.heap.load(dimm + DIMM.ost + ((count - Math.min(count, OST_RING) + i) % OST_RING));
    return [word >>> 16, word & 0xffff] as const;
  });
}

/**
 * acpi_device_hotplug for an eject: runs on a work queue, whoever asked. `source`: OST.ejectRequest (firmware) or
 * OST.ospmEject (a write to `eject`). 0 ejected, -EBUSY vetoed; while a page does not move it does not return.
 */
export function* acpiScanHotRemove(k: Kernel, dimm = 0, source = 0): Path<number> {
  if (source === OST.ejectRequest) ost(k, dimm, source, OST.inProgress);
  yield* lockDeviceHotplug(k);
  const ret = yield* k.call(hotRemove, dimm);
  unlockDeviceHotplug(k);
  ost(k, dimm, source, ret === 0 ? OST.success : ret === -EBUSY ? OST.deviceBusy : OST.nonSpecificFailure);
  return ret;
}

function* hotRemove(k: Kernel, dimm = 0): Path<number> {
  if (!dimmPresent(k, dimm)) return -ENODEV;
  if (k.mechanism('bus.acpi-eject-offlines')) {
    const ret = yield* k.call(tryToOffline, dimm);
    if (ret < 0) return ret;
  }
  const removed = yield* k.call(tryRemoveMemory, dimmAddr(k, dimm), dimmSize(k, dimm));
  if (removed < 0) return removed;
  k.heap.store(dimm + DIMM.present, 0);
  return 0;
}

/** acpi_scan_try_to_offline: two passes over the blocks; what it took offline goes online again when one stays. */
function* tryToOffline(k: Kernel, dimm = 0): Path<number> {
  const put: (readonly [number, number])[] = [];
  let stuck = -1;
  for (let pass = 0; pass < 2; pass += 1) {
    stuck = -1;
    for (const id of blocksIn(k, dimmAddr(k, dimm), dimmSize(k, dimm))) {
      const mmop = onlineTypeOf(k, id);
      const ret = yield* k.call(blockOffline, id, 0);
      if (ret === 0) put.push([id, mmop]);
      if (ret >= 0) continue;
      stuck = id;
      if (pass === 1) break;
    }
    if (stuck < 0) return 0;
  }
  k.log.write(KERN_WARNING, `memory memory${stuck}: Offline failed.`);
  for (const [id, mmop] of put) yield* k.call(blockOnline, id, mmop);
  return -EBUSY;
}
