/** virtio-mem devices, DIMMs and PCI slots in sysfs (Documentation/ABI/testing/sysfs-bus-pci, sysfs-firmware-acpi). */
import { dimmPresent, DIMM } from '../drivers/acpi/memhotplug.ts';
import { deviceDriver, driverCore } from '../drivers/base/bus.ts';
import { blocksIn, memoryBlocks } from '../drivers/base/memory.ts';
import { acpiphpEject } from '../drivers/pci/acpiphp.ts';
import { powerStore } from '../drivers/pci/pciehp.ts';
import { SLOT, SLOT_KIND } from '../drivers/pci/slot.ts';
import { VM } from '../drivers/virtio/virtio_mem.ts';
import { EINVAL } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { writeEject } from '../setup/dimm.ts';
import { loadLong } from '../state/long.ts';
import type { Path } from '../state/path.ts';
import { cxlPaths, cxlPlaces } from './sys-cxl.ts';
import { attribute, directory, link, writeOnly, type DirectoryNode, type Node } from './vfs.ts';
import type { World } from './world.ts';

const up = (path: string): string => path.split('/').filter((p) => p !== '').slice(1).map(() => '..').join('/');

export const virtioPath = (index: number, name: string): string => `/sys/devices/pci0000:00/0000:00:0${index + 5}.0/${name}`;
export const dimmPath = (name: string): string => `/sys/devices/LNXSYSTM:00/LNXSYBUS:00/${name}`;

function driverLink(k: Kernel, path: string, bus: string, device: number): Record<string, Node> {
  const driver = deviceDriver(k, device);
  return driver === 0 ? {} : { driver: link(`${up(path)}/bus/${bus}/drivers/${driverCore(k).driver(driver).name}`) };
}

/** Real directories by bus and name, for the links of the buses. Devices that are gone are not among them. */
export function hotplugPlaces(world: World, bus: 'virtio' | 'cxl' | 'pci' | 'acpi'): Map<string, string> {
  const { hotplug } = world;
  const places = new Map<string, string>();
  if (hotplug === undefined) return places;
  if (bus === 'virtio') hotplug.virtioMems.forEach((v, i) => places.set(v.name, v.path ?? virtioPath(i, v.name)));
  if (bus === 'acpi') for (const d of hotplug.dimms) places.set(d.name, dimmPath(d.name));
  if (bus === 'cxl' || bus === 'pci') return cxlPlaces(world, bus);
  return places;
}

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
  for (const [path, node] of cxlPaths(world)) paths.set(path.replace(/^\/sys\//, ''), node);
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

