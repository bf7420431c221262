/** Verbs of drivers, file systems, memory hotplug, the bus, and the steps of a removal. */
import { ENOMEM } from '../../kernel/errno.ts';
import { SLOT } from '../../kernel/drivers/pci/slot.ts';
import { EVENT, pciehpIst, powerStore } from '../../kernel/drivers/pci/pciehp.ts';
import { cardUnpowered } from '../../kernel/drivers/pci/slot.ts';
import { stateStore } from '../../kernel/drivers/base/block-state.ts';
import { deviceData, deviceDriver } from '../../kernel/drivers/base/bus.ts';
import { destroyDevDax } from '../../kernel/drivers/dax/bus.ts';
import { bindStore, unbindStore } from '../../kernel/drivers/base/dd.ts';
import { MEMDEV } from '../../kernel/drivers/cxl/cxl.ts';
import { commitStore } from '../../kernel/drivers/cxl/region.ts';
import { cxlDisableRegion } from '../../kernel/setup/cxl.ts';
import { extentsOf, INODE } from '../../kernel/fs/inode.ts';
import { sbDax } from '../../kernel/fs/iomap.ts';
import { daxBase } from '../../kernel/drivers/dax/super.ts';
import { evictInode, evictInodes, goingDown, umount } from '../../kernel/fs/super.ts';
import { syncFilesystem } from '../../kernel/fs/sync.ts';
import { daxLayoutBusyPage } from '../../kernel/fs/dax.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { allocPages } from '../../kernel/mm/page_alloc.ts';
import { addMemory } from '../../kernel/mm/memory_hotplug/add.ts';
import { MMOP } from '../../kernel/mm/memory_hotplug/hotplug.ts';
import { offlineAndRemoveMemory, removeMemory } from '../../kernel/mm/memory_hotplug/remove.ts';
import { hardOfflinePage, machineCheck, memoryFailure } from '../../kernel/mm/memory-failure.ts';
import { unmapMappingRange } from '../../kernel/mm/memory.ts';
import { PAGE, pageLoad } from '../../kernel/mm/page.ts';
import { pinLongterm, spliceGet, splicePut, unpinLongterm } from '../../kernel/mm/pin-ram.ts';
import { pfnToOnlinePage, pfnValidRacy } from '../../kernel/mm/pfn.ts';
import { userAlloc, userFree, userRead, userWrite } from '../../kernel/mm/ram-user.ts';
import { AT, type Path } from '../../kernel/state/path.ts';
import { blockIdOf } from '../../kernel/drivers/base/memory.ts';
import { PAGE_SIZE } from './geometry.ts';
import type { RamHandle } from './machine.ts';
import { confirmNobody, handOver, passTime, stopDetachConfirm, truncateFile } from './paths.ts';
import type { Line, Verb } from './verb.ts';

/** Page frame of page `page=N` of a file. */
function pfnOf(line: Line, i = 0): number {
  const inode = line.inode(i);
  const { k } = line;
  const sb = k.heap.load(inode + INODE.sb);
  const page = line.option('page', 0);
  const extent = extentsOf(k, inode).find((e) => page >= e.file && page < e.file + e.pages);
  if (sb === 0 || extent === undefined) throw line.wrong('the file has no such page');
  return daxBase(k, sbDax(k, sb, extent.dev)) + extent.device + page - extent.file;
}

const driverOf = (line: Line): { dev: number; driver: number } => {
  const device = line.device();
  if (device.kind === 'ram' && device.memdev !== 0) {
    const dev = line.k.heap.load(device.memdev + MEMDEV.dev);
    return { dev, driver: deviceDriver(line.k, dev) };
  }
  if (device.driver === 0) throw line.wrong(`${line.word(0)} has no driver`);
  return { dev: device.dev, driver: device.driver };
};
const blockOf = (line: Line, ram: RamHandle): number => ram.blocks[line.option('block', 0)] ?? (ram.blocks[0] as number);

