/** Predicates of entries, accesses and struct pages. A predicate reads the heap and results of threads, and nothing else. */
import { blockState, MEM } from '../../kernel/drivers/base/memory.ts';
import { deviceDriver } from '../../kernel/drivers/base/bus.ts';
import { domainsOf } from '../../kernel/domains.ts';
import { daxBase } from '../../kernel/drivers/dax/super.ts';
import { sbDax } from '../../kernel/fs/iomap.ts';
import { extentsOf, INODE } from '../../kernel/fs/inode.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { HOLDER, holders } from '../../kernel/mm/pin-holders.ts';
import { userPfn } from '../../kernel/mm/ram-user.ts';
import { pageIsBusy } from '../../kernel/mm/page_ref.ts';
import { memmapPresent, PAGE, pageLoad } from '../../kernel/mm/page.ts';
import { PTE_WRITE } from '../../kernel/mm/pgtable.ts';
import { KVM } from '../../kernel/virt/kvm.ts';
import { someEntry } from './entries.ts';
import { drivenOf, fileOf, ramOf, rangeOf, threadOf, type Predicate } from './subjects.ts';

const counts = (k: Kernel, counter: number): number => k.heap.load(counter) + k.heap.load(counter + 1) + k.heap.load(counter + 2);

export const PAGE_PREDICATES: Readonly<Record<string, Predicate>> = {
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
      const inode = fileOf(s, name);
      const { k } = s.built;
      const pfn = daxBase(k, sbDax(k, k.heap.load(inode + INODE.sb), 0)) + (extentsOf(k, inode)[0]?.device ?? 0);
      return (kernel) => memmapPresent(kernel, pfn) && pageIsBusy(kernel, pfn, 'look');
    },
  },
  'pin-without-page': {
    takes: '', says: 'a pin of a process is still held and its struct page has gone',
    make: () => (k) => holders(k).some((holder) => k.heap.load(holder + HOLDER.count) > 0 && !memmapPresent(k, k.heap.load(k.heap.load(holder + HOLDER.pfns)))),
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
  'memmap-left': {
    takes: 'DEVICE', says: 'no driver has the device and its struct pages are still there',
    make: (s, [name]) => {
      const device = drivenOf(s, name);
      return (k) => deviceDriver(k, device.dev) === 0 && memmapPresent(k, device.range[0] + 32);
    },
  },
  'got-offline-page': {
    takes: 'THREAD RAM', says: 'what the last line of the thread allocated lies in a block that is offline',
    make: (s, [thread, name]) => {
      const t = threadOf(s, thread);
      const device = ramOf(s, name);
      return (k, done) => {
        const user = done(t) ?? -1;
        const pfn = user > 0 ? userPfn(k, user, 0) : -1;
        return pfn >= device.range[0] && pfn < device.range[1] && blockState(k, Math.floor(pfn / k.geo.pagesPerBlock)) === MEM.offline;
      };
    },
  },
};
