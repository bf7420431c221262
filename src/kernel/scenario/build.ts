/**
 * A scenario as a simulated machine that has just reached its start: devices bound, file systems mounted, processes
 * running. The steps of the scenario are not carried out here.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import { MiB } from '../../range/units.ts';
import type { Profile } from '../../profile/profile.ts';
import type { Filesystem } from '../../scenario/layout.ts';
import type { ProcessSpec } from '../../scenario/process.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { deviceChildren, deviceData, deviceDriver, deviceName } from '../drivers/base/bus.ts';
import { createBtt } from '../drivers/block/plain-disk.ts';
import { swapon } from '../fs/block.ts';
import { allocResource, insertResource, IORESOURCE_MEM } from '../resource.ts';
import { must } from '../setup/run.ts';
import { DEV_DAX, kmemOf } from '../drivers/dax/dev_dax.ts';
import { DIMM } from '../drivers/acpi/memhotplug.ts';
import { MEMDEV, REGION } from '../drivers/cxl/cxl.ts';
import { slotName } from '../drivers/pci/slot.ts';
import { pmemDax } from '../drivers/nvdimm/pmem.ts';
import { adopt, makeNdRegion } from '../drivers/nvdimm/region.ts';
import { ENOENT } from '../errno.ts';
import { FIRST_NAMESPACE, type CardPlace, type DaxPlace, type DiskPlace, type HotplugPlaces, type PmemPlace, type World } from '../host/world.ts';
import { MountTable } from '../host/mount-table.ts';
import { bootMachine } from '../setup/boot-machine.ts';
import { addPmem, mountFs } from '../setup/fsdax.ts';
import type { Kernel } from '../kernel.ts';
import { makeDax, makeDisk, makeMemory, useAsRam } from './build-memory.ts';
import type { BuiltDevice, BuiltScenario } from './built.ts';
import { regionsOf } from './later-namespaces.ts';
import { startProcess } from './start-process.ts';
import { placeDevices, type PlacedMemory, type PlacedNamespace } from './place-devices.ts';

export type { BuiltDevice, BuiltScenario } from './built.ts';

const ND_BUS = '/sys/devices/platform/ACPI0012:00/ndbus0';
const LEGACY_BUS = '/sys/devices/platform/e820_pmem/ndbus0';

/** @throws UnseatError UNSUPPORTED for what cannot be simulated, said by name */
export function buildScenario(scenario: Scenario, profile: Profile): BuiltScenario {
  refuseUnbuilt(scenario);
  const placed = placeDevices(scenario.machine);
  const nodes = (scenario.machine.nodes?.length ?? 1) + 1;
  const k = bootMachine({
    profile, ram: placed.ram, nodes: Math.max(2, nodes), pmem: placed.memmapPmem, memmapOnMemory: scenario.machine.memmapOnMemory,
    autoOnline: scenario.machine.autoOnline, cpuNodes: [0],
  });
  const built = new Map(makeMemory(k, scenario.machine, placed).map((device) => [device.name, device]));
  scenario.machine.disks.forEach((disk, i) => built.set(disk.name, makeDisk(k, disk, i)));
  const regions = new Map<number, number>();
  const pmems = new Map<string, PmemPlace>();
  const daxes = new Map<string, DaxPlace>();
  for (const namespace of placed.namespaces) {
    const { spec, range } = namespace;
    if (!namespace.legacy && !regions.has(namespace.regionIndex)) insertResource(k, k.resources.root, allocResource(k, namespace.region.start, namespace.region.end - 1, 'Persistent Memory', IORESOURCE_MEM));
    const dax = spec.mode === 'devdax';
    const place = dax ? daxPlace(k, namespace, daxes.size) : spec.mode === 'sector' ? bttPlace(k, namespace, pmems.size) : pmemPlace(k, namespace, pmems.size);
    if (dax) daxes.set(spec.name, place as DaxPlace);
    else pmems.set(spec.name, place as PmemPlace);
    const known = regions.get(namespace.regionIndex);
    const region = namespace.card === null ? undefined : built.get(namespace.card)?.region;
    if (known !== undefined) adopt(k, known, place.device);
    else regions.set(namespace.regionIndex, makeNdRegion(k, `region${namespace.regionIndex}`, [place.device], region === undefined ? 0 : k.heap.load(region + REGION.dev)));
    built.set(spec.name, { name: spec.name, kind: 'namespace', range, dev: place.device, driver: deviceDriver(k, place.device) });
  }
  for (const memory of placed.memory.filter((m) => m.kind === 'virtio-pmem')) {
    const place = virtioPmemPlace(k, memory, pmems.size);
    makeNdRegion(k, place.region, [place.device]);
    pmems.set(memory.name, place);
    built.set(memory.name, { name: memory.name, kind: 'virtio-pmem', range: memory.range, dev: place.device, driver: deviceDriver(k, place.device) });
  }
  for (const card of built.values()) if (card.kind === 'cxl' && card.region !== undefined && daxOfRegion(k, card.region) !== 0) daxes.set(card.name, cardDaxPlace(k, card.region, daxes.size));
  for (const use of scenario.systemRam) useAsRam(k, use, built.get(use.device) as BuiltDevice);
  const mounts = new MountTable(k);
  const commandOf = new Map<number, string>();
  const world: World = {
    k, label: scenario.scenario, release: `${profile.name}.0-simulated`, version: '#1 SMP PREEMPT_DYNAMIC unseat', cmdline: 'console=ttyS0',
    hotplug: hotplugOf(k, scenario, built),
    pmems: [...pmems.values()], daxes: [...daxes.values()], disks: disksOf(k, scenario, built), mounts, namespaceOf: new Map(), commandOf, cpus: scenario.machine.cpus,
  };
  const devices = new Map([...pmems, ...daxes].map(([name, place]) => [name, place.device]));
  for (const device of built.values()) if (device.kind === 'cxl' && device.region !== undefined) devices.set(device.name, daxOfRegion(k, device.region));
  const whole: BuiltScenario = { world, scenario, devices, built, supers: new Map(), processes: new Map(), stuck: new Set(), domain: 1 };
  if (scenario.machine.namespaces.some((n) => n.later)) regionsOf(whole);
  for (const fs of scenario.filesystems) if (fs.mounted) mountDeclared(whole, fs);
  for (const { on } of scenario.swaps) swapon(k, deviceData(k, (built.get(on) as BuiltDevice).dev));
  for (const spec of scenario.processes) if (spec.started) startDeclared(whole, spec);
  return whole;
}

