/**
 * virtio-mem (drivers/virtio/virtio_mem.c; 5.10, 6.1, 6.12, 7.2): memory that the host asks back sub-block by sub-block.
 * Blocks are memory blocks; sub-blocks are what alloc_contig_range() can take (2 MiB since 5.19, 4 MiB before). What a
 * sub-block holds is moved; a pinned page keeps its sub-block only ("6c").
 *
 * Words of a device in the heap; sub-blocks as one bit each in an array (1: plugged).
 */
import { EBUSY } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { KERN_WARNING, devPrintk } from '../../printk.ts';
import { IORESOURCE_EXCLUSIVE, IORESOURCE_MEM, RES, releaseResource, requestRegion } from '../../resource.ts';
import { Arrays } from '../../state/array.ts';
import { loadLong, storeLong } from '../../state/long.ts';
import { BLOCKED, type Path } from '../../state/path.ts';
import { Slab } from '../../state/slab.ts';
import { deviceAlloc, deviceData, deviceName, driverCore, type Driver } from '../base/bus.ts';
import { deviceAdd } from '../base/dd.ts';
import { virtioMemHooks } from './hotplug-hooks.ts';
import { removeOfflineBlocks } from './plug.ts';

/** Words of `struct virtio_mem`; longs in bytes. */
export const VM = {
  addr: 0, size: 2, requested: 4, plugged: 6, nid: 8, alive: 9, resource: 10, bitmap: 11, dev: 12, next: 13,
  /** 1 while the kworker is at work; 1 from the beginning of remove. */
  working: 14, removing: 15, words: 16,
} as const;

export interface VirtioMems {
  readonly slab: Slab;
  readonly arrays: Arrays;
  /** Word: first device. */
  readonly head: number;
}
const makeVirtioMems = (k: Kernel): VirtioMems => ({ slab: new Slab(k.heap, 'virtio_mem', VM.words, 4), arrays: new Arrays(k.heap), head: k.heap.reserve(1) });
export const virtioMems = (k: Kernel): VirtioMems => k.part(makeVirtioMems);

export const vmAddr = (k: Kernel, vm: number): number => loadLong(k.heap, vm + VM.addr);
export const vmSize = (k: Kernel, vm: number): number => loadLong(k.heap, vm + VM.size);
/** Bytes that the host lends now: what its `size` property shows. */
export const vmPlugged = (k: Kernel, vm: number): number => loadLong(k.heap, vm + VM.plugged);
export const vmRequested = (k: Kernel, vm: number): number => loadLong(k.heap, vm + VM.requested);
/** Bytes of a sub-block. */
export const subBlockSize = (k: Kernel): number => k.mechanism('ram.virtio-mem-sub-block-mib') * 1048576;

/** The device at an address, 0 where it belongs to none. */
export function virtioMemAt(k: Kernel, address: number): number {
  for (let vm = k.heap.load(virtioMems(k).head); vm !== 0; vm = k.heap.load(vm + VM.next)) {
    if (vmAddr(k, vm) <= address && address < vmAddr(k, vm) + vmSize(k, vm)) return vm;
  }
  return 0;
}

export function subBlockPlugged(k: Kernel, vm: number, address: number): boolean {
  const bit = (address - vmAddr(k, vm)) / subBlockSize(k);
  return ((k.heap.load(k.heap.load(vm + VM.bitmap) + (bit >> 5)) >>> (bit & 31)) & 1) === 1;
}

export function setSubBlock(k: Kernel, vm: number, address: number, plugged: boolean): void {
  const bit = (address - vmAddr(k, vm)) / subBlockSize(k);
  const word = k.heap.load(vm + VM.bitmap) + (bit >> 5);
  const mask = 1 << (bit & 31);
  k.heap.store(word, plugged ? k.heap.load(word) | mask : k.heap.load(word) & ~mask);
  storeLong(k.heap, vm + VM.plugged, vmPlugged(k, vm) + (plugged ? 1 : -1) * subBlockSize(k));
}

/** Whether the device has memory blocks in the kernel (virtio_mem_has_memory_added): looked up in its resource. */
const hasMemoryAdded = (k: Kernel, vm: number): boolean => k.heap.load(vm + VM.resource) !== 0 && k.heap.load(k.heap.load(vm + VM.resource) + RES.child) !== 0;

function* probe(k: Kernel, dev = 0): Path<number> {
  const vm = deviceData(k, dev);
  const res = requestRegion(k, vmAddr(k, vm), vmSize(k, vm), deviceName(k, dev));
  if (res === 0) {
    devPrintk(k, KERN_WARNING, 'virtio_mem', deviceName(k, dev), 'could not reserve device region');
    devPrintk(k, KERN_WARNING, 'virtio_mem', deviceName(k, dev), 'reloading the driver is not supported');
    return -EBUSY;
  }
  k.heap.store(res + RES.flags, IORESOURCE_MEM | IORESOURCE_EXCLUSIVE);
  k.heap.store(vm + VM.resource, res);
  k.heap.store(vm + VM.removing, 0);
  k.heap.store(vm + VM.alive, 1);
  return 0;
}

/**
 * virtio_mem_remove: no round of the worker begins any more, one under way is waited for (cancel_work_sync) while the
 * notifiers are still there; blocks that are offline are removed; with any other still there the memory stays as it is, nobody
 * can shrink it any more, and the region stays reserved.
 */
function* remove(k: Kernel, dev = 0): Path<number> {
  const vm = deviceData(k, dev);
  k.heap.store(vm + VM.removing, 1);
  while (k.heap.load(vm + VM.working) !== 0) yield BLOCKED('D virtio_mem_remove: cancel_work_sync');
  k.heap.store(vm + VM.alive, 0);
  yield* k.call(removeOfflineBlocks, vm);
  if (hasMemoryAdded(k, vm)) {
    devPrintk(k, KERN_WARNING, 'virtio_mem', deviceName(k, dev), 'device still has system memory added');
    return 0;
  }
  releaseResource(k, k.heap.load(vm + VM.resource));
  k.heap.store(vm + VM.resource, 0);
  return 0;
}

export const VIRTIO_MEM: Driver = { name: 'virtio_mem', probe, remove };

export interface VirtioMemInput {
  readonly name: string;
  readonly addr: number;
  /** Bytes that the device can ever lend. */
  readonly size: number;
  readonly nid: number;
}

/** The device appears on the virtio bus; the driver (loaded by this) takes it. Address of the virtio_mem. */
export function* createVirtioMem(k: Kernel, input: VirtioMemInput): Path<number> {
  driverCore(k).register('virtio', VIRTIO_MEM);
  virtioMemHooks(k);
  const { slab, arrays, head } = virtioMems(k);
  const vm = slab.alloc();
  storeLong(k.heap, vm + VM.addr, input.addr);
  storeLong(k.heap, vm + VM.size, input.size);
  k.heap.store(vm + VM.nid, input.nid);
  k.heap.store(vm + VM.bitmap, arrays.alloc(Math.ceil(input.size / subBlockSize(k) / 32)));
  k.heap.store(vm + VM.next, k.heap.load(head));
  k.heap.store(head, vm);
  const dev = deviceAlloc(k, { bus: 'virtio', name: input.name, data: vm });
  k.heap.store(vm + VM.dev, dev);
  yield* deviceAdd(k, dev);
  return vm;
}