/** A process faults in one page of RAM from a node, movable (anonymous) or for the kernel: its user, or the pfn, or -ENOMEM. */
function* allocOne(k: Kernel, nid: number, movable: number): Path {
  if (k.concurrent) yield AT('alloc_pages');
  if (movable === 0) return allocPages(k, { nid, order: 0, gfp: 'kernel', thisNode: true });
  const user = userAlloc(k, { name: 'allocator', kind: 'anon', nid, folios: 1, order: 0, thisNode: true, value: 3 });
  return user === 0 ? -ENOMEM : user;
}
function* ramRead(k: Kernel, user: number): Path {
  if (k.concurrent) yield AT('load from RAM');
  return userRead(k, user, 0);
}
function* ramWrite(k: Kernel, user: number, value: number): Path {
  if (k.concurrent) yield AT('store to RAM');
  userWrite(k, user, 0, value);
  return 0;
}
function* ramFree(k: Kernel, user: number): Path {
  if (k.concurrent) yield AT('exit: free the pages');
  userFree(k, user);
  return 0;
}
function* ramGet(k: Kernel, user: number): Path {
  if (k.concurrent) yield AT('vmsplice');
  spliceGet(k, user, 0, 1);
  return 0;
}
function* ramPut(k: Kernel, user: number): Path {
  if (k.concurrent) yield AT('close the pipe');
  splicePut(k, user, 0, 1);
  return 0;
}
function* ramUnpin(k: Kernel, user: number): Path {
  if (k.concurrent) yield AT('unpin_user_pages');
  unpinLongterm(k, user, 0, 1);
  return 0;
}
function* pinRamLongterm(k: Kernel, user: number): Path {
  if (k.concurrent) yield AT('pin_user_pages(FOLL_LONGTERM)');
  return yield* k.call(pinLongterm, user, 0, 1);
}
/** A walker over page frames: pfn_valid(), then a look at the struct page it was promised. */
function* pfnWalk(k: Kernel, pfn: number): Path {
  const valid = yield* k.call(pfnValidRacy, pfn);
  if (valid === 0) return 0;
  if (k.concurrent) yield AT('pfn walker: read the struct page');
  return pageLoad(k, pfn, PAGE.flags, 'pfn walker');
}
function* onlineWalk(k: Kernel, pfn: number): Path {
  if (k.concurrent) yield AT('pfn_to_online_page');
  const page = pfnToOnlinePage(k, pfn);
  if (page < 0) return 0;
  if (k.concurrent) yield AT('online walker: read the struct page');
  return pageLoad(k, pfn, PAGE.flags, 'pfn_to_online_page user');
}
function* pressButton(k: Kernel, slot: number): Path {
  if (k.concurrent) yield AT('attention button');
  k.heap.store(slot + SLOT.events, k.heap.load(slot + SLOT.events) | EVENT.button);
  return 0;
}
function* pullCard(k: Kernel, slot: number): Path {
  if (k.concurrent) yield AT('the card is pulled');
  k.heap.store(slot + SLOT.adapter, 0);
  cardUnpowered(k, slot);
  k.heap.store(slot + SLOT.events, k.heap.load(slot + SLOT.events) | EVENT.linkDown | EVENT.presence);
  return 0;
}
function* failNth(k: Kernel, n: number): Path {
  k.failAllocation(n);
  return 0;
}
/** The writer of the file can be held up before each write. */
function* writeCommit(k: Kernel, region: number, value: number): Path {
  if (k.concurrent) yield AT('write to commit');
  return yield* k.call(commitStore, region, value);
}
/** A layout break looks for busy pages of a file once. */
function* layoutBusy(k: Kernel, inode: number): Path {
  return yield* k.call(daxLayoutBusyPage, inode, 0, k.heap.load(inode + INODE.pages));
}

