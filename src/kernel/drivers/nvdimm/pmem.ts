/**
 * nd_pmem: persistent memory as a block device with DAX (drivers/nvdimm/pmem.c: pmem_attach_disk, pmem_release_disk,
 * nd_pmem_remove; block/genhd.c: del_gendisk; 5.10, 6.1, 6.12, 7.2).
 *
 * The order of the teardown is that of the managed resources, newest first: the disk with its dax device, then the
 * pagemap, then the memory region.
 */
import { EBUSY } from '../../errno.ts';
import { INODE, INODE_BLK, newInode, SB, superBlocks } from '../../fs/inode.ts';
import { bdevMarkDead } from '../../fs/super.ts';
import type { Kernel } from '../../kernel.ts';
import { AT, BLOCKED, type Path } from '../../state/path.ts';
import { loadLong, storeLong } from '../../state/long.ts';
import { Slab } from '../../state/slab.ts';
import { MEMORY_DEVICE, PGMAP, PGMAP_OPS } from '../../mm/memremap.ts';
import { numPoisonedPages } from '../../mm/memory-failure.ts';
import { DEV, deviceData, driverCore, type Driver } from '../base/bus.ts';
import { defineManagedMemory, mapMemory, requestMemory } from '../base/devm-memory.ts';
import { defineAction, devmAddActionOrReset } from '../base/devres.ts';
import { allocDax, DAXDEV, killDax } from '../dax/super.ts';
import { attachPlainDisk } from '../block/plain-disk.ts';
import { MAP_DEV, MAP_PLAIN, PMEM } from './pmem-words.ts';
import { daxInUse, removalDesign } from './removal-designs.ts';

export { MAP_DEV, MAP_MEM, PMEM } from './pmem-words.ts';

class Pmems {
  readonly slab: Slab;
  constructor(k: Kernel) {
    this.slab = new Slab(k.heap, 'pmem_device', PMEM.words, 16);
  }
}
const makePmems = (k: Kernel): Pmems => new Pmems(k);

/** A namespace of pages [startPfn, endPfn) whose data begins at `dataPfn`. */
export function newPmem(k: Kernel, name: string, startPfn: number, endPfn: number, dataPfn: number, map: number, node: number): number {
  const pmem = k.part(makePmems).slab.alloc();
  storeLong(k.heap, pmem + PMEM.start, startPfn);
  storeLong(k.heap, pmem + PMEM.end, endPfn);
  storeLong(k.heap, pmem + PMEM.data, dataPfn);
  k.heap.store(pmem + PMEM.map, map);
  k.heap.store(pmem + PMEM.node, node);
  k.heap.store(pmem + PMEM.name, k.names.of(name));
  return pmem;
}

export const pmemStart = (k: Kernel, pmem: number): number => loadLong(k.heap, pmem + PMEM.start);
export const pmemEnd = (k: Kernel, pmem: number): number => loadLong(k.heap, pmem + PMEM.end);
export const pmemData = (k: Kernel, pmem: number): number => loadLong(k.heap, pmem + PMEM.data);

/** The region in /proc/iomem and the pagemap. Where the counter of poisoned pages follows the memmap it falls with that. */
const MEMORY = defineManagedMemory({ res: PMEM.res, pgmap: PMEM.pgmap, altmap: PMEM.altmap }, (k, poisoned) => {
  if (poisoned > 0 && k.mechanism('fsdax.hwpoison-count-drops-at-unbind') === true) k.heap.add(numPoisonedPages(k), -poisoned);
});

/** Managed: pmem_release_disk. kill_dax first, then the block device goes and the file system on it hears of that. */
const RELEASE_DISK = defineAction(function* (k, pmem) {
  const dax = k.heap.load(pmem + PMEM.dax);
  const design = k.mechanism('fsdax.removal-design-order') === 'dead-then-unmap';
  // killDax forgets the holder; whether a file system has the device is asked before.
  const used = k.mechanism('fsdax.removal-design-when') === 'always' || daxInUse(k, dax);
  yield* k.call(killDax, dax);
  if (design && used) yield* k.call(removalDesign, pmem, dax);
  if (k.concurrent) yield AT('pmem_release_disk: del_gendisk');
  yield* k.call(delGendisk, pmem);
  return 0;
});