/** The dax device that a CXL region has made. */
function cardDaxPlace(k: Kernel, region: number, index: number): DaxPlace {
  const device = daxOfRegion(k, region);
  const regionName = k.names.text(k.heap.load(region + REGION.name));
  return { device, name: deviceName(k, device), dev: `252:${index}`, path: `/sys/devices/platform/ACPI0017:00/root0/decoder0.0/${regionName}/dax_${regionName}/${deviceName(k, device)}`, align: 2 * MiB, targetNode: k.heap.load(kmemOf(k, device) + DEV_DAX.targetNode), numaNode: -1, pmem: null };
}

/** Names and addresses of what sysfs shows of DIMMs, virtio-mem, slots and cards. */
function hotplugOf(k: Kernel, { machine }: Scenario, built: ReadonlyMap<string, BuiltDevice>): HotplugPlaces {
  const all = [...built.values()];
  const cards = all.filter((d) => d.memdev !== undefined).map((d, index): CardPlace => {
    const spec = machine.cxl.find((c) => c.name === d.name);
    return {
      name: k.names.text(k.heap.load((d.memdev as number) + MEMDEV.name)), index, memdev: d.memdev as number, pci: deviceName(k, d.dev), memory: spec?.memory ?? 'volatile', size: spec?.size ?? 0,
      region: d.region ?? 0, regionName: `region${index}`,
    };
  });
  return {
    cards,
    slots: all.flatMap((d) => (d.slot === undefined ? [] : [{ name: slotName(k, d.slot), slot: d.slot, address: deviceName(k, d.dev).replace(/\.\d+$/, '') }])),
    dimms: all.flatMap((d) => (d.dimm === undefined || d.dimm === 0 ? [] : [{ name: k.names.text(k.heap.load(d.dimm + DIMM.name)), dimm: d.dimm }])),
    virtioMems: all.flatMap((d) => (d.vm === undefined ? [] : [{ name: deviceName(k, d.dev), vm: d.vm }])),
  };
}

const daxOfRegion = (k: Kernel, region: number): number => deviceChildren(k, k.heap.load(region + REGION.dev))[0] ?? 0;

/** Mounts a declared file system, with what is on its medium. -EBUSY-like refusals are for the caller: 0 or -errno. */
export function mountDeclared(built: BuiltScenario, fs: Filesystem): number {
  const { world: { k, mounts } } = built;
  const device = built.built.get(fs.on);
  if (device === undefined || !['namespace', 'virtio-pmem', 'disk'].includes(device.kind)) throw notBuilt(`a file system on ${fs.on}`);
  if (deviceDriver(k, device.dev) === 0 || pmemDax(k, device.dev) === 0) return -ENOENT;
  const sb = mountFs(k, device.dev, { type: fs.type, rmapbt: fs.rmapbt, reflink: fs.reflink, groups: fs.groups, readOnly: fs.readOnly, domain: built.domain });
  built.supers.set(fs.at, sb);
  mounts.add(sb, fs.at, FIRST_NAMESPACE, fs.readOnly ? 'ro,relatime' : 'rw,relatime');
  return 0;
}

export function startDeclared(built: BuiltScenario, spec: ProcessSpec): void {
  const { world: { k, commandOf }, scenario, supers, devices } = built;
  const mark = scenario.processes.indexOf(spec) + 1;
  const started = startProcess({ k, scenario, supers, devices, mark, domain: built.domain }, spec);
  (commandOf as Map<number, string>).set(started.task, `/usr/bin/holder ${spec.name}`);
  built.processes.set(spec.name, started);
}

