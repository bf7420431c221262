/**
 * The devices of the nd and dax buses in sysfs, with the block devices on them, and the bus directories whose `bind` and
 * `unbind` files bind and unbind (drivers/nvdimm/*_devs.c, drivers/dax/bus.c; Documentation/ABI/testing/sysfs-bus-nvdimm,
 * sysfs-bus-dax).
 */
import { EINVAL, ENODEV } from '../errno.ts';
import { deviceDriver, deviceData, deviceName, driverCore, busDevices, findDevice } from '../drivers/base/bus.ts';
import { bindStore, unbindStore } from '../drivers/base/dd.ts';
import { DEVDAX, DEVICE_DAX } from '../drivers/dax/bus.ts';
import { DEV_DAX, devDaxRanges, kmemOf } from '../drivers/dax/dev_dax.ts';
import { kmemState, kmemStateStore, UNPLUGGED } from '../drivers/dax/kmem-state.ts';
import { PMEM, pmemData, pmemEnd } from '../drivers/nvdimm/pmem.ts';
import { ND_REGION_BUS, ndRegionState } from '../drivers/nvdimm/region.ts';
import type { Kernel } from '../kernel.ts';
import { MMOP } from '../mm/memory_hotplug/hotplug.ts';
import type { Path } from '../state/path.ts';
import { hotplugPaths, hotplugPlaces } from './sys-hotplug.ts';
import { attribute, directory, link, listing, overlay, writeOnly, type DirectoryNode, type Node } from './vfs.ts';
import type { DaxPlace, DiskPlace, IdlePlace, PmemPlace, World } from './world.ts';

type Paths = Map<string, Node>;
const hex = (n: number): string => `0x${n.toString(16)}`;

/** `../..` from a real sysfs directory back to /sys. */
const up = (path: string): string => path.split('/').filter((p) => p !== '').slice(1).map(() => '..').join('/');
const driverLink = (k: Kernel, path: string, bus: string, device: number): Node | null => {
  const driver = deviceDriver(k, device);
  return driver === 0 ? null : link(`${up(path)}/bus/${bus}/drivers/${driverCore(k).driver(driver).name}`);
};

function put(paths: Paths, directoryPath: string, entries: Readonly<Record<string, Node | null>>): void {
  for (const [name, node] of Object.entries(entries)) if (node !== null) paths.set(`${directoryPath}/${name}`, node);
}

type Pmem = DaxPlace['pmem'] & object;

/** Bus, region, DIMM and namespace: what is there whether a driver is bound or not. */
function ndParents(k: Kernel, paths: Paths, p: Pmem, mode: string, holder: string | null): string {
  const region = `${p.busPath}/${p.region}`;
  const state = ndRegionState(k, p.region);
  put(paths, p.busPath, { provider: attribute(() => p.provider), subsystem: link(`${up(p.busPath)}/bus/nd`) });
  if (p.dimm !== null) put(paths, `${p.busPath}/${p.dimm}`, { devtype: attribute(() => 'nvdimm'), state: attribute(() => 'active') });
  if (state === 'gone') return region;
  put(paths, region, {
    devtype: attribute(() => 'nd_pmem'), nstype: attribute(() => (p.dimm === null ? 4 : 5)), resource: attribute(() => hex(p.regionStart)), size: attribute(() => p.regionSize),
    align: attribute(() => hex(p.regionAlign ?? 0x1000000)), numa_node: attribute(() => p.node), ...(p.persistenceDomain === undefined ? {} : { persistence_domain: attribute(() => p.persistenceDomain ?? '') }), namespace_seed: attribute(() => `${p.namespace.split('.')[0]}.9`),
    ...(p.dimm === null ? { mappings: attribute(() => 0) } : { mappings: attribute(() => 1), mapping0: attribute(() => `${p.dimm},0,${p.regionSize},0`) }),
    subsystem: link(`${up(region)}/bus/nd`), ...(state === 'bound' ? { driver: link(`${up(region)}/bus/nd/drivers/nd_region`) } : {}),
  });
  if (state === 'unbound') return region;
  const namespace = `${region}/${p.namespace}`;
  put(paths, namespace, {
    mode: attribute(() => mode), resource: attribute(() => hex(p.start)), size: attribute(() => p.size), uuid: attribute(() => p.uuid), numa_node: attribute(() => p.node),
    ...(p.sectorSize === undefined ? {} : { sector_size: attribute(() => `[${p.sectorSize}]`) }), holder: attribute(() => holder ?? ''), subsystem: link(`${up(namespace)}/bus/nd`),
  });
  return region;
}

