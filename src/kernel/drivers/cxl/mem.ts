/**
 * The memdev and its PCI function (drivers/cxl/mem.c, drivers/cxl/pci.c; 6.1, 6.12, 7.2). Unbinding cxl_mem or cxl_pci
 * takes the endpoint away, and with it every decoder of every region that the memdev is part of; nothing asks whether
 * the region's memory is in use.
 */
import { EBUSY } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import type { Path } from '../../state/path.ts';
import { deviceAlloc, deviceChildren, deviceData, driverCore, DEV, type Driver } from '../base/bus.ts';
import { deviceAdd, deviceDel } from '../base/dd.ts';
import { blocksIn, blockState, MEM } from '../base/memory.ts';
import { cxl, CXL_DEVICE, MEMDEV, regionEnd, regionsOf, regionStart } from './cxl.ts';
import { regionDecodeReset } from './region.ts';

function* memProbe(): Path<number> {
  return 0;
}

/** The endpoint port goes: cxl_decoder_kill_region for each of its decoders. */
function* memRemove(k: Kernel, dev = 0): Path<number> {
  const memdev = deviceData(k, dev);
  const gone = k.heap.load(memdev + MEMDEV.present) === 0 ? 1 : 0;
  if (k.mechanism('bus.cxl-teardown-asks-memory') && gone === 0 && regionsOf(k, memdev).some((region) => holdsOnlineMemory(k, region))) return -EBUSY;
  for (const region of regionsOf(k, memdev)) yield* k.call(regionDecodeReset, region, gone);
  return 0;
}

function holdsOnlineMemory(k: Kernel, region: number): boolean {
  for (const id of blocksIn(k, regionStart(k, region), regionEnd(k, region) - regionStart(k, region))) if (blockState(k, id) === MEM.online) return true;
  return false;
}

export const CXL_MEM: Driver = { name: 'cxl_mem', probe: memProbe, remove: memRemove, matches: (k, dev) => k.heap.load(dev + DEV.value) === CXL_DEVICE.memdev };

/** cxl_pci_probe: makes memN, which cxl_mem takes. */
function* pciProbe(k: Kernel, dev = 0): Path<number> {
  const memdev = deviceData(k, dev);
  const mem = deviceAlloc(k, { bus: 'cxl', name: k.names.text(k.heap.load(memdev + MEMDEV.name)), data: memdev, parent: dev });
  k.heap.store(mem + DEV.value, CXL_DEVICE.memdev);
  k.heap.store(memdev + MEMDEV.dev, mem);
  yield* deviceAdd(k, mem);
  return 0;
}

function* pciRemove(k: Kernel, dev = 0): Path<number> {
  for (const child of deviceChildren(k, dev).reverse()) yield* k.call(deviceDel, child);
  k.heap.store(deviceData(k, dev) + MEMDEV.dev, 0);
  return 0;
}

export const CXL_PCI: Driver = { name: 'cxl_pci', probe: pciProbe, remove: pciRemove, matches: (k, dev) => k.heap.load(dev + DEV.value) === CXL_CLASS };

/** What a CXL memory function is told by on the PCI bus (class 0502). */
export const CXL_CLASS = 0x0502;

export interface MemdevInput {
  readonly name: string;
  /** `0000:0d:00.0`. */
  readonly pciName: string;
}

/** A type-3 card appears on the PCI bus; cxl_pci and cxl_mem take it. Address of the memdev. */
export function* createMemdev(k: Kernel, input: MemdevInput): Path<number> {
  const core = driverCore(k);
  core.register('cxl', CXL_MEM);
  core.register('pci', CXL_PCI);
  const memdev = cxl(k).memdevs.alloc();
  k.heap.store(memdev + MEMDEV.name, k.names.of(input.name));
  k.heap.store(memdev + MEMDEV.present, 1);
  const pci = deviceAlloc(k, { bus: 'pci', name: input.pciName, data: memdev });
  k.heap.store(pci + DEV.value, CXL_CLASS);
  k.heap.store(memdev + MEMDEV.pci, pci);
  yield* deviceAdd(k, pci);
  return memdev;
}

/** The card loses power or link: nothing of it answers any more, locked or not. */
export function cardGone(k: Kernel, memdev: number): void {
  k.heap.store(memdev + MEMDEV.present, 0);
}