function pmemPlace(k: Kernel, n: PlacedNamespace, index: number): PmemPlace {
  const claimant = `pfn${n.regionIndex}.${n.index}`;
  const size = n.range.end - n.range.start;
  const device = addPmem(k, { name: claimant, start: n.range.start, size, map: n.spec.map, node: n.node, resource: null });
  return { ...parents(n), device, claimant, dataOffset: 2 * MiB, memmap: n.spec.map, align: n.spec.align ?? 2 * MiB, block: `pmem${n.regionIndex}${n.index === 0 ? '' : `.${n.index}`}`, dev: `259:${index}` };
}

/** A namespace in sector mode: the block device is its BTT's. */
function bttPlace(k: Kernel, n: PlacedNamespace, index: number): PmemPlace {
  const claimant = `btt${n.regionIndex}.${n.index}`;
  const { start, end } = n.range;
  const device = must(k, createBtt(k, { name: claimant, namespace: `namespace${n.regionIndex}.${n.index}`, number: 64 + index, start, end, node: n.node }), claimant);
  return { ...parents(n), device, claimant, dataOffset: 0, memmap: 'mem', align: 2 * MiB, sectorSize: 4096, btt: true, block: `pmem${n.regionIndex}${n.index === 0 ? '' : `.${n.index}`}s`, dev: `259:${index}` };
}

/** Disks as sysfs names them: vda, vdb, ... */
const disksOf = (k: Kernel, { machine }: Scenario, built: ReadonlyMap<string, BuiltDevice>): DiskPlace[] => machine.disks.map((disk, i) => {
  const { dev } = built.get(disk.name) as BuiltDevice;
  return { device: dev, block: `vd${String.fromCharCode(97 + i)}`, dev: `253:${i * 16}`, path: `/sys/devices/pci0000:00/0000:00:0${i + 2}.0/${deviceName(k, dev)}`, size: disk.size };
});

/** A virtio-pmem device: the whole of it is a raw namespace of its own bus. */
function virtioPmemPlace(k: Kernel, m: PlacedMemory, index: number): PmemPlace {
  const { start, end } = m.range;
  const namespace = `namespace${index}.0`;
  const device = addPmem(k, { name: namespace, start, size: end - start, dataOffset: 0, node: m.node });
  return {
    device, bus: 'ndbus1', busPath: '/sys/devices/pci0000:00/0000:00:04.0/virtio1/ndbus1', provider: 'virtio-pmem', region: `region${index}`, regionStart: start, regionSize: end - start, dimm: null,
    namespace, claimant: null, start, size: end - start, dataOffset: 0, memmap: 'mem', align: 2 * MiB, uuid: '', node: m.node, block: `pmem${index}`, dev: `259:${index}`,
  };
}

function daxPlace(k: Kernel, n: PlacedNamespace, index: number): DaxPlace {
  const name = `dax${n.regionIndex}.${n.index}`;
  const align = n.spec.align ?? 2 * MiB;
  const device = makeDax(k, { name, namespace: `namespace${n.regionIndex}.${n.index}`, range: n.range, align, node: n.node, targetNode: n.node, regionLine: true });
  const pmem = { ...parents(n), claimant: name, dataOffset: 2 * MiB, memmap: n.spec.map, align };
  return { device, name, dev: `252:${index}`, path: `${pmem.busPath}/${pmem.region}/${name}/${name}`, align, targetNode: n.node, pmem };
}

function parents(n: PlacedNamespace): Pick<PmemPlace, 'bus' | 'busPath' | 'provider' | 'region' | 'regionStart' | 'regionSize' | 'dimm' | 'namespace' | 'start' | 'size' | 'uuid' | 'node'> {
  return {
    bus: 'ndbus0', busPath: n.legacy ? LEGACY_BUS : ND_BUS, provider: n.legacy ? 'e820' : 'ACPI.NFIT', region: `region${n.regionIndex}`,
    regionStart: n.region.start, regionSize: n.region.end - n.region.start, dimm: n.legacy ? null : `nmem${n.regionIndex}`,
    namespace: `namespace${n.regionIndex}.${n.index}`, start: n.range.start, size: n.range.end - n.range.start,
    uuid: `00000000-0000-4000-8000-${String(n.regionIndex).padStart(6, '0')}${String(n.index).padStart(6, '0')}`, node: n.node,
  };
}

/** What a scenario may ask for and the simulated kernel has not is refused by name, never left out in silence: page cache under a mapping. */
function refuseUnbuilt(s: Scenario): void {
  const m = s.machine;
  const plain = s.filesystems.filter((f) => m.disks.some((d) => d.name === f.on) || m.namespaces.some((n) => n.name === f.on && n.mode === 'sector'));
  const mapped = s.processes.flatMap((p) => p.maps).find((map) => 'file' in map && plain.some((f) => map.file.startsWith(`${f.at}/`)));
  if (mapped !== undefined && 'file' in mapped) throw notBuilt(`a mapping of ${mapped.file} (the page cache of file systems without DAX is not modelled)`);
}

const notBuilt = (what: string): UnseatError => new UnseatError('UNSUPPORTED', `a simulated machine with ${what} cannot be built from a scenario`, {
  next: 'Run the scenario in the lab, or leave that part out.',
});
