/** The memory of a scenario that is no NVDIMM: DIMMs, virtio-mem, CXL cards; and memory that becomes System RAM. */
import { UnseatError } from '../../errors/unseat-error.ts';
import { rangeSize, type PhysRange } from '../../range/phys-range.ts';
import { MiB } from '../../range/units.ts';
import type { Disk, Machine, SystemRam } from '../../scenario/layout.ts';
import { addMedium } from '../domains.ts';
import { createDiskCard, newPlainDisk } from '../drivers/block/plain-disk.ts';
import { stateStore } from '../drivers/base/block-state.ts';
import { deviceChildren, deviceData, deviceDriver } from '../drivers/base/bus.ts';
import { bindStore, unbindStore } from '../drivers/base/dd.ts';
import { blocksIn, blockState, MEM, memoryBlocks } from '../drivers/base/memory.ts';
import { MEMDEV, REGION } from '../drivers/cxl/cxl.ts';
import { deviceDaxDriver, DEVDAX } from '../drivers/dax/bus.ts';
import { createDevDax } from '../drivers/dax/dev_dax.ts';
import { daxKmemInit } from '../drivers/dax/kmem.ts';
import { createVirtioMem, VM } from '../drivers/virtio/virtio_mem.ts';
import { INODE } from '../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import { hotplug, MMOP, MMOP_WORDS } from '../mm/memory_hotplug/hotplug.ts';
import { allocContigKernel } from '../mm/page_alloc.ts';
import { TYPE } from '../mm/page.ts';
import { allocResource, insertResource, IORESOURCE_MEM } from '../resource.ts';
import { cxlWindow, makeMemdev, makeRegion } from '../setup/cxl.ts';
import { plugDimm } from '../setup/dimm.ts';
import { must } from '../setup/run.ts';
import { makeSlot } from '../setup/slot.ts';
import { requestSize } from '../setup/virtio-mem.ts';
import type { BuiltDevice } from './built.ts';
import type { Placement, PlacedMemory } from './place-devices.ts';

/** First bytes of a namespace that hold its info block; the rest is the dax device's. */
const INFO_BLOCK = 2 * MiB;

/** A device-dax namespace: the range as firmware has it, the info block claimed by nd, and the dax device after it. */
export function makeDax(k: Kernel, input: { name: string; namespace: string; range: PhysRange; align: number; node: number; targetNode: number; regionLine?: true }): number {
  const { range, name } = input;
  const page = k.geo.pageSize;
  // Where the region has other namespaces too, its line is there already.
  if (input.regionLine !== true) insertResource(k, k.resources.root, allocResource(k, range.start, range.end - 1, 'Persistent Memory', IORESOURCE_MEM));
  insertResource(k, k.resources.root, allocResource(k, range.start, range.start + INFO_BLOCK - 1, input.namespace, IORESOURCE_MEM));
  addMedium(k, name, range.start / page, range.end / page, 1);
  const dev = must(k, createDevDax(k, { name, ranges: [{ start: range.start + INFO_BLOCK, end: range.end }], targetNode: input.targetNode }), `device ${name}`);
  const data = deviceData(k, dev);
  k.heap.store(data + DEVDAX.align, input.align / page);
  k.heap.store(k.heap.load(data + DEVDAX.inode) + INODE.extents, input.align / page);
  must(k, bindStore(k, deviceDaxDriver(k), dev), `device_dax for ${name}`);
  return dev;
}

/** Cards with a disk: a slot each, where they can be plugged. */
export function makeDisk(k: Kernel, disk: Disk, index: number): BuiltDevice {
  const dev = must(k, createDiskCard(k, `0000:0${index + 2}:00.0`, newPlainDisk(k, disk.name, index + 1, disk.size / k.geo.pageSize)), disk.name);
  const slot = disk.hotplug === 'none' ? {} : { slot: makeSlot(k, { name: String(index + 5), kind: disk.hotplug, dev }) };
  return { name: disk.name, kind: 'disk', range: null, dev, driver: deviceDriver(k, dev), ...slot };
}

/** DIMMs, virtio-mem devices and CXL cards, in the order of their addresses. virtio-pmem is made with the namespaces. */
export function makeMemory(k: Kernel, machine: Machine, placed: Placement): BuiltDevice[] {
  if (placed.cxlWindow !== null) cxlWindow(k, 0, placed.cxlWindow.start, placed.cxlWindow.end);
  let cards = 0;
  let dimms = 0;
  let virtio = 0;
  return placed.memory.flatMap((memory): BuiltDevice[] => {
    if (memory.kind === 'dimm') return [makeDimm(k, machine, memory, dimms++)];
    if (memory.kind === 'virtio-mem') return [makeVirtioMem(k, machine, memory, virtio++)];
    return memory.kind === 'cxl' ? [makeCard(k, machine, memory, cards++)] : [];
  });
}

