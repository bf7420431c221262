/** What litmus tests forbid or ask for, by name. A predicate reads the heap and results of threads, and nothing else. */
import { UnseatError } from '../../errors/unseat-error.ts';
import { dimmPresent, OST, ostEvents } from '../../kernel/drivers/acpi/memhotplug.ts';
import { vmPlugged } from '../../kernel/drivers/virtio/virtio_mem.ts';
import { blockState, blockZone, MEM, memoryBlocks } from '../../kernel/drivers/base/memory.ts';
import { deviceDriver } from '../../kernel/drivers/base/bus.ts';
import { SLOT } from '../../kernel/drivers/pci/slot.ts';
import { domainsOf } from '../../kernel/domains.ts';
import { daxAlive, daxBase } from '../../kernel/drivers/dax/super.ts';
import { sbDax } from '../../kernel/fs/iomap.ts';
import { extentsOf, INODE, SB, SB_SHUTDOWN, sbHas } from '../../kernel/fs/inode.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { mmOf, regionPage, VMA, vmaEnd, vmasOf, vmaStart } from '../../kernel/mm/mm_struct.ts';
import { HOLDER } from '../../kernel/mm/pin-holders.ts';
import { userPfn } from '../../kernel/mm/ram-user.ts';
import { pageIsBusy } from '../../kernel/mm/memremap.ts';
import { memmapPresent, PAGE, pageLoad } from '../../kernel/mm/page.ts';
import { PTE_ANON, PTE_PRESENT, PTE_SPECIAL, PTE_WRITE, walk } from '../../kernel/mm/pgtable.ts';
import { physWrite } from '../../kernel/mm/physmem.ts';
import { walkResources } from '../../kernel/resource.ts';
import { eachTask, isAlive, TASK, TASK_STOPPED } from '../../kernel/task.ts';
import { KVM } from '../../kernel/virt/kvm.ts';
import { PAGE_SIZE } from './geometry.ts';
import type { BuiltMachine, RamHandle } from './machine.ts';
import type { PredicateLine } from './predicate-text.ts';
import type { ProcessHandle } from './processes.ts';

export interface Subjects {
  readonly built: BuiltMachine;
  readonly processes: ReadonlyMap<string, ProcessHandle>;
  readonly threads: readonly string[];
  /** The same machine built anew, for what can only be learnt by doing it. */
  readonly twin: () => BuiltMachine;
}
export type Done = (thread: number) => number | undefined;
export type Holds = (k: Kernel, done: Done) => boolean;

export interface Predicate {
  readonly takes: string;
  readonly says: string;
  readonly make: (s: Subjects, args: readonly string[]) => Holds;
}

const missing = (what: string): UnseatError => new UnseatError('BAD_SCENARIO', what);

function threadOf(s: Subjects, name: string | undefined): number {
  const index = s.threads.indexOf(name ?? '');
  if (index < 0) throw missing(`there is no thread ${name ?? ''}`);
  return index;
}
function processOf(s: Subjects, name: string | undefined): ProcessHandle {
  const found = s.processes.get(name ?? '');
  if (found === undefined) throw missing(`there is no process ${name ?? ''}`);
  return found;
}
function rangeOf(s: Subjects, name: string | undefined): readonly [number, number] {
  const device = s.built.devices.get(name ?? '');
  if (device === undefined) throw missing(`there is no device ${name ?? ''}`);
  return device.range;
}

function ramOf(s: Subjects, name: string | undefined): RamHandle {
  const device = s.built.devices.get(name ?? '');
  if (device?.kind !== 'ram') throw missing(`${name ?? ''} is no ram`);
  return device;
}

