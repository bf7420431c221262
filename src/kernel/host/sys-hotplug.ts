/** virtio-mem devices, DIMMs, PCI slots and CXL in sysfs (Documentation/ABI/testing/sysfs-bus-cxl, sysfs-bus-pci, sysfs-firmware-acpi). */
import { dimmPresent, DIMM } from '../drivers/acpi/memhotplug.ts';
import { busDevices, deviceDriver, driverCore } from '../drivers/base/bus.ts';
import { blocksIn, memoryBlocks } from '../drivers/base/memory.ts';
import { MEMDEV, regionCommitted, regionEnd, regionStart, REGION, REGION_MODE, regionTargets } from '../drivers/cxl/cxl.ts';
import { commitStore } from '../drivers/cxl/region.ts';
import { acpiphpEject } from '../drivers/pci/acpiphp.ts';
import { powerStore } from '../drivers/pci/pciehp.ts';
import { SLOT, SLOT_KIND } from '../drivers/pci/slot.ts';
import { VM } from '../drivers/virtio/virtio_mem.ts';
import { EINVAL } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { writeEject } from '../setup/dimm.ts';
import { loadLong } from '../state/long.ts';
import type { Path } from '../state/path.ts';
import { attribute, directory, link, writeOnly, type DirectoryNode, type Node } from './vfs.ts';
import type { CardPlace, World } from './world.ts';

const hex = (n: number): string => `0x${n.toString(16)}`;
const up = (path: string): string => path.split('/').filter((p) => p !== '').slice(1).map(() => '..').join('/');
const ROOT = '/sys/devices/platform/ACPI0017:00/root0';
const isThere = (k: Kernel, bus: string, device: number): boolean => device !== 0 && busDevices(k, bus).includes(device);

export const virtioPath = (index: number, name: string): string => `/sys/devices/pci0000:00/0000:00:0${index + 5}.0/${name}`;
export const memdevPath = (card: CardPlace): string => `/sys/devices/pci0000:0c/0000:0c:0${card.index}.0/${card.pci}/${card.name}`;
export const regionPath = (card: CardPlace): string => `${ROOT}/decoder0.0/${card.regionName}`;
export const dimmPath = (name: string): string => `/sys/devices/LNXSYSTM:00/LNXSYBUS:00/${name}`;

function driverLink(k: Kernel, path: string, bus: string, device: number): Record<string, Node> {
  const driver = deviceDriver(k, device);
  return driver === 0 ? {} : { driver: link(`${up(path)}/bus/${bus}/drivers/${driverCore(k).driver(driver).name}`) };
}

/** Real directories by bus and name, for the links of the buses. Devices that are gone are not among them. */
export function hotplugPlaces(world: World, bus: 'virtio' | 'cxl' | 'pci' | 'acpi'): Map<string, string> {
  const { k, hotplug } = world;
  const places = new Map<string, string>();
  if (hotplug === undefined) return places;
  if (bus === 'virtio') hotplug.virtioMems.forEach((v, i) => places.set(v.name, v.path ?? virtioPath(i, v.name)));
  if (bus === 'acpi') for (const d of hotplug.dimms) places.set(d.name, dimmPath(d.name));
  for (const card of hotplug.cards) {
    if (bus === 'pci' && isThere(k, 'pci', pciOf(k, card))) places.set(card.pci, memdevPath(card).replace(/\/mem\d+$/, ''));
    if (bus !== 'cxl') continue;
    places.set('root0', ROOT).set('decoder0.0', `${ROOT}/decoder0.0`);
    if (isThere(k, 'cxl', memOf(k, card))) {
      places.set(card.name, memdevPath(card)).set(`endpoint${card.index + 2}`, `${ROOT}/endpoint${card.index + 2}`).set(`decoder${card.index + 2}.0`, `${ROOT}/endpoint${card.index + 2}/decoder${card.index + 2}.0`);
    }
    if (card.region !== 0) places.set(card.regionName, regionPath(card));
  }
  return places;
}

const pciOf = (k: Kernel, card: CardPlace): number => k.heap.load(card.memdev + MEMDEV.pci);
const memOf = (k: Kernel, card: CardPlace): number => k.heap.load(card.memdev + MEMDEV.dev);