function makeDimm(k: Kernel, machine: Machine, { name, range, node }: PlacedMemory, index: number): BuiltDevice {
  const plugged = machine.dimms.find((d) => d.name === name)?.plugged !== false;
  const dimm = plugged ? plugDimm(k, { name: `PNP0C80:${String(index).padStart(2, '0')}`, addr: range.start, size: rangeSize(range), nid: node }) : 0;
  return { name, kind: 'dimm', range, dev: 0, driver: 0, dimm };
}

function makeVirtioMem(k: Kernel, machine: Machine, { name, range, node }: PlacedMemory, index: number): BuiltDevice {
  const spec = machine.virtioMem.find((v) => v.name === name);
  const vm = must(k, createVirtioMem(k, { name: `virtio${index + 1}`, addr: range.start, size: rangeSize(range), nid: node }), name);
  // What the host asks for is plugged as online memory: a machine that leaves it offline gets stuck on the way.
  const { autoOnline } = hotplug(k);
  const before = k.heap.load(autoOnline);
  k.heap.store(autoOnline, MMOP_WORDS.indexOf('online_movable'));
  requestSize(k, vm, spec?.requested ?? 0);
  k.heap.store(autoOnline, before);
  const dev = k.heap.load(vm + VM.dev);
  return { name, kind: 'virtio-mem', range, dev, driver: deviceDriver(k, dev), vm };
}

function makeCard(k: Kernel, machine: Machine, { name, range, node }: PlacedMemory, index: number): BuiltDevice {
  const use = machine.cxl.find((c) => c.name === name)?.use ?? 'none';
  if (k.mechanism('bus.cxl-regions') === 'none') throw new UnseatError('UNSUPPORTED', 'this kernel has no CXL driver', { subject: name, next: 'Take a newer profile.' });
  const memdev = makeMemdev(k, { name: `mem${index}`, pciName: `0000:${(0x0d + index).toString(16).padStart(2, '0')}:00.0` });
  const pci = k.heap.load(memdev + MEMDEV.pci);
  const slot = makeSlot(k, { name: String(index + 2), kind: 'pciehp', dev: pci });
  const card = { name, kind: 'cxl' as const, range, dev: pci, driver: deviceDriver(k, pci), memdev, slot };
  if (use === 'none') return card;
  const mode = use === 'system-ram' ? 'ram' : use === 'devdax' ? 'devdax' : 'pmem';
  if (use === 'system-ram') daxKmemInit(k);
  const region = makeRegion(k, { name: `region${index}`, start: range.start, end: range.end, mode, targets: [memdev], nid: node, daxName: `dax${index}.0` });
  if (region < 0) throw new UnseatError('UNSUPPORTED', `this kernel makes no ${mode} region`, { subject: name, next: 'Take a newer profile.' });
  if (use === 'devdax') for (const dax of deviceChildren(k, k.heap.load(region + REGION.dev))) must(k, bindStore(k, deviceDaxDriver(k), dax), `device_dax for ${name}`);
  return { ...card, region };
}

/** Numbers of the memory blocks that lie in or touch a range. */
export const blocksOf = (k: Kernel, range: PhysRange): number[] => [...blocksIn(k, range.start, rangeSize(range))].filter((id) => memoryBlocks(k).find(id) !== 0);

/** Brings the memory of a device online as the scenario says; a device-dax namespace goes to kmem first. */
export function useAsRam(k: Kernel, use: SystemRam, device: BuiltDevice): void {
  if (device.range === null) throw new UnseatError('BAD_SCENARIO', `${use.device} has no memory`, { subject: 'systemRam' });
  if (device.kind === 'namespace') {
    must(k, unbindStore(k, device.driver, device.dev), `unbind ${use.device}`);
    device.driver = daxKmemInit(k);
    must(k, bindStore(k, device.driver, device.dev), `kmem for ${use.device}`);
  }
  if (use.online === 'offline') return;
  for (const id of blocksOf(k, device.range)) {
    if (blockState(k, id) !== MEM.online) must(k, stateStore(k, id, use.online === 'kernel' ? MMOP.onlineKernel : MMOP.onlineMovable, 0), `memory${id} online`);
  }
  if (use.online === 'kernel') kernelMovesIn(k, device.range);
}

/** A kernel zone that was added gets slab and page table pages within a second (KERNEL-TRUTH, part B, 3c). */
export function kernelMovesIn(k: Kernel, range: PhysRange): void {
  for (const type of [TYPE.slab, TYPE.table]) allocContigKernel(k, nodeOf(k, range), 1, type);
}

const nodeOf = (k: Kernel, range: PhysRange): number => {
  const pfn = (range.end - k.geo.memoryBlockSize) / k.geo.pageSize;
  for (let nid = 0; nid < k.nodes; nid += 1) if (k.zones.nodeOnline(nid) && pfn >= k.zones.nodeStart(nid) && pfn < k.zones.nodeEnd(nid)) return nid;
  return 0;
};
