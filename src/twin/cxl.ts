/** The CXL cards of a captured machine, in the simulated kernel: host bridge, cards, slots, regions and their dax devices. */
import type { Machine } from '../machine/machine.ts';
import type { CxlMemdev, CxlRegion } from '../machine/types/cxl.ts';
import { deviceChildren, deviceDriver } from '../kernel/drivers/base/bus.ts';
import { bindStore, unbindStore } from '../kernel/drivers/base/dd.ts';
import { MEMDEV, REGION } from '../kernel/drivers/cxl/cxl.ts';
import { deviceDaxDriver } from '../kernel/drivers/dax/bus.ts';
import { daxKmemInit } from '../kernel/drivers/dax/kmem.ts';
import type { CardPlace, CxlPlaces, DaxPlace, HotplugPlaces, World } from '../kernel/host/world.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { SLOT } from '../kernel/drivers/pci/slot.ts';
import { makeMemdev, makeRegion } from '../kernel/setup/cxl.ts';
import { must } from '../kernel/setup/run.ts';
import { makeSlot } from '../kernel/setup/slot.ts';
import { onlineAsSeen } from './online.ts';

export interface TwinCxl {
  readonly cards: readonly CardPlace[];
  readonly cxl?: CxlPlaces;
  readonly slots: HotplugPlaces['slots'];
  readonly daxes: readonly DaxPlace[];
  readonly ndBuses: World['ndBuses'] & object;
  /** Heap addresses of pmem regions by their first byte: what nd makes of them hangs on them. */
  readonly pmemRegions: ReadonlyMap<number, number>;
  /** What the capture has and the twin has not, one sentence each. */
  readonly left: readonly string[];
}

/** Ranges whose lines in /proc/iomem the drivers of the twin make. */
export const cxlRanges = (machine: Machine) => machine.cxl.regions.flatMap((r) => (r.range === null ? [] : [r.range]));

export function makeCxl(k: Kernel, machine: Machine): TwinCxl {
  const none = { cards: [], slots: [], daxes: [], ndBuses: [], pmemRegions: new Map<number, number>() };
  if (machine.cxl.memdevs.length === 0) return { ...none, slots: slotsOf(k, machine, new Map()), left: [] };
  const unlike = whyUnlike(k, machine);
  if (unlike !== null) return { ...none, left: [`CXL: ${unlike}`] };
  const memdevs = new Map(machine.cxl.memdevs.map((m) => [m.name, makeMemdev(k, { name: m.name, pciName: m.pci ?? '' })]));
  const regions = new Map(machine.cxl.regions.map((r) => [r.name, regionOf(k, machine, r, memdevs)]));
  const cards = machine.cxl.memdevs.map((m, index) => cardOf(machine, m, index, memdevs.get(m.name) as number, regions));
  const pci = new Map(machine.cxl.memdevs.map((m) => [m.pci ?? '', k.heap.load((memdevs.get(m.name) as number) + MEMDEV.pci)]));
  return {
    cards, cxl: bridgeOf(machine), slots: slotsOf(k, machine, pci), left: [],
    daxes: machine.cxl.regions.flatMap((r) => daxesOf(k, machine, r, regions.get(r.name) as number)),
    ndBuses: machine.nvdimm.filter((b) => b.regions.length === 0).map((b) => ({ name: b.name, path: b.path, provider: b.provider ?? 'CXL' })),
    pmemRegions: new Map(machine.cxl.regions.filter((r) => r.mode === 'pmem').map((r) => [r.range?.start ?? 0, regions.get(r.name) as number])),
  };
}

/** Why the simulated bus would not look like this one; null where it does: one root, one host bridge, cards straight below it. */
function whyUnlike(k: Kernel, { cxl, dax }: Machine): string | null {
  if (k.mechanism('bus.cxl-regions') === 'none') return 'this kernel has no CXL driver';
  if (k.mechanism('bus.cxl-regions') === 'pmem' && cxl.regions.some((r) => r.mode !== 'pmem')) return 'this kernel makes no regions of volatile memory';
  const middle = cxl.ports.filter((p) => p.name.startsWith('port'));
  if (cxl.ports.filter((p) => p.name.startsWith('root')).length !== 1 || middle.length !== 1) return 'more than one root or a switch';
  if (cxl.ports.some((p) => p.name.startsWith('endpoint') && p.parent !== middle[0]?.name)) return 'an endpoint that is not below the host bridge';
  if (cxl.memdevs.some((m) => m.driver === null || m.pci === null)) return 'a card without its driver';
  if (cxl.memdevs.some((m) => (m.ramSize ?? 0) > 0 && (m.pmemSize ?? 0) > 0)) return 'a card with volatile and persistent memory';
  if (cxl.regions.some((r) => r.range === null || r.committed !== true || r.targets.length !== 1 || r.targets[0]?.memdev == null)) return 'a region that is not committed, or of several cards';
  if (cxl.regions.some((r) => r.daxDevices.length > 1 || (r.mode !== 'pmem' && !dax.some((d) => d.name === r.daxDevices[0])))) return 'a region with more than one dax device, or none';
  return null;
}