/** del_gendisk: file systems on the disk are told, swap on it is not. */
export function* delGendisk(k: Kernel, pmem: number): Path {
  for (const sb of [...superBlocks(k)]) {
    if (k.heap.load(sb + SB.disk) === pmem && k.heap.load(sb + SB.dying) === 0) yield* k.call(bdevMarkDead, sb);
  }
  if (k.heap.load(pmem + PMEM.swap) !== 0) k.heap.store(pmem + PMEM.swap, SWAP_LOST);
  k.heap.store(pmem + PMEM.diskGone, 1);
  return 0;
}

/** Of PMEM.swap: the disk under a swap area has gone; the area stays. */
export const SWAP_LOST = 2;

/** nvdimm_namespace_attach_btt: the namespace is claimed as it is, and what is on it is a disk without DAX. */
function* attachBtt(k: Kernel, dev: number, pmem: number): Path {
  const [start, end] = [loadLong(k.heap, pmem + PMEM.ndStart), loadLong(k.heap, pmem + PMEM.ndEnd)];
  const taken = requestMemory(k, dev, pmem, MEMORY, start, end - start, k.names.text(k.heap.load(pmem + PMEM.name)));
  return taken < 0 ? taken : yield* k.call(attachPlainDisk, dev);
}

/** pmem_attach_disk. */
function* probe(k: Kernel, dev: number): Path {
  const pmem = deviceData(k, dev);
  if (k.heap.load(pmem + PMEM.map) === MAP_PLAIN) return yield* k.call(attachBtt, dev, pmem);
  const start = pmemStart(k, pmem);
  const end = pmemEnd(k, pmem);
  const { pageSize } = k.geo;
  const taken = requestMemory(k, dev, pmem, MEMORY, start * pageSize, (end - start) * pageSize, k.names.text(k.heap.load(pmem + PMEM.name)));
  if (taken < 0) return taken;
  const ops = k.mechanism('fsdax.memory-failure-asks-holder') === true ? PGMAP_OPS.memoryFailure : 0;
  const reserve = k.heap.load(pmem + PMEM.map) === MAP_DEV ? Math.min(2, pmemData(k, pmem) - start) : null;
  const pgmap = yield* mapMemory(k, dev, pmem, MEMORY, { startPfn: start, endPfn: end, dataPfn: pmemData(k, pmem), type: MEMORY_DEVICE.fsdax, node: k.heap.load(pmem + PMEM.node), ops }, reserve);
  if (pgmap < 0) return pgmap;
  const dax = allocDax(k, 'pmem', pmemData(k, pmem), end - pmemData(k, pmem), pgmap);
  k.heap.store(pmem + PMEM.dax, dax);
  k.heap.store(pgmap + PGMAP.owner, dax);
  k.heap.store(pmem + PMEM.diskGone, 0);
  if (k.heap.load(pmem + PMEM.blk) === 0) {
    const blk = newInode(k, INODE_BLK, 0);
    k.heap.store(blk + INODE.dev, pmem);
    k.heap.store(pmem + PMEM.blk, blk);
  }
  return yield* devmAddActionOrReset(k, dev, RELEASE_DISK, pmem);
}

/** nd_pmem_remove: flushes, and nothing else in any release. A proposal may do more before (removal-designs.ts). */
function* remove(k: Kernel, dev: number): Path {
  const pmem = deviceData(k, dev);
  if (k.heap.load(pmem + PMEM.map) === MAP_PLAIN) return 0;
  const dax = k.heap.load(pmem + PMEM.dax);
  if (k.mechanism('fsdax.remove-waits-for-holder') === true) {
    if (k.mechanism('bus.unbind-can-fail') === true) {
      if (k.heap.load(dax + DAXDEV.sb) !== 0) return -EBUSY;
    } else while (k.heap.load(dax + DAXDEV.sb) !== 0) yield BLOCKED('D nd_pmem_remove: a file system holds the dax device');
  }
  return k.mechanism('fsdax.removal-design-order') === 'unmap-then-dead' ? yield* k.call(removalDesign, pmem, dax) : 0;
}

export const ND_PMEM: Driver = { name: 'nd_pmem', probe, remove };

/** Number of the driver, registered at first use. */
export const ndPmemDriver = (k: Kernel): number => driverCore(k).register('nd', ND_PMEM);

/** The dax device that the namespace offers now; 0 while unbound. */
export const pmemDax = (k: Kernel, dev: number): number => (k.heap.load(dev + DEV.driver) === 0 ? 0 : k.heap.load(deviceData(k, dev) + PMEM.dax));
