/**
 * Disks without DAX: a BTT over persistent memory (drivers/nvdimm/btt.c) and disks on PCI cards (drivers/block/virtio_blk.c;
 * block/genhd.c: del_gendisk; 5.10 to 7.2). What is on them is read and written through the page cache: nobody's page
 * tables reach the medium. Here a disk is the record of a namespace whose data lie at no address of the machine.
 */
import type { Kernel } from '../../kernel.ts';
import type { Path } from '../../state/path.ts';
import { storeLong } from '../../state/long.ts';
import { DEV, deviceAlloc, deviceData, driverCore, type Driver } from '../base/bus.ts';
import { deviceAdd } from '../base/dd.ts';
import { defineAction, devmAddActionOrReset } from '../base/devres.ts';
import { allocDax, DAXDEV, DAXDEV_ALIVE } from '../dax/super.ts';
import { MAP_PLAIN, PMEM } from '../nvdimm/pmem-words.ts';
import { delGendisk, ndPmemDriver, newPmem, pmemEnd, pmemStart } from '../nvdimm/pmem.ts';

/** First page of the data of disk `number`, beyond every physical address (52 bits). */
const dataOf = (number: number): number => 2 ** 41 + number * 2 ** 32;

/** A disk of `pages` pages; `number` tells it from others. */
export const newPlainDisk = (k: Kernel, name: string, number: number, pages: number): number =>
  newPmem(k, name, dataOf(number), dataOf(number) + pages, dataOf(number), MAP_PLAIN, 0);

/** Managed: the disk dies, open files give errors, the file system on it hears of it. */
const RELEASE_DISK = defineAction(function* (k, disk) {
  const dax = k.heap.load(disk + PMEM.dax);
  k.heap.store(dax + DAXDEV.flags, k.heap.load(dax + DAXDEV.flags) & ~DAXDEV_ALIVE);
  return yield* k.call(delGendisk, disk);
});

/** add_disk: `dev` offers the disk of its data from now on. */
export function* attachPlainDisk(k: Kernel, dev: number): Path {
  const disk = deviceData(k, dev);
  k.heap.store(disk + PMEM.dax, allocDax(k, 'disk', pmemStart(k, disk), pmemEnd(k, disk) - pmemStart(k, disk), 0));
  k.heap.store(disk + PMEM.diskGone, 0);
  return yield* devmAddActionOrReset(k, dev, RELEASE_DISK, disk);
}

function* none(): Path {
  return 0;
}

/** What a card with a disk is told by on the PCI bus (class 0100). */
const DISK_CLASS = 0x0100;

export const VIRTIO_PCI: Driver = { name: 'virtio-pci', probe: attachPlainDisk, remove: none, matches: (k, dev) => k.heap.load(dev + DEV.value) === DISK_CLASS };

/** A card with a disk on the PCI bus, taken by its driver. */
export function* createDiskCard(k: Kernel, pciName: string, disk: number): Path<number> {
  driverCore(k).register('pci', VIRTIO_PCI);
  const dev = deviceAlloc(k, { bus: 'pci', name: pciName, data: disk });
  k.heap.store(dev + DEV.value, DISK_CLASS);
  yield* deviceAdd(k, dev);
  return dev;
}

/** A namespace in sector mode, claimed by a BTT that nd_pmem has. Bytes, half open. */
export function* createBtt(k: Kernel, input: { readonly name: string; readonly namespace: string; readonly number: number; readonly start: number; readonly end: number; readonly node: number; readonly pages?: number }): Path<number> {
  // The BTT keeps its maps, logs and info blocks on the namespace: a little less than the whole is left (btt.c, discover_arenas()).
  const disk = newPlainDisk(k, input.namespace, input.number, input.pages ?? Math.floor(((input.end - input.start) / k.geo.pageSize) * 0.995));
  storeLong(k.heap, disk + PMEM.ndStart, input.start);
  storeLong(k.heap, disk + PMEM.ndEnd, input.end);
  ndPmemDriver(k);
  const dev = deviceAlloc(k, { bus: 'nd', name: input.name, data: disk, numaNode: input.node });
  yield* deviceAdd(k, dev);
  return dev;
}