function pmemPaths(world: World, paths: Paths, p: PmemPlace): void {
  const { k } = world;
  const region = ndParents(k, paths, p, p.btt === true ? 'safe' : 'memory', p.claimant);
  if (ndRegionState(k, p.region) !== 'bound') return;
  const own = p.claimant === null ? `${region}/${p.namespace}` : `${region}/${p.claimant}`;
  const bound = deviceDriver(k, p.device) !== 0;
  if (p.btt === true) {
    put(paths, own, {
      namespace: attribute(() => p.namespace), sector_size: attribute(() => `[${p.sectorSize ?? 4096}]`), uuid: attribute(() => p.uuid), numa_node: attribute(() => p.node), subsystem: link(`${up(own)}/bus/nd`),
      ...(bound ? { size: attribute(() => diskBytes(k, p.device)) } : {}),
    });
  } else if (p.claimant !== null) {
    put(paths, own, {
      namespace: attribute(() => p.namespace), mode: attribute(() => (p.memmap === 'dev' ? 'pmem' : 'ram')), align: attribute(() => p.align), numa_node: attribute(() => p.node), uuid: attribute(() => p.uuid),
      subsystem: link(`${up(own)}/bus/nd`),
      ...(bound ? { resource: attribute(() => hex(p.start + p.dataOffset)), size: attribute(() => p.size - p.dataOffset) } : {}),
    });
  }
  put(paths, own, { driver: driverLink(k, own, 'nd', p.device) });
  if (bound && k.heap.load(deviceData(k, p.device) + PMEM.diskGone) === 0) {
    put(paths, `${own}/block/${p.block}`, {
      dev: attribute(() => p.dev), size: attribute(() => Math.floor((p.btt === true ? diskBytes(k, p.device) : p.size - p.dataOffset) / 512)), holders: directory({}), slaves: directory({}),
      queue: directory({ dax: attribute(() => (p.btt === true ? 0 : 1)) }), badblocks: attribute(() => ''), subsystem: link(`${up(own)}/../../class/block`),
    });
  }
}

const diskBytes = (k: Kernel, device: number): number => (pmemEnd(k, deviceData(k, device)) - pmemData(k, deviceData(k, device))) * k.geo.pageSize;

/** Disks of PCI cards: there while their driver is. */
function diskPaths({ k }: World, paths: Paths, d: DiskPlace): void {
  if (!busDevices(k, 'pci').includes(d.device)) return;
  put(paths, d.path, { class: attribute(() => '0x010000'), vendor: attribute(() => '0x1af4'), device: attribute(() => '0x1042'), subsystem: link(`${up(d.path)}/bus/pci`), driver: driverLink(k, d.path, 'pci', d.device) });
  if (deviceDriver(k, d.device) === 0) return;
  put(paths, `${d.path}/virtio0/block/${d.block}`, { dev: attribute(() => d.dev), size: attribute(() => d.size / 512), holders: directory({}), slaves: directory({}), queue: directory({ dax: attribute(() => 0) }), subsystem: link(`${up(d.path)}/../../../class/block`) });
}

function daxPaths(world: World, paths: Paths, d: DaxPlace): void {
  const { k } = world;
  if (!busDevices(k, 'dax').includes(d.device)) return;
  if (d.pmem !== null && ndRegionState(k, d.pmem.region) !== 'bound') {
    ndParents(k, paths, d.pmem, 'dax', d.pmem.claimant);
    return;
  }
  if (d.pmem !== null) {
    const region = ndParents(k, paths, d.pmem, 'dax', d.pmem.claimant);
    put(paths, `${region}/${d.pmem.claimant}`, {
      namespace: attribute(() => d.pmem?.namespace ?? ''), mode: attribute(() => (d.pmem?.memmap === 'dev' ? 'pmem' : 'ram')), align: attribute(() => d.align), numa_node: attribute(() => d.pmem?.node ?? 0),
      uuid: attribute(() => d.pmem?.uuid ?? ''), resource: attribute(() => hex((d.pmem?.start ?? 0) + (d.pmem?.dataOffset ?? 0))),
      size: attribute(() => (d.pmem?.size ?? 0) - (d.pmem?.dataOffset ?? 0)), driver: link(`${up(`${region}/x`)}/bus/nd/drivers/dax_pmem`), subsystem: link(`${up(`${region}/x`)}/bus/nd`),
    });
  }
  const ranges = devDaxRanges(k, d.device);
  const state = kmemState(k, d.device);
  put(paths, d.path, {
    align: attribute(() => d.align), dev: attribute(() => d.dev), size: attribute(() => ranges.reduce((sum, r) => sum + r.end - r.start, 0)), target_node: attribute(() => d.targetNode),
    numa_node: attribute(() => d.numaNode ?? d.pmem?.node ?? d.targetNode), resource: attribute(() => hex(ranges[0]?.start ?? 0)), subsystem: link(`${up(d.path)}/bus/dax`), driver: driverLink(k, d.path, 'dax', d.device),
    ...(k.mechanism('ram.memmap-on-memory-attribute') ? { memmap_on_memory: attribute(() => k.heap.load(kmemOf(k, d.device) + DEV_DAX.memmapOnMemory)) } : {}),
    state: state === null ? null : attribute(() => kmemState(k, d.device) ?? 'unplugged', (text, signal) => stateWrite(k, d.device, text, signal)),
  });
  ranges.forEach((r, i) => put(paths, `${d.path}/mapping${i}`, { start: attribute(() => hex(r.start)), end: attribute(() => hex(r.end - 1)), page_offset: attribute(() => '0x0') }));
}

