/** Predicates of devices, memory blocks, file systems and slots. A predicate reads the heap and results of threads, and nothing else. */
import { dimmPresent, OST, ostEvents } from '../../kernel/drivers/acpi/memhotplug.ts';
import { vmPlugged } from '../../kernel/drivers/virtio/virtio_mem.ts';
import { blockState, blockZone, MEM, memoryBlocks } from '../../kernel/drivers/base/memory.ts';
import { deviceDriver } from '../../kernel/drivers/base/bus.ts';
import { SLOT } from '../../kernel/drivers/pci/slot.ts';
import { daxAlive } from '../../kernel/drivers/dax/super.ts';
import { SB, SB_SHUTDOWN, sbHas } from '../../kernel/fs/inode.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { physWrite } from '../../kernel/mm/physmem.ts';
import { walkResources } from '../../kernel/resource.ts';
import { PAGE_SIZE } from './geometry.ts';
import { drivenOf, missing, pmemOf, ramOf, slotOf, type Predicate } from './subjects.ts';

export const DEVICE_PREDICATES: Readonly<Record<string, Predicate>> = {
  'online-but-gone': {
    takes: 'RAM', says: 'a memory block is online and nothing answers at its addresses',
    make: (s, [name]) => {
      const device = ramOf(s, name);
      return (k) => !physWrite(k, device.range[0]) && device.blocks.some((id) => blockState(k, id) === MEM.online);
    },
  },
  'block-online': blockIs(MEM.online, 'a block of it is online'),
  'block-offline': blockIs(MEM.offline, 'a block of it is offline'),
  'block-absent': blockIs(MEM.absent, 'a block of it is not there'),
  'block-zones-differ': {
    takes: 'RAM', says: 'its online blocks lie in different zones, and none in two',
    make: (s, [name]) => {
      const device = ramOf(s, name);
      return (k) => {
        const zones = device.blocks.map((id) => blockZone(k, memoryBlocks(k).find(id)));
        return zones.every((zone) => zone >= 0) && new Set(zones).size === zones.length;
      };
    },
  },
  'region-leaked': {
    takes: 'DEVICE', says: 'no driver has the device and /proc/iomem still shows a claim in its range',
    make: (s, [name]) => {
      const device = drivenOf(s, name);
      const [start, end] = device.range.map((pfn) => pfn * PAGE_SIZE) as [number, number];
      return (k) => deviceDriver(k, device.dev) === 0 && claims(k, start, end);
    },
  },
  bound: {
    takes: 'DEVICE', says: 'a driver has the device',
    make: (s, [name]) => {
      const device = drivenOf(s, name);
      return (k) => deviceDriver(k, device.dev) !== 0;
    },
  },
  'shut-down': {
    takes: 'DEVICE', says: 'the file system on it has been shut down',
    make: (s, [name]) => { const device = pmemOf(s, name); return (k) => sbHas(k, device.sb, SB_SHUTDOWN); },
  },
  'mounted-dead': {
    takes: 'DEVICE', says: 'its file system is mounted and the dax device is dead',
    make: (s, [name]) => {
      const device = pmemOf(s, name);
      if (device.sb === 0) throw missing(`${name ?? ''} has no file system`);
      const dax = s.built.k.heap.load(device.sb + SB.daxDev);
      return (k) => k.heap.load(device.sb + SB.mounts) > 0 && !daxAlive(k, dax);
    },
  },
  'slot-powered': {
    takes: 'SLOT', says: 'the slot has power',
    make: (s, [name]) => { const slot = slotOf(s, name); return (k) => k.heap.load(slot + SLOT.power) !== 0; },
  },
  'slot-empty': {
    takes: 'SLOT', says: 'no card is in the slot, or it has no power',
    make: (s, [name]) => { const slot = slotOf(s, name); return (k) => k.heap.load(slot + SLOT.power) === 0 || k.heap.load(slot + SLOT.adapter) === 0; },
  },
  ejected: { takes: 'RAM', says: 'the DIMM has gone', make: (s, [name]) => { const { dimm } = ramOf(s, name); return (k) => !dimmPresent(k, dimm); } },
  vetoed: {
    takes: 'RAM', says: 'the last _OST of the DIMM said device busy',
    make: (s, [name]) => { const { dimm } = ramOf(s, name); return (k) => ostEvents(k, dimm).at(-1)?.[1] === OST.deviceBusy; },
  },
  plugged: {
    takes: 'RAM above|is N', says: 'so many MiB of the virtio-mem device are plugged',
    make: (s, [name, how, text]) => {
      const { virtioMem } = ramOf(s, name);
      const n = Number(text) * 1048576;
      if (!Number.isInteger(n) || !['is', 'above'].includes(how ?? '')) throw missing('plugged wants RAM above|is N');
      return (k) => (how === 'is' ? vmPlugged(k, virtioMem) === n : vmPlugged(k, virtioMem) > n);
    },
  },
};

function claims(k: Kernel, start: number, end: number): boolean {
  for (const view of walkResources(k)) {
    const from = view.start;
    if (from >= start && from < end && !['Persistent Memory', 'Soft Reserved'].includes(view.name)) return true;
  }
  return false;
}

function blockIs(state: number, says: string): Predicate {
  return {
    takes: 'RAM', says,
    make: (s, [name]) => {
      const device = ramOf(s, name);
      return (k) => device.blocks.some((id) => blockState(k, id) === state);
    },
  };
}
