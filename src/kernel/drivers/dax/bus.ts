/**
 * The dax bus: devices made of device memory, and what becomes of their mappings when a driver lets go
 * (drivers/dax/bus.c: kill_dev_dax, run_dax; drivers/dax/device.c: dev_dax_probe; 5.10, 6.1, 6.12, 7.2).
 *
 * The dax_device, its inode and its character device belong to the device, not to the driver: they outlive an unbind,
 * and with them every VMA and descriptor of them.
 */
import { ENXIO } from '../../errno.ts';
import { INODE, INODE_CHR, newInode } from '../../fs/inode.ts';
import { evictInode } from '../../fs/super.ts';
import type { Kernel } from '../../kernel.ts';
import { unmapMappingRange } from '../../mm/memory.ts';
import { MEMORY_DEVICE } from '../../mm/memremap.ts';
import { revokeLongtermPins } from '../../mm/pin-holders.ts';
import { memoryFailure } from '../../mm/memory-failure.ts';
import { MF_MASS } from '../../mm/mf-flags.ts';
import { AT, BLOCKED, type Path } from '../../state/path.ts';
import { loadLong, storeLong } from '../../state/long.ts';
import { Slab } from '../../state/slab.ts';
import { deviceData, driverCore, type Driver } from '../base/bus.ts';
import { defineManagedMemory, mapMemory, requestMemory } from '../base/devm-memory.ts';
import { defineAction, devmAddActionOrReset } from '../base/devres.ts';
import { DAXDEV, DAXDEV_ALIVE, allocDax, killDax } from './super.ts';

/** Words of a dev_dax. Pages: `start`..`end` of the device, `data` first page that can be mapped; `align` in pages. */
export const DEVDAX = {
  start: 0, end: 2, data: 4, align: 6, dax: 7, inode: 8, pgmap: 9, res: 10, node: 11, map: 12, name: 13, altmap: 14,
  /** What kmem keeps of the device (dev_dax.ts), 0 until it is asked; and whether kmem takes it by itself (IORESOURCE_DAX_KMEM). */
  kmem: 15, kmemType: 16, words: 17,
} as const;

class DevDaxes {
  readonly slab: Slab;
  constructor(k: Kernel) {
    this.slab = new Slab(k.heap, 'dev_dax', DEVDAX.words, 16);
  }
}
const makeDevDaxes = (k: Kernel): DevDaxes => new DevDaxes(k);

/** devm_create_dev_dax: the device over [startPfn, endPfn), with its dax_device, inode and node; no driver yet. */
export function newDevDax(k: Kernel, name: string, startPfn: number, endPfn: number, dataPfn: number, alignPages: number, node: number): number {
  const dev = k.part(makeDevDaxes).slab.alloc();
  storeLong(k.heap, dev + DEVDAX.start, startPfn);
  storeLong(k.heap, dev + DEVDAX.end, endPfn);
  storeLong(k.heap, dev + DEVDAX.data, dataPfn);
  k.heap.store(dev + DEVDAX.align, alignPages);
  k.heap.store(dev + DEVDAX.node, node);
  k.heap.store(dev + DEVDAX.name, k.names.of(name));
  const dax = allocDax(k, name, dataPfn, endPfn - dataPfn, 0);
  k.heap.store(dax + DAXDEV.flags, 0);
  const inode = newInode(k, INODE_CHR, endPfn - dataPfn);
  k.heap.store(inode + INODE.dev, dax);
  // The mapping size of a character device's inode: where a file has its extents.
  k.heap.store(inode + INODE.extents, alignPages);
  k.heap.store(dax + DAXDEV.inode, inode);
  k.heap.store(dev + DEVDAX.dax, dax);
  k.heap.store(dev + DEVDAX.inode, inode);
  return dev;
}

export const devDaxStart = (k: Kernel, dev: number): number => loadLong(k.heap, dev + DEVDAX.start);
export const devDaxEnd = (k: Kernel, dev: number): number => loadLong(k.heap, dev + DEVDAX.end);
export const devDaxData = (k: Kernel, dev: number): number => loadLong(k.heap, dev + DEVDAX.data);

const MEMORY = defineManagedMemory({ res: DEVDAX.res, pgmap: DEVDAX.pgmap, altmap: DEVDAX.altmap });

/** Managed: dev_dax_kill, the first to run at unbind. */
const KILL_DEV_DAX = defineAction(function* (k, dev) {
  yield* k.call(killDevDax, dev);
  return 0;
});

/**
 * kill_dev_dax: the device is dead for new faults, then its one inode is unmapped everywhere. Pins are asked about by
 * nobody; designs that do something for them are variants (5b).
 */
