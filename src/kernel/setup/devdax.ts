/** Set-up of device-dax: devices bound to device_dax. Bytes. */
import { addMedium, assignOwner } from '../domains.ts';
import { deviceAlloc, deviceData } from '../drivers/base/bus.ts';
import { bindStore, deviceAdd, unbindStore } from '../drivers/base/dd.ts';
import { deviceDaxDriver, destroyDevDax, DEVDAX, devDaxData, devDaxEnd, newDevDax } from '../drivers/dax/bus.ts';
import type { Kernel } from '../kernel.ts';
import { makeTable } from '../mm/page.ts';
import { allocResource, insertResource, IORESOURCE_MEM } from '../resource.ts';
import { must, run, type Ran } from './run.ts';

export interface DevDaxInput {
  readonly name?: string;
  readonly start: number;
  readonly size: number;
  /** Bytes of a mapping unit: 4 KiB, 2 MiB (default) or 1 GiB. */
  readonly align?: number;
  /** Bytes from the start to the data; 2 MiB unless told. */
  readonly dataOffset?: number;
  readonly node?: number;
  readonly owner?: number;
}

/** A dax device bound to device_dax. Returns the device. */
export function addDevDax(k: Kernel, input: DevDaxInput): number {
  const page = k.geo.pageSize;
  const name = input.name ?? 'dax0.0';
  const startPfn = input.start / page;
  const endPfn = (input.start + input.size) / page;
  insertResource(k, k.resources.root, allocResource(k, input.start, input.start + input.size - 1, 'Persistent Memory', IORESOURCE_MEM));
  addMedium(k, name, startPfn, endPfn, input.owner ?? 1);
  const dataPfn = startPfn + (input.dataOffset ?? 512 * page) / page;
  const dax = newDevDax(k, name, startPfn, endPfn, dataPfn, (input.align ?? 512 * page) / page, input.node ?? 0);
  const dev = deviceAlloc(k, { bus: 'dax', name, data: dax, numaNode: input.node ?? 0 });
  must(k, deviceAdd(k, dev), `device ${name}`);
  must(k, bindStore(k, deviceDaxDriver(k), dev), `device_dax for ${name}`);
  if (k.concurrent) for (let pfn = devDaxData(k, dax); pfn < endPfn; pfn += 512) makeTable(k, pfn);
  return dev;
}

/** Inode of the device's node: what processes open and map. */
export const devDaxInode = (k: Kernel, dev: number): number => k.heap.load(deviceData(k, dev) + DEVDAX.inode);
export const unbindDevDax = (k: Kernel, dev: number): Ran => run(k, unbindStore(k, deviceDaxDriver(k), dev));
export const bindDevDax = (k: Kernel, dev: number): Ran => run(k, bindStore(k, deviceDaxDriver(k), dev));
export const destroyNamespaceOf = (k: Kernel, dev: number): Ran => run(k, destroyDevDax(k, deviceData(k, dev)));

/** Gives all data of the device to a new owner. */
export function handOverDevDax(k: Kernel, dev: number, domain: number): void {
  assignOwner(k, devDaxData(k, deviceData(k, dev)), devDaxEnd(k, deviceData(k, dev)), domain);
}
