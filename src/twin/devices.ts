/** The persistent memory of a captured machine, in the simulated kernel: the same ranges, names and numbers. */
import { UnseatError } from '../errors/unseat-error.ts';
import type { Machine } from '../machine/machine.ts';
import type { DaxDevice } from '../machine/types/dax.ts';
import type { NvdimmBus, NvdimmNamespace, NvdimmRegion } from '../machine/types/nvdimm.ts';
import { bindStore, unbindStore } from '../kernel/drivers/base/dd.ts';
import { createBtt } from '../kernel/drivers/block/plain-disk.ts';
import { REGION } from '../kernel/drivers/cxl/cxl.ts';
import { makeNdRegion } from '../kernel/drivers/nvdimm/region.ts';
import { deviceDaxDriver } from '../kernel/drivers/dax/bus.ts';
import { daxKmemInit } from '../kernel/drivers/dax/kmem.ts';
import type { DaxPlace, IdlePlace, PmemPlace } from '../kernel/host/world.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { makeDax } from '../kernel/scenario/build-memory.ts';
import { addPmem } from '../kernel/setup/fsdax.ts';
import { allocResource, insertResource, IORESOURCE_MEM } from '../kernel/resource.ts';
import { must } from '../kernel/setup/run.ts';
import { onlineAsSeen } from './online.ts';

export interface TwinDevices {
  readonly pmems: PmemPlace[];
  readonly daxes: DaxPlace[];
  readonly idle: IdlePlace[];
  /** What the capture has and the twin has not, one sentence each. */
  readonly left: string[];
}

/** @param cxlRegions regions of CXL memory that nd regions are made from, by their first byte */
export function makeDevices(k: Kernel, machine: Machine, cxlRegions: ReadonlyMap<number, number>): TwinDevices {
  const made: TwinDevices = { pmems: [], daxes: [], idle: [], left: [] };
  for (const bus of machine.nvdimm) {
    for (const region of bus.regions) {
      if (region.range !== null && region.namespaces.length > 1) insertResource(k, k.resources.root, allocResource(k, region.range.start, region.range.end - 1, 'Persistent Memory', IORESOURCE_MEM));
      const inside: number[] = [];
      for (const namespace of region.namespaces) {
        try {
          const device = makeNamespace(k, machine, made, bus, region, namespace);
          if (device !== 0) inside.push(device);
        } catch (error) {
          // Another kernel than the captured one may refuse the range.
          if (!(error instanceof UnseatError)) throw error;
          made.left.push(`${namespace.name}: ${error.message}`);
        }
      }
      const card = cxlRegions.get(region.range?.start ?? -1);
      makeNdRegion(k, region.name, inside, card === undefined ? 0 : k.heap.load(card + REGION.dev));
    }
  }
  return made;
}

/** The device that its driver has, 0 where there is none. */
function makeNamespace(k: Kernel, machine: Machine, made: TwinDevices, bus: NvdimmBus, region: NvdimmRegion, ns: NvdimmNamespace): number {
  if (ns.range === null || region.range === null) {
    made.left.push(`${ns.name}: its addresses are not in the capture`);
    return 0;
  }
  const align = ns.align ?? 2 * 1024 ** 2;
  const parents = {
    bus: bus.name, busPath: bus.path, provider: bus.provider ?? 'unknown', region: region.name, regionStart: region.range.start, regionSize: region.range.end - region.range.start,
    dimm: region.dimms[0] ?? null, namespace: ns.name, start: ns.range.start, size: ns.range.end - ns.range.start, uuid: ns.uuid ?? '', node: ns.numaNode ?? 0, regionAlign: region.align ?? 0x1000000,
    ...(ns.sectorSize === null ? {} : { sectorSize: ns.sectorSize }), ...(region.persistenceDomain === null ? {} : { persistenceDomain: region.persistenceDomain }),
  };
  const dataOffset = ns.dataRange ? ns.dataRange.start - ns.range.start : 0;
  const memmap = ns.memmap === 'dev' ? 'dev' : 'mem';
  const regionLine = region.namespaces.length > 1;
  if ((ns.mode === 'fsdax' || ns.mode === 'raw') && ns.driver !== null && ns.block !== null) {
    const { block } = ns;
    const device = addPmem(k, { name: ns.bindName, namespace: ns.name, start: ns.range.start, size: ns.range.end - ns.range.start, map: memmap, dataOffset, node: parents.node, ...(bus.provider === 'e820' ? { resource: 'Persistent Memory (legacy)' } : regionLine ? { resource: null } : {}) });
    const dev = machine.blockDevices.find((b) => b.name === block)?.dev ?? `259:${made.pmems.length}`;
    made.pmems.push({ ...parents, device, claimant: ns.bindName === ns.name ? null : ns.bindName, dataOffset, memmap, align, block, dev });
    return device;
  }
  if (ns.mode === 'sector' && ns.driver !== null && ns.block !== null && ns.holder !== null) {
    const { block, holder } = ns;
    const disk = machine.blockDevices.find((b) => b.name === block);
    if (!regionLine) insertResource(k, k.resources.root, allocResource(k, ns.range.start, ns.range.end - 1, 'Persistent Memory', IORESOURCE_MEM));
    const device = must(k, createBtt(k, { name: holder, namespace: ns.name, number: 64 + made.pmems.length, start: ns.range.start, end: ns.range.end, node: parents.node, ...(disk?.sizeBytes == null ? {} : { pages: disk.sizeBytes / k.geo.pageSize }) }), holder);
    made.pmems.push({ ...parents, device, claimant: holder, dataOffset: 0, memmap: 'mem', align, block, dev: disk?.dev ?? `259:${made.pmems.length}`, btt: true });
    return device;
  }
  if (ns.mode === 'sector' && ns.driver === null && ns.holder !== null && ns.sectorSize !== null) {
    made.idle.push({ ...parents, claimant: ns.holder, dataOffset, memmap, align, sectorSize: ns.sectorSize });
    return 0;
  }
  const dax = machine.dax.find((d) => d.name === ns.chardev);
  if (ns.mode !== 'devdax' || dax === undefined || ns.driver === null) {
    made.left.push(`${ns.name}: a namespace in mode ${ns.mode}${ns.driver === null ? ' that no driver has' : ''} has no memory that anybody could map`);
    return 0;
  }
  const device = makeDax(k, { name: dax.name, namespace: ns.name, range: ns.range, align, node: parents.node, targetNode: dax.targetNode ?? parents.node, ...(regionLine ? { regionLine } : {}) });
  made.daxes.push({ device, name: dax.name, dev: dax.dev ?? '252:0', path: dax.path, align: dax.align ?? align, targetNode: dax.targetNode ?? parents.node, pmem: { ...parents, claimant: ns.bindName, dataOffset, memmap, align } });
  bindAs(k, machine, device, dax);
  return device;
}

/** The driver that the dax device had, with its memory blocks as they were. */
function bindAs(k: Kernel, machine: Machine, device: number, dax: DaxDevice): void {
  if (dax.driver === 'device_dax') return;
  must(k, unbindStore(k, deviceDaxDriver(k), device), `unbind ${dax.name}`);
  if (dax.driver !== 'kmem') return;
  must(k, bindStore(k, daxKmemInit(k), device), `kmem for ${dax.name}`);
  onlineAsSeen(k, machine, dax.blocks);
}