const ramUser = (path: (k: Kernel, user: number, ...rest: number[]) => Path, says: string, ...rest: number[]): Verb => ({
  takes: 'PROCESS', says,
  make: (line) => {
    const { user } = line.process();
    if (user === 0) throw line.wrong(`${line.word(0)} uses no ram`);
    return { path, args: [user, ...rest] };
  },
});
const block = (mmop: number, says: string): Verb => ({ takes: 'RAM [block=N]', says, make: (line) => ({ path: stateStore, args: [blockOf(line, line.deviceOf('ram')), mmop, 0] }) });
const onRange = (path: (k: Kernel, start: number, size: number) => Path, says: string): Verb => ({
  takes: 'RAM', says, make: (line) => {
    const { range } = line.deviceOf('ram');
    return { path, args: [range[0] * PAGE_SIZE, (range[1] - range[0]) * PAGE_SIZE] };
  },
});
const firstData = (line: Line): number => {
  const { range } = line.device();
  return range[0] + line.option('page', 32);
};

export const SYSTEM_VERBS: Readonly<Record<string, Verb>> = {
  unbind: { takes: 'DEVICE', says: 'a write to the driver\'s unbind file', make: (line) => ({ path: unbindStore, args: [driverOf(line).driver, driverOf(line).dev] }) },
  bind: { takes: 'DEVICE', says: 'a write to bind', make: (line) => ({ path: bindStore, args: [driverOf(line).driver, driverOf(line).dev] }) },
  destroy: { takes: 'DEVDAX', says: 'the namespace is destroyed', make: (line) => ({ path: destroyDevDax, args: [deviceData(line.k, line.deviceOf('devdax').dev)] }) },
  'hand-over': { takes: 'DEVICE [domain=N]', says: 'the device belongs to somebody else from now on', make: (line) => ({ path: handOver, args: [...line.device().range, line.option('domain', 2)] }) },
  umount: { takes: 'DEVICE [lazy]', says: 'umount of the file system on it', make: (line) => ({ path: umount, args: [line.sb(), line.has('lazy') ? 1 : 0] }) },
  shutdown: { takes: 'DEVICE [flag=N]', says: 'the shutdown ioctl', make: (line) => ({ path: goingDown, args: [line.sb(), line.option('flag', 2)] }) },
  sync: { takes: 'DEVICE', says: 'syncfs', make: (line) => ({ path: syncFilesystem, args: [line.sb()] }) },
  'drop-inodes': { takes: 'DEVICE', says: 'inodes that nobody uses are evicted', make: (line) => ({ path: evictInodes, args: [line.sb()] }) },
  evict: { takes: 'FILE', says: 'the inode is evicted', make: (line) => ({ path: evictInode, args: [line.inode()] }) },
  truncate: { takes: 'FILE', says: 'truncate to 0; the blocks go to somebody else', make: (line) => ({ path: truncateFile, args: [line.inode()] }) },
  'unmap-file': { takes: 'FILE', says: 'unmap_mapping_range of the whole file', make: (line) => ({ path: unmapMappingRange, args: [line.inode(), 0, 0, 1] }) },
  'layout-busy': { takes: 'FILE', says: 'dax_layout_busy_page of the whole file', make: (line) => ({ path: layoutBusy, args: [line.inode()] }) },
  'memory-failure': { takes: 'FILE [page=N]', says: 'memory_failure() of the page', make: (line) => ({ path: memoryFailure, args: [pfnOf(line), 0, 0] }) },
  'hard-offline': { takes: 'FILE [page=N]', says: 'a write to hard_offline_page', make: (line) => ({ path: hardOfflinePage, args: [pfnOf(line)] }) },
  'machine-check': { takes: 'FILE PROCESS [page=N]', says: 'a machine check on a page that the process consumes', make: (line) => ({ path: machineCheck, args: [pfnOf(line), line.process(1).task] }) },
  online: block(MMOP.onlineMovable, 'a write of online_movable to a block'),
  'online-kernel': block(MMOP.onlineKernel, 'a write of online_kernel to a block'),
  offline: block(MMOP.offline, 'a write of offline to a block'),
  'offline-block-of': { takes: 'DEVICE', says: 'a write of offline to the memory block that the device shares with RAM', make: (line) => ({ path: stateStore, args: [blockIdOf(line.k, line.device().range[0] * PAGE_SIZE), MMOP.offline, 0] }) },
  'add-memory': { takes: 'RAM', says: 'add_memory of the range', make: (line) => { const ram = line.deviceOf('ram'); return { path: addMemory, args: [ram.node, ram.range[0] * PAGE_SIZE, (ram.range[1] - ram.range[0]) * PAGE_SIZE, 0] }; } },
  'remove-memory': onRange(removeMemory, 'remove_memory of the range'),
  'offline-and-remove': onRange(offlineAndRemoveMemory, 'offline_and_remove_memory of the range'),
  alloc: { takes: 'RAM [kernel]', says: 'alloc_pages on its node', make: (line) => ({ path: allocOne, args: [line.deviceOf('ram').node, line.has('kernel') ? 0 : 1] }) },
  'ram-read': ramUser(ramRead, 'loads from its System RAM'),
  'ram-write': ramUser(ramWrite, 'stores to its System RAM', 8),
  'ram-free': ramUser(ramFree, 'gives its System RAM back'),
  'ram-pin': ramUser(pinRamLongterm, 'pins it with FOLL_LONGTERM'),
  'ram-unpin': ramUser(ramUnpin, 'drops that pin'),
  'ram-get': ramUser(ramGet, 'vmsplice of its page into a pipe'),
  'ram-put': ramUser(ramPut, 'closes the pipe'),
  'pfn-walk': { takes: 'DEVICE [page=N]', says: 'pfn_valid(), then a look at the struct page', make: (line) => ({ path: pfnWalk, args: [firstData(line)] }) },
  'online-walk': { takes: 'DEVICE [page=N]', says: 'pfn_to_online_page(), then a look at the struct page', make: (line) => ({ path: onlineWalk, args: [firstData(line)] }) },
  commit: { takes: 'RAM value=0|1', says: 'a write to the region\'s commit file', make: (line) => ({ path: writeCommit, args: [line.deviceOf('ram').region, line.option('value', 0)] }) },
  'cxl-disable-region': { takes: 'RAM', says: 'the tool: offline every block first, then disable', make: (line) => ({ path: cxlDisableRegion, args: [line.deviceOf('ram').region, 0] }) },
  button: { takes: 'SLOT', says: 'the attention button is pressed', make: (line) => ({ path: pressButton, args: [line.slot()] }) },
  pull: { takes: 'SLOT', says: 'the card is pulled', make: (line) => ({ path: pullCard, args: [line.slot()] }) },
  power: { takes: 'SLOT on=0|1', says: 'a write to slots/N/power', make: (line) => ({ path: powerStore, args: [line.slot(), line.option('on', 0)] }) },
  pciehp: { takes: 'SLOT', says: 'the interrupt thread of the slot (a daemon)', make: (line) => ({ path: pciehpIst, args: [line.slot()] }) },
  pass: { takes: 'tenths=N', says: 'time goes by', make: (line) => ({ path: passTime, args: [line.option('tenths', 51)] }) },
  'fail-nth': { takes: 'n=N', says: 'the n-th allocation from here fails', make: (line) => ({ path: failNth, args: [line.option('n', 1)] }) },
  confirm: { takes: '', says: 'looks at every process: -EBUSY while one holds a file', make: () => ({ path: confirmNobody, args: [] }) },
  'stop-detach-confirm': { takes: '', says: 'stops and detaches every holder until a look finds none', make: () => ({ path: stopDetachConfirm, args: [] }) },
};