function regionOf(k: Kernel, machine: Machine, r: CxlRegion, memdevs: ReadonlyMap<string, number>): number {
  const dax = machine.dax.find((d) => d.name === r.daxDevices[0]);
  const mode = r.mode === 'pmem' ? 'pmem' as const : dax?.driver === 'kmem' ? 'ram' as const : 'devdax' as const;
  if (mode === 'ram') daxKmemInit(k);
  return must(k, (function* () { return makeRegion(k, { name: r.name, start: r.range?.start ?? 0, end: r.range?.end ?? 0, mode, targets: [memdevs.get(r.targets[0]?.memdev ?? '') as number], nid: dax?.targetNode ?? 0, ...(dax === undefined ? {} : { daxName: dax.name }) }); })(), r.name);
}

function daxesOf(k: Kernel, machine: Machine, r: CxlRegion, region: number): DaxPlace[] {
  const dax = machine.dax.find((d) => d.name === r.daxDevices[0]);
  const [device] = deviceChildren(k, k.heap.load(region + REGION.dev));
  if (dax === undefined || device === undefined) return [];
  if (dax.driver === 'device_dax') must(k, bindStore(k, deviceDaxDriver(k), device), `device_dax for ${dax.name}`);
  if (dax.driver !== 'kmem' && dax.driver !== 'device_dax' && deviceDriver(k, device) !== 0) must(k, unbindStore(k, deviceDriver(k, device), device), `unbind ${dax.name}`);
  if (dax.driver === 'kmem') onlineAsSeen(k, machine, dax.blocks);
  return [{ device, name: dax.name, dev: dax.dev ?? '252:0', path: dax.path, align: dax.align ?? 2 * 1024 ** 2, targetNode: dax.targetNode ?? 0, numaNode: dax.numaNode ?? -1, pmem: null }];
}

function cardOf({ cxl }: Machine, m: CxlMemdev, index: number, memdev: number, regions: ReadonlyMap<string, number>): CardPlace {
  const region = cxl.regions.find((r) => r.targets[0]?.memdev === m.name);
  const persistent = (m.pmemSize ?? 0) > 0;
  const endpoint = endpointOf(cxl, m.name);
  return {
    name: m.name, index, memdev, pci: m.pci ?? '', memory: persistent ? 'persistent' : 'volatile', size: (persistent ? m.pmemSize : m.ramSize) ?? 0,
    region: region === undefined ? 0 : regions.get(region.name) as number, regionName: region?.name ?? '', pciPath: m.path.slice(0, m.path.lastIndexOf('/')),
    ...(endpoint === undefined ? {} : { endpoint }), ...(m.serial === null ? {} : { serial: m.serial }), numaNode: m.numaNode ?? -1, ...(m.firmware === null ? {} : { firmware: m.firmware }),
  };
}

/** The endpoint that a card stands behind: that of a region's decoder where it serves one; the others share what is left, in order. */
function endpointOf(cxl: Machine['cxl'], memdev: string): string | undefined {
  const told = new Map<string | null, string>(cxl.regions.flatMap((r) => r.targets.map((t) => [t.memdev, `endpoint${/^decoder(\d+)/.exec(t.decoder)?.[1]}`] as const)));
  const free = cxl.ports.map((p) => p.name).filter((name) => name.startsWith('endpoint') && ![...told.values()].includes(name));
  return told.get(memdev) ?? free[cxl.memdevs.filter((m) => !told.has(m.name)).findIndex((m) => m.name === memdev)];
}

function bridgeOf({ cxl, nvdimm }: Machine): CxlPlaces {
  const root = cxl.ports.find((p) => p.name.startsWith('root'));
  const port = cxl.ports.find((p) => p.name.startsWith('port'));
  const known = cxl.regions[0]?.path ?? nvdimm.find((b) => b.path.includes('/root0/'))?.path ?? '/sys/devices/platform/ACPI0017:00/root0';
  return { root: `${known.slice(0, known.indexOf('/root0'))}/root0`, port: port?.name ?? 'port1', decoders: port?.decoders.length ?? 0, window: root?.decoders[0]?.range ?? null };
}

/** Slots with a CXL card, or with nothing that the capture shows; what sits on other cards is not simulated. */
function slotsOf(k: Kernel, machine: Machine, pci: ReadonlyMap<string, number>): HotplugPlaces['slots'] {
  return machine.slots.flatMap((s) => {
    const dev = s.functions.map((f) => pci.get(f) ?? 0).find((d) => d !== 0) ?? 0;
    if ((s.functions.length > 0 && dev === 0) || s.driver === null) return [];
    const slot = makeSlot(k, { name: s.name, kind: s.driver, dev });
    k.heap.store(slot + SLOT.power, s.power === true ? 1 : 0);
    k.heap.store(slot + SLOT.adapter, s.adapter === true ? 1 : 0);
    return [{ name: s.name, slot, address: s.address ?? '' }];
  });
}