/** Every path below /sys/devices, without the leading /sys. */
export function hotplugPaths(world: World): Map<string, Node> {
  const { k, hotplug } = world;
  const paths = new Map<string, Node>();
  if (hotplug === undefined) return paths;
  const put = (path: string, entries: Readonly<Record<string, Node>>): void => { for (const [name, node] of Object.entries(entries)) paths.set(`${path.replace(/^\/sys\//, '')}/${name}`, node); };
  hotplug.virtioMems.forEach(({ name, vm, path: place }, i) => {
    const path = place ?? virtioPath(i, name);
    put(path, { device: attribute(() => '0x0018'), vendor: attribute(() => '0x1af4'), subsystem: link(`${up(path)}/bus/virtio`), ...driverLink(k, path, 'virtio', k.heap.load(vm + VM.dev)) });
  });
  for (const { name, dimm } of hotplug.dimms) put(dimmPath(name), dimmFiles(k, dimm));
  for (const card of hotplug.cards) {
    if (isThere(k, 'pci', pciOf(k, card))) {
      const path = memdevPath(card).replace(/\/mem\d+$/, '');
      put(path, { class: attribute(() => '0x050210'), vendor: attribute(() => '0x8086'), device: attribute(() => '0x0d93'), subsystem: link(`${up(path)}/bus/pci`), ...driverLink(k, path, 'pci', pciOf(k, card)) });
    }
    if (isThere(k, 'cxl', memOf(k, card))) put(memdevPath(card), memdevFiles(k, card));
    put(ROOT, { uport: link(`${up(ROOT)}/devices/platform/ACPI0017:00`), decoders_committed: attribute(() => 0), ...decoder('0.0', 'cxl_decoder_root', 0, 0, '') });
    if (isThere(k, 'cxl', memOf(k, card))) put(`${ROOT}/endpoint${card.index + 2}`, endpointFiles(k, card));
    if (card.region !== 0) put(regionPath(card), regionFiles(k, hotplug.cards, card));
  }
  return paths;
}

function dimmFiles(k: Kernel, dimm: number): Record<string, Node> {
  const files: Record<string, Node> = { status: attribute(() => (dimmPresent(k, dimm) ? 15 : 0)), eject: writeOnly((text) => ejectStore(k, dimm, text)) };
  const [start, size] = [loadLong(k.heap, dimm + DIMM.addr), loadLong(k.heap, dimm + DIMM.size)];
  const blocks = [...blocksIn(k, start, size)].filter((id) => memoryBlocks(k).find(id) !== 0);
  if (dimmPresent(k, dimm)) blocks.forEach((id, i) => { files[`physical_node${i === 0 ? '' : i}`] = link(`../../../system/memory/memory${id}`); });
  return files;
}

function* ejectStore(k: Kernel, dimm: number, text: string): Path<number> {
  if (text.trim() !== '1') return -EINVAL;
  writeEject(k, dimm);
  return text.length;
}

function memdevFiles(k: Kernel, card: CardPlace): Record<string, Node> {
  const path = memdevPath(card);
  const size = (kind: 'ram' | 'pmem'): DirectoryNode => directory({ size: attribute(() => hex(card.memory === (kind === 'ram' ? 'volatile' : 'persistent') ? card.size : 0)) });
  return {
    serial: attribute(() => hex(card.index + 1)), ram: size('ram'), pmem: size('pmem'), numa_node: attribute(() => 0), firmware_version: attribute(() => 'BWFW VERSION 00'),
    subsystem: link(`${up(path)}/bus/cxl`), ...driverLink(k, path, 'cxl', memOf(k, card)),
  };
}

const decoder = (name: string, devtype: string, start: number, size: number, region: string): Record<string, Node> => ({
  [`decoder${name}`]: directory({
    devtype: attribute(() => devtype), start: attribute(() => hex(start)), size: attribute(() => hex(size)), region: attribute(() => region), locked: attribute(() => 0), target_type: attribute(() => 'expander'),
    mode: attribute(() => 'ram'), interleave_ways: attribute(() => 1), interleave_granularity: attribute(() => 256),
  }),
});