function idlePaths(k: Kernel, paths: Paths, p: IdlePlace): void {
  const region = ndParents(k, paths, p, 'safe', p.claimant);
  if (ndRegionState(k, p.region) !== 'bound') return;
  const own = `${region}/${p.claimant}`;
  put(paths, own, { namespace: attribute(() => p.namespace), sector_size: attribute(() => `[${p.sectorSize}]`), uuid: attribute(() => p.uuid), numa_node: attribute(() => p.node), subsystem: link(`${up(own)}/bus/nd`) });
}

const STATE_WORDS: ReadonlyMap<string, number> = new Map([['unplugged', UNPLUGGED], ['online', MMOP.online], ['online_kernel', MMOP.onlineKernel], ['online_movable', MMOP.onlineMovable]]);

function* stateWrite(k: Kernel, device: number, text: string, signal: number): Path<number> {
  const word = STATE_WORDS.get(text.trim());
  if (word === undefined) return -EINVAL;
  const rc = yield* k.call(kmemStateStore, device, word, signal);
  return rc < 0 ? rc : text.length;
}

/** Every path below /sys/devices that belongs to the nd and dax buses, without the leading /sys. */
export function devicePaths(world: World): Paths {
  const paths: Paths = new Map();
  for (const p of world.pmems) pmemPaths(world, paths, p);
  for (const d of world.daxes) daxPaths(world, paths, d);
  for (const d of world.disks ?? []) diskPaths(world, paths, d);
  for (const p of world.idle ?? []) idlePaths(world.k, paths, p);
  for (const b of world.ndBuses ?? []) put(paths, b.path, { provider: attribute(() => b.provider), subsystem: link(`${up(b.path)}/bus/nd`) });
  return new Map([...hotplugPaths(world), ...[...paths].map(([path, node]) => [path.replace(/^\/sys\//, ''), node] as const)]);
}

/** Buses whose devices are shown. */
export type BusName = 'nd' | 'dax' | 'virtio' | 'cxl' | 'pci';

/** Real directories of the devices of a bus, by name. */
function placesOn(world: World, bus: BusName): Map<string, string> {
  if (bus === 'pci') return new Map([...hotplugPlaces(world, bus), ...(world.disks ?? []).filter((d) => busDevices(world.k, 'pci').includes(d.device)).map((d) => [d.path.split('/').at(-1) ?? '', d.path] as const)]);
  if (bus === 'virtio' || bus === 'cxl') return hotplugPlaces(world, bus);
  const places = new Map<string, string>();
  if (bus === 'dax') for (const d of world.daxes) if (busDevices(world.k, 'dax').includes(d.device) && (d.pmem === null || ndRegionState(world.k, d.pmem.region) === 'bound')) places.set(d.name, d.path);
  if (bus === 'nd') for (const b of world.ndBuses ?? []) places.set(b.name, b.path);
  const nd: Pmem[] = bus === 'dax' ? [] : [...world.pmems, ...world.daxes.flatMap((d) => (d.pmem === null ? [] : [d.pmem])), ...(world.idle ?? [])];
  for (const p of nd) {
    const region = `${p.busPath}/${p.region}`;
    const state = ndRegionState(world.k, p.region);
    places.set(p.bus, p.busPath);
    if (state !== 'gone') places.set(p.region, region);
    if (p.dimm !== null) places.set(p.dimm, `${p.busPath}/${p.dimm}`);
    if (state !== 'bound') continue;
    places.set(p.namespace, `${region}/${p.namespace}`);
    if (p.claimant !== null) places.set(p.claimant, `${region}/${p.claimant}`);
  }
  return places;
}

/** What sysfs does not show is no device: namespaces are kept while their region is gone (drivers/nvdimm/region.ts). */
function* store(world: World, bus: BusName, kept: string, driver: number, text: string, bind: boolean): Path<number> {
  const { k } = world;
  const device = placesOn(world, bus).has(text.trim()) ? findDevice(k, kept, text.trim()) : 0;
  if (device === 0) return -ENODEV;
  const rc = yield* k.call(bind ? bindStore : unbindStore, driver, device);
  return rc < 0 ? rc : text.length;
}

/**
 * new_id_store of drivers/dax/bus.c: the driver tries the device if nobody has it, and what its probe says is not told
 * to the writer. With its name as an id device_dax takes a device that is for kmem too. An id for a device that another
 * driver has is not kept here.
 */
function* newIdStore(k: Kernel, driver: number, text: string): Path<number> {
  if (!/^dax\d+\.\d+$/.test(text.trim())) return -EINVAL;
  const device = findDevice(k, 'dax', text.trim());
  if (device === 0 || deviceDriver(k, device) !== 0) return text.length;
  if (driverCore(k).driver(driver).name === DEVICE_DAX.name) k.heap.store(deviceData(k, device) + DEVDAX.kmemType, 0);
  yield* k.call(bindStore, driver, device);
  return text.length;
}

/** `kept`: the simulated bus that keeps the devices, where it is not the one that shows them. */
const driverDirectory = (world: World, bus: BusName, driver: number, kept: string = bus): DirectoryNode => {
  const { k } = world;
  const bound = (): number[] => busDevices(k, kept).filter((device) => deviceDriver(k, device) === driver);
  return overlay(
    directory({
      bind: writeOnly((text) => store(world, bus, kept, driver, text, true)), unbind: writeOnly((text) => store(world, bus, kept, driver, text, false)),
      ...(bus === 'dax' ? { new_id: writeOnly((text) => newIdStore(k, driver, text)) } : {}),
    }),
    listing(() => bound().map((device) => deviceName(k, device)), (name) => {
      const place = placesOn(world, bus).get(name);
      return place === undefined || !bound().some((device) => deviceName(k, device) === name) ? null : link(`../../../..${place.replace(/^\/sys/, '')}`);
    }),
  );
};

export function busDirectory(world: World, bus: BusName): DirectoryNode {
  const core = driverCore(world.k);
  const drivers = (): number[] => [...core.bus(bus).drivers, ...(bus === 'nd' ? core.bus(ND_REGION_BUS).drivers : [])].filter((driver) => core.isLoaded(driver));
  return directory({
    devices: listing(() => [...placesOn(world, bus).keys()], (name) => {
      const place = placesOn(world, bus).get(name);
      return place === undefined ? null : link(`../../..${place.replace(/^\/sys/, '')}`);
    }),
    drivers: listing(() => drivers().map((driver) => core.driver(driver).name), (name) => {
      const driver = drivers().find((number) => core.driver(number).name === name);
      return driver === undefined ? null : driverDirectory(world, bus, driver, core.busOf(driver).name);
    }),
  });
}

/** /sys/block and /sys/class/block: links to the disks that are there. */
export const blockLinks = (world: World, depth: string): DirectoryNode => {
  const there = ({ device }: { readonly device: number }): boolean => deviceDriver(world.k, device) !== 0 && world.k.heap.load(deviceData(world.k, device) + PMEM.diskGone) === 0;
  const places = (): Map<string, string> => new Map([
    ...world.pmems.filter(there).map((p) => [p.block, `${p.busPath}/${p.region}/${p.claimant ?? p.namespace}/block/${p.block}`] as const),
    ...(world.disks ?? []).filter((d) => busDevices(world.k, 'pci').includes(d.device) && there(d)).map((d) => [d.block, `${d.path}/virtio0/block/${d.block}`] as const),
  ]);
  return listing(() => [...places().keys()], (name) => {
    const place = places().get(name);
    return place === undefined ? null : link(`${depth}${place.replace(/^\/sys/, '')}`);
  });
};

/** /sys/dev/block and /sys/dev/char: links by number. */
export const numberLinks = (world: World, kind: 'block' | 'char'): DirectoryNode => {
  const all = (): Map<string, string> => kind === 'char'
    ? new Map(world.daxes.map((d) => [d.dev, `../../${d.path.replace(/^\/sys\//, '')}`]))
    : new Map([...world.pmems, ...(world.disks ?? [])].filter((p) => blockLinks(world, '').get(p.block) !== null).map((p) => [p.dev, `../../block/${p.block}`]));
  return listing(() => [...all().keys()], (name) => {
    const target = all().get(name);
    return target === undefined ? null : link(target);
  });
};
