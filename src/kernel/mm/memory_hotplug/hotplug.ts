/**
 * What all of memory hotplug shares (mm/memory_hotplug.c, drivers/base/memory.c): the locks, the module parameters, the
 * notifier chain and the online-page callback that virtio-mem hooks into.
 */
import type { Kernel } from '../../kernel.ts';
import { downWrite, lock, unlock, upWrite } from '../../state/lock.ts';
import type { Path } from '../../state/path.ts';
import { driverCore } from '../../drivers/base/bus.ts';

/** Events of the memory notifier chain (include/linux/memory.h). */
export type MemoryEvent = 'going-online' | 'cancel-online' | 'online' | 'going-offline' | 'cancel-offline' | 'offline';
/** 0 or -errno; only `going-*` may refuse. Pfns, half open by count. */
export type MemoryNotifier = (k: Kernel, event: MemoryEvent, start: number, count: number) => number;
/** Frees the pages of one range to the allocator; true when it took care of them. */
export type OnlinePages = (k: Kernel, start: number, count: number) => boolean;

export interface MemoryHotplug {
  /** mem_hotplug_lock. */
  readonly lock: number;
  /** Word: memory_hotplug.memmap_on_memory. */
  readonly memmapOnMemory: number;
  /** Word: movable_node. */
  readonly movableNode: number;
  /** Word: auto_online_blocks as an MMOP value. */
  readonly autoOnline: number;
  readonly notifiers: MemoryNotifier[];
  readonly onlinePages: OnlinePages[];
}

/** enum of drivers/base/memory.c: what a write to `state` or auto_online_blocks asks for. */
export const MMOP = { offline: 0, online: 1, onlineKernel: 2, onlineMovable: 3 } as const;
export const MMOP_WORDS = ['offline', 'online', 'online_kernel', 'online_movable'] as const;

const makeHotplug = (k: Kernel): MemoryHotplug => ({
  lock: k.heap.reserve(1), memmapOnMemory: k.heap.reserve(1), movableNode: k.heap.reserve(1), autoOnline: k.heap.reserve(1), notifiers: [], onlinePages: [],
});
export const hotplug = (k: Kernel): MemoryHotplug => k.part(makeHotplug);

/** mem_hotplug_begin / mem_hotplug_done. */
export const memHotplugBegin = (k: Kernel): Path<void> => downWrite(k, hotplug(k).lock, 'mem_hotplug_lock');
export const memHotplugDone = (k: Kernel): void => upWrite(k, hotplug(k).lock);
/** lock_device_hotplug: serialises add, remove, online, offline and ACPI hotplug. */
export const lockDeviceHotplug = (k: Kernel): Path<void> => lock(k, driverCore(k).hotplugLock, 'device_hotplug_lock');
export const unlockDeviceHotplug = (k: Kernel): void => unlock(k, driverCore(k).hotplugLock);

/** memory_notify: the first refusal ends the chain. */
export function memoryNotify(k: Kernel, event: MemoryEvent, start: number, count: number): number {
  for (const notifier of hotplug(k).notifiers) {
    const ret = notifier(k, event, start, count);
    if (ret < 0) return ret;
  }
  return 0;
}
