/** The root directory of a simulated machine: /proc, /sys, /dev. */
import { eachProcess, findTask, taskPid, tasksOf } from '../task.ts';
import { iomemText } from '../resource.ts';
import { busDevices, deviceDriver } from '../drivers/base/bus.ts';
import type { Path } from '../state/path.ts';
import { EINVAL } from '../errno.ts';
import { mountinfo, swapsText } from './proc-mounts.ts';
import { processDirectory } from './proc-process.ts';
import { kpageflags } from './proc-kpage.ts';
import { blockLinks, busDirectory, devicePaths, numberLinks } from './sys-devices.ts';
import { meminfoText, memoryDirectory, nodesDirectory, zoneinfoText } from './sys-memory.ts';
import { hotplugPlaces, slotDirectory } from './sys-hotplug.ts';
import { readBlock } from './superblock.ts';
import { attribute, directory, file, fromPaths, link, listing, overlay, type DeviceNode, type DirectoryNode } from './vfs.ts';
import { FIRST_NAMESPACE, type World } from './world.ts';
import { hotplug } from '../mm/memory_hotplug/hotplug.ts';

export function rootDirectory(world: World): DirectoryNode {
  return directory({ dev: () => devDirectory(world), proc: () => procDirectory(world), sys: () => sysDirectory(world), tmp: directory({}), run: directory({}), var: directory({ lib: directory({}) }) });
}

function procDirectory(world: World): DirectoryNode {
  const { k } = world;
  const fixed = directory({
    cmdline: file(() => `${world.cmdline}\n`),
    iomem: file(() => iomemText(k)),
    kpageflags: kpageflags(k),
    meminfo: file(() => meminfoText(k)),
    mounts: link('self/mounts'),
    swaps: file(() => swapsText(world)),
    version: file(() => `Linux version ${world.release} (simulated) ${world.version}\n`),
    zoneinfo: file(() => zoneinfoText(k)),
    sys: directory({ vm: directory({ memory_failure_early_kill: attribute(() => k.heap.load(tasksOf(k).earlyKill), (text) => storeEarlyKill(world, text)) }) }),
    self: directory({ mountinfo: file(() => mountinfo(world, FIRST_NAMESPACE)), ns: directory({ mnt: link(`mnt:[${FIRST_NAMESPACE}]`) }) }),
  });
  const processes = listing(
    () => [...eachProcess(k)].filter((task) => processDirectory(world, task) !== null).map((task) => String(taskPid(k, task))),
    (name) => {
      const task = /^\d+$/.test(name) ? findTask(k, Number(name)) : 0;
      return task === 0 ? null : processDirectory(world, task);
    },
  );
  return overlay(fixed, processes);
}

function* storeEarlyKill(world: World, text: string): Path<number> {
  const value = Number(text.trim());
  if (value !== 0 && value !== 1) return -EINVAL;
  world.k.heap.store(tasksOf(world.k).earlyKill, value);
  return text.length;
}

function sysDirectory(world: World): DirectoryNode {
  const { k } = world;
  return directory({
    block: blockLinks(world, '..'),
    bus: directory({ nd: () => busDirectory(world, 'nd'), dax: () => busDirectory(world, 'dax'), cxl: () => busDirectory(world, 'cxl'), virtio: () => busDirectory(world, 'virtio'), pci: () => overlay(busDirectory(world, 'pci'), directory({ slots: () => slotDirectory(world) })), acpi: directory({ devices: () => acpiDevices(world) }) }),
    class: directory({ block: blockLinks(world, '../..') }),
    dev: directory({ block: numberLinks(world, 'block'), char: numberLinks(world, 'char') }),
    devices: () => {
      const made = fromPaths(devicePaths(world)).get('devices');
      const system = directory({ system: directory({ memory: memoryDirectory(k), node: nodesDirectory(k, world.cpus) }) });
      return made !== null && made.type === 'directory' ? overlay(system, made) : system;
    },
    module: directory({ memory_hotplug: directory({ parameters: directory({ memmap_on_memory: attribute(() => (k.heap.load(hotplug(k).memmapOnMemory) !== 0 ? 'Y' : 'N')) }) }) }),
  });
}

const acpiDevices = (world: World): DirectoryNode => directory(Object.fromEntries([...hotplugPlaces(world, 'acpi')].map(([name, path]) => [name, link(`../../..${path.replace(/^\/sys/, '')}`)])));

function devDirectory(world: World): DirectoryNode {
  const nodes = new Map<string, DeviceNode>();
  for (const p of world.pmems) if (deviceDriver(world.k, p.device) !== 0) nodes.set(p.block, { type: 'block', rdev: p.dev, ...(world.blocksUnreadable === true ? {} : { readAt: (offset: number, into: Uint8Array) => readBlock(world, p.dev, offset, into) }) });
  for (const d of world.disks ?? []) if (deviceDriver(world.k, d.device) !== 0) nodes.set(d.block, { type: 'block', rdev: d.dev });
  for (const d of world.daxes) if (busDevices(world.k, 'dax').includes(d.device)) nodes.set(d.name, { type: 'char', rdev: d.dev });
  return listing(() => [...nodes.keys(), 'null'], (name) => nodes.get(name) ?? (name === 'null' ? { type: 'char', rdev: '1:3' } : null));
}