export function* killDevDax(k: Kernel, dev: number): Path {
  const dax = k.heap.load(dev + DEVDAX.dax);
  const inode = k.heap.load(dev + DEVDAX.inode);
  const unmapFirst = k.mechanism('dax.unbind-order') === 'unmap-then-dead';
  if (unmapFirst && k.mechanism('dax.unbind-unmaps') === true) yield* k.call(unmapMappingRange, inode, 0, 0, 1);
  yield* k.call(killDax, dax);
  const [data, end] = [devDaxData(k, dev), devDaxEnd(k, dev)];
  // Before the unmap: collect_procs() knows a holder by its page-table entry.
  if (k.mechanism('dax.unbind-runs-memory-failure') === true) for (let pfn = data; pfn < end; pfn += k.heap.load(dev + DEVDAX.align)) yield* k.call(memoryFailure, pfn, MF_MASS, 0);
  if (!unmapFirst && k.mechanism('dax.unbind-unmaps') === true) yield* k.call(unmapMappingRange, inode, 0, 0, 1);
  if (k.mechanism('dax.unbind-revokes-longterm-pins') === true) yield* k.call(revokeLongtermPins, data, end);
  return 0;
}

/** dev_dax_probe: region, pagemap, character device, run_dax. */
function* probe(k: Kernel, device: number): Path {
  const dev = deviceData(k, device);
  const [start, end] = [devDaxStart(k, dev), devDaxEnd(k, dev)];
  const { pageSize } = k.geo;
  const taken = requestMemory(k, device, dev, MEMORY, start * pageSize, (end - start) * pageSize, k.names.text(k.heap.load(dev + DEVDAX.name)));
  if (taken < 0) return taken;
  const input = { startPfn: start, endPfn: end, dataPfn: devDaxData(k, dev), type: MEMORY_DEVICE.generic, node: k.heap.load(dev + DEVDAX.node) };
  const pgmap = yield* mapMemory(k, device, dev, MEMORY, input, k.heap.load(dev + DEVDAX.map) === 1 ? 2 : null);
  if (pgmap < 0) return pgmap;
  cdevInit(k, dev);
  runDax(k, k.heap.load(dev + DEVDAX.dax), pgmap);
  return yield* devmAddActionOrReset(k, device, KILL_DEV_DAX, dev);
}

/** cdev_init: with inodes still on the cdev's list it makes a new list head under them. */
function cdevInit(k: Kernel, dev: number): void {
  const dax = k.heap.load(dev + DEVDAX.dax);
  const inits = k.heap.add(dax + DAXDEV.cdevInits, 1);
  const opened = k.heap.load(k.heap.load(dev + DEVDAX.inode) + INODE.count) > 0;
  if (inits > 1 && opened && k.mechanism('dax.bind-initialises-cdev') === 'again') k.heap.store(dax + DAXDEV.cdevDamaged, 1);
}

/** run_dax: faults are served again, whoever made the VMA. */
export function runDax(k: Kernel, dax: number, pgmap: number): void {
  k.heap.store(dax + DAXDEV.flags, DAXDEV_ALIVE);
  k.heap.store(dax + DAXDEV.pgmap, pgmap);
  k.heap.add(dax + DAXDEV.binds, 1);
}

/** dev_dax_remove does nothing in any release; a variant waits or refuses while the node is in use. */
function* remove(k: Kernel, device: number): Path {
  const dev = deviceData(k, device);
  const inode = k.heap.load(dev + DEVDAX.inode);
  if (k.mechanism('dax.remove-waits-for-users') === true) {
    if (k.concurrent) yield AT('dev_dax_remove');
    while (k.heap.load(inode + INODE.count) > 0) yield BLOCKED('D dev_dax_remove: the node is in use');
  }
  return 0;
}

export const DEVICE_DAX: Driver = { name: 'device_dax', probe, remove, matches: (k, device) => k.heap.load(deviceData(k, device) + DEVDAX.kmemType) === 0 };
export const deviceDaxDriver = (k: Kernel): number => driverCore(k).register('dax', DEVICE_DAX);

/**
 * unregister_dev_dax with the device node (devtmpfs: handle_remove, vfs_unlink): the name of the node goes here, its inode with
 * whoever holds it last. The device and its node's inode stay in memory here; what a later device of that name gets is new.
 */
export function* destroyDevDax(k: Kernel, dev: number): Path {
  const inode = k.heap.load(dev + DEVDAX.inode);
  k.heap.store(inode + INODE.nlink, 0);
  if (k.heap.load(inode + INODE.count) === 0) yield* k.call(evictInode, inode);
  if (k.concurrent) yield AT('unregister_dev_dax');
  k.heap.store(k.heap.load(dev + DEVDAX.dax) + DAXDEV.flags, 0);
  return 0;
}

/**
 * open() of the node. A driver that leaves takes the character device off the map of numbers, but an inode that is in use has it still
 * and chrdev_open() takes it from there (fs/char_dev.c; the lab, 5.10 to 7.2); once the last file is closed: -ENXIO. Nothing in
 * dax_open() looks whether the device is alive.
 */
export function devDaxOpenCheck(k: Kernel, dev: number): number {
  const alive = (k.heap.load(k.heap.load(dev + DEVDAX.dax) + DAXDEV.flags) & DAXDEV_ALIVE) !== 0;
  return alive || k.heap.load(k.heap.load(dev + DEVDAX.inode) + INODE.count) > 0 ? 0 : -ENXIO;
}