/** Entries of every living or oopsed process that map device memory: pfn and flags to `visit`; true stops. */
export function someEntry(k: Kernel, visit: (pfn: number, flags: number) => boolean): boolean {
  for (const task of eachTask(k)) {
    const mm = mmOf(k, task);
    if (mm === 0) continue;
    for (const vma of vmasOf(k, mm)) {
      if (k.heap.load(vma + VMA.inode) === 0) continue;
      const region = k.heap.load(vma + VMA.region);
      for (let vpn = vmaStart(k, vma); vpn < vmaEnd(k, vma); vpn += 1) {
        const found = walk(k.heap, region, regionPage(k, vma, vpn));
        if (found.level === 0 || (found.flags & PTE_PRESENT) === 0 || (found.flags & (PTE_ANON | PTE_SPECIAL)) !== 0) continue;
        if (visit(found.pfn, found.flags)) return true;
      }
    }
  }
  return false;
}

const counts = (k: Kernel, counter: number): number => k.heap.load(counter) + k.heap.load(counter + 1) + k.heap.load(counter + 2);

/** Names of the process or the device are optional where `[..]`. */
export const PREDICATES: Readonly<Record<string, Predicate>> = {
  'stale-mapping': { takes: '', says: 'a page-table entry points to a page whose memmap has gone', make: () => (k) => someEntry(k, (pfn) => !memmapPresent(k, pfn)) },
  'stale-writable': { takes: '', says: 'such an entry that also lets its process write', make: () => (k) => someEntry(k, (pfn, flags) => (flags & PTE_WRITE) !== 0 && !memmapPresent(k, pfn)) },
  'maps-device': {
    takes: 'DEVICE', says: 'some process maps a page of the device',
    make: (s, [name]) => {
      const [start, end] = rangeOf(s, name);
      return (k) => someEntry(k, (pfn) => pfn >= start && pfn < end);
    },
  },
  'mapped-after': {
    takes: 'THREAD DEVICE', says: 'the thread is done and some process maps a page of the device',
    make: (s, [thread, name]) => {
      const [start, end] = rangeOf(s, name);
      const t = threadOf(s, thread);
      return (k, done) => done(t) !== undefined && someEntry(k, (pfn) => pfn >= start && pfn < end);
    },
  },
  'cross-read': { takes: '', says: 'somebody read a byte that belongs to another security domain', make: () => (k) => counts(k, domainsOf(k).crossReads) > 0 },
  'cross-write': { takes: '', says: 'somebody overwrote a byte that belongs to another security domain', make: () => (k) => counts(k, domainsOf(k).crossWrites) > 0 },
  'dma-cross': { takes: '', says: 'a device did so by DMA', make: () => (k) => k.heap.load(domainsOf(k).crossWrites + 1) + k.heap.load(domainsOf(k).crossReads + 1) > 0 },
  'absent-access': { takes: '', says: 'a load or store reached memory that does not answer', make: () => (k) => counts(k, domainsOf(k).absentReads) + counts(k, domainsOf(k).absentWrites) > 0 },
  'online-but-gone': {
    takes: 'RAM', says: 'a memory block is online and nothing answers at its addresses',
    make: (s, [name]) => {
      const device = s.built.devices.get(name ?? '');
      if (device?.kind !== 'ram') throw missing(`${name ?? ''} is no ram`);
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
      const device = s.built.devices.get(name ?? '');
      if (device === undefined || device.dev === 0) throw missing(`${name ?? ''} has no driver`);
      const [start, end] = device.range.map((pfn) => pfn * PAGE_SIZE) as [number, number];
      return (k) => deviceDriver(k, device.dev) === 0 && claims(k, start, end);
    },
  },
  'memmap-left': {
    takes: 'DEVICE', says: 'no driver has the device and its struct pages are still there',
    make: (s, [name]) => {
      const device = s.built.devices.get(name ?? '');
      if (device === undefined || device.dev === 0) throw missing(`${name ?? ''} has no driver`);
      return (k) => deviceDriver(k, device.dev) === 0 && memmapPresent(k, device.range[0] + 32);
    },
  },
  bound: {
    takes: 'DEVICE', says: 'a driver has the device',
    make: (s, [name]) => {
      const device = s.built.devices.get(name ?? '');
      if (device === undefined || device.dev === 0) throw missing(`${name ?? ''} has no driver`);
      return (k) => deviceDriver(k, device.dev) !== 0;
    },
  },
  dead: { takes: 'PROCESS', says: 'the process is dead', make: (s, [name]) => { const { task } = processOf(s, name); return (k) => !isAlive(k, task); } },
  runs: { takes: 'PROCESS', says: 'the process is not stopped', make: (s, [name]) => { const { task } = processOf(s, name); return (k) => k.heap.load(task + TASK.state) !== TASK_STOPPED; } },
  told: { takes: 'PROCESS', says: 'the process has taken a SIGBUS or has one pending', make: (s, [name]) => { const { task } = processOf(s, name); return (k) => k.heap.load(task + TASK.sigbusTaken) + k.heap.load(task + TASK.aoTaken) + k.heap.load(task + TASK.pending) > 0; } },
  'sigbus-taken': { takes: 'PROCESS', says: 'the process has taken a SIGBUS', make: (s, [name]) => { const { task } = processOf(s, name); return (k) => k.heap.load(task + TASK.sigbusTaken) > 0; } },
  'lost-dirty': {
    takes: 'PROCESS', says: 'a dirty bit of the guest\'s entries was lost',
    make: (s, [name]) => { const { vm } = processOf(s, name); return (k) => vm !== 0 && k.heap.load(vm + KVM.lostDirty) > 0; },
  },
  'guest-stale': {
    takes: '', says: 'a second-level entry of a guest points to a page whose memmap has gone',
    make: (s) => {
      const vms = [...s.processes.values()].filter((p) => p.vm !== 0);
      return (k) => vms.some((p) => {
        for (let gfn = 0; gfn < p.pages; gfn += 1) {
          const entry = k.heap.load(p.vm + KVM.table) + 2 * gfn;
          if ((k.heap.load(entry + 1) & 1) !== 0 && !memmapPresent(k, k.heap.load(entry))) return true;
        }
        return false;
      });
    },
  },
  'page-held': {
    takes: 'FILE', says: 'somebody besides mappings holds page 0 of the file',
    make: (s, [name]) => {
      const inode = s.built.files.get(name ?? '');
      if (inode === undefined) throw missing(`there is no file ${name ?? ''}`);
      const { k } = s.built;
      const pfn = daxBase(k, sbDax(k, k.heap.load(inode + INODE.sb), 0)) + (extentsOf(k, inode)[0]?.device ?? 0);
      return (kernel) => memmapPresent(kernel, pfn) && pageIsBusy(kernel, pfn, 'look');
    },
  },
  'got-offline-page': {
    takes: 'THREAD RAM', says: 'what the last line of the thread allocated lies in a block that is offline',
    make: (s, [thread, name]) => {
      const t = threadOf(s, thread);
      const device = s.built.devices.get(name ?? '');
      if (device?.kind !== 'ram') throw missing(`${name ?? ''} is no ram`);
      return (k, done) => {
        const user = done(t) ?? -1;
        const pfn = user > 0 ? userPfn(k, user, 0) : -1;
        return pfn >= device.range[0] && pfn < device.range[1] && blockState(k, Math.floor(pfn / k.geo.pagesPerBlock)) === MEM.offline;
      };
    },
  },
  'pin-without-page': {
    takes: '', says: 'a pin of a process is still held and its struct page has gone',
    make: (s) => {
      const holders = [...s.processes.values()].map((p) => p.pinHolder).filter((holder) => holder !== 0);
      return (k) => holders.some((holder) => k.heap.load(holder + HOLDER.count) > 0 && !memmapPresent(k, k.heap.load(k.heap.load(holder + HOLDER.pfns))));
    },
  },
  'shut-down': {
    takes: 'DEVICE', says: 'the file system on it has been shut down',
    make: (s, [name]) => { const device = s.built.devices.get(name ?? ''); if (device?.kind !== 'pmem') throw missing(`${name ?? ''} is no pmem`); return (k) => sbHas(k, device.sb, SB_SHUTDOWN); },
  },
  'mounted-dead': {
    takes: 'DEVICE', says: 'its file system is mounted and the dax device is dead',
    make: (s, [name]) => {
      const device = s.built.devices.get(name ?? '');
      if (device?.kind !== 'pmem' || device.sb === 0) throw missing(`${name ?? ''} has no file system`);
      const dax = s.built.k.heap.load(device.sb + SB.daxDev);
      return (k) => k.heap.load(device.sb + SB.mounts) > 0 && !daxAlive(k, dax);
    },
  },
  'file-held': {
    takes: 'FILE', says: 'somebody has the file open or mapped',
    make: (s, [name]) => { const inode = s.built.files.get(name ?? ''); if (inode === undefined) throw missing(`there is no file ${name ?? ''}`); return (k) => k.heap.load(inode + INODE.count) > 0; },
  },
  pinned: { takes: 'PROCESS', says: 'the kernel granted the pin at set-up', make: (s, [name]) => { const { pinFd } = processOf(s, name); return () => pinFd !== 0; } },
  'slot-powered': {
    takes: 'SLOT', says: 'the slot has power',
    make: (s, [name]) => { const slot = s.built.slots.get(name ?? ''); if (slot === undefined) throw missing(`there is no slot ${name ?? ''}`); return (k) => k.heap.load(slot + SLOT.power) !== 0; },
  },
  'slot-empty': {
    takes: 'SLOT', says: 'no card is in the slot, or it has no power',
    make: (s, [name]) => { const slot = s.built.slots.get(name ?? ''); if (slot === undefined) throw missing(`there is no slot ${name ?? ''}`); return (k) => k.heap.load(slot + SLOT.power) === 0 || k.heap.load(slot + SLOT.adapter) === 0; },
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
  'bad-page-map': {
    takes: 'DEVICE', says: 'the map count of one of its pages fell below zero: an entry outlived the page it was made for',
    make: (s, [name]) => {
      const [start, end] = rangeOf(s, name);
      return (k) => {
        for (let pfn = start; pfn < end; pfn += 1) if (memmapPresent(k, pfn) && pageLoad(k, pfn, PAGE.mapcount, 'look') < 0) return true;
        return false;
      };
    },
  },
  'memmap-gone': { takes: 'DEVICE', says: 'its struct pages are not there', make: (s, [name]) => { const [start] = rangeOf(s, name); return (k) => !memmapPresent(k, start); } },
  done: { takes: 'THREAD', says: 'the thread has ended', make: (s, [thread]) => { const t = threadOf(s, thread); return (_k, done) => done(t) !== undefined; } },
  result: {
    takes: 'THREAD is|below|above N', says: 'the thread has ended with such a result (of its last line)',
    make: (s, [thread, how, text]) => {
      const t = threadOf(s, thread);
      const n = Number(text);
      if (!Number.isInteger(n) || !['is', 'below', 'above'].includes(how ?? '')) throw missing('result wants THREAD is|below|above N');
      return (_k, done) => {
        const value = done(t);
        return value !== undefined && (how === 'is' ? value === n : how === 'below' ? value < n : value > n);
      };
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
      const device = s.built.devices.get(name ?? '');
      if (device?.kind !== 'ram') throw missing(`${name ?? ''} is no ram`);
      return (k) => device.blocks.some((id) => blockState(k, id) === state);
    },
  };
}

/** A predicate line as a function. @throws UnseatError BAD_SCENARIO */
function makePredicate(s: Subjects, line: PredicateLine): Holds {
  const predicate = PREDICATES[line.name];
  if (predicate === undefined) throw new UnseatError('BAD_SCENARIO', `there is no predicate ${line.name}`, { seen: line.text, next: `Known: ${Object.keys(PREDICATES).join(', ')}.` });
  const holds = predicate.make(s, line.args);
  return line.not ? (k, done) => !holds(k, done) : holds;
}

/** All of them hold in one state. */
export function makePredicates(s: Subjects, lines: readonly PredicateLine[]): Holds {
  const all = lines.map((line) => makePredicate(s, line));
  return all.length === 1 ? (all[0] as Holds) : (k, done) => all.every((holds) => holds(k, done));
}