function endpointFiles(k: Kernel, card: CardPlace): Record<string, Node> {
  const committed = card.region !== 0 && regionCommitted(k, card.region);
  const [start, size] = committed ? [regionStart(k, card.region), regionEnd(k, card.region) - regionStart(k, card.region)] : [0, 0];
  const path = `${ROOT}/endpoint${card.index + 2}`;
  return {
    uport: link(`${up(path)}${memdevPath(card).replace(/^\/sys/, '')}`), decoders_committed: attribute(() => (committed ? 1 : 0)),
    ...decoder(`${card.index + 2}.0`, 'cxl_decoder_endpoint', start, size, committed ? card.regionName : ''),
  };
}

function regionFiles(k: Kernel, cards: readonly CardPlace[], card: CardPlace): Record<string, Node> {
  const { region } = card;
  const path = regionPath(card);
  const targets = regionTargets(k, region);
  const pmem = k.heap.load(region + REGION.mode) === REGION_MODE.pmem;
  const files: Record<string, Node> = {
    resource: attribute(() => hex(regionStart(k, region))), size: attribute(() => hex(regionEnd(k, region) - regionStart(k, region))), mode: attribute(() => (pmem ? 'pmem' : 'ram')),
    commit: attribute(() => (regionCommitted(k, region) ? 1 : 0), (text) => commitWrite(k, region, text)), interleave_ways: attribute(() => targets.length), interleave_granularity: attribute(() => 256),
    subsystem: link(`${up(path)}/bus/cxl`), ...driverLink(k, path, 'cxl', k.heap.load(region + REGION.dev)), ...(pmem ? { [`pmem_${card.regionName}`]: directory({}) } : {}),
  };
  targets.forEach((memdev, i) => { files[`target${i}`] = attribute(() => (regionCommitted(k, region) ? `decoder${(cards.find((c) => c.memdev === memdev)?.index ?? 0) + 2}.0` : '')); });
  return files;
}

function* commitWrite(k: Kernel, region: number, text: string): Path<number> {
  const rc = yield* k.call(commitStore, region, text.trim() === '1' ? 1 : 0);
  return rc < 0 ? rc : text.length;
}

/** /sys/bus/pci/slots: real directories. */
export const slotDirectory = (world: World): DirectoryNode => directory(Object.fromEntries((world.hotplug?.slots ?? []).map(({ name, slot, address }) => [name, oneSlot(world.k, slot, address)])));

function oneSlot(k: Kernel, slot: number, address: string): DirectoryNode {
  const acpi = k.heap.load(slot + SLOT.kind) === SLOT_KIND.acpiphp;
  return directory({
    address: attribute(() => address), adapter: attribute(() => k.heap.load(slot + SLOT.adapter)), power: attribute(() => k.heap.load(slot + SLOT.power), (text) => powerWrite(k, slot, acpi, text)),
    attention: acpi ? { type: 'file', read: () => ({ errno: 'EINVAL' }) } : attribute(() => k.heap.load(slot + SLOT.attention), (text) => attentionWrite(k, slot, text)), ...(acpi ? { latch: attribute(() => 1 - k.heap.load(slot + SLOT.power)) } : {}),
    cur_bus_speed: attribute(() => '2.5 GT/s PCIe'), max_bus_speed: attribute(() => '16.0 GT/s PCIe'),
  });
}

/** attention_write_file: 0 off, 1 on, 2 blinking; pciehp masks what is more than the two bits of the indicator. */
function* attentionWrite(k: Kernel, slot: number, text: string): Path<number> {
  if (!/^\d+$/.test(text.trim())) return -EINVAL;
  k.heap.store(slot + SLOT.attention, Number(text.trim()) & 3);
  return text.length;
}

function* powerWrite(k: Kernel, slot: number, acpi: boolean, text: string): Path<number> {
  const on = text.trim() === '1' ? 1 : 0;
  const rc = acpi && on === 0 ? yield* k.call(acpiphpEject, slot) : yield* k.call(powerStore, slot, on);
  return rc < 0 ? rc : text.length;
}

