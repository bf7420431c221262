/**
 * The work of virtio-mem (virtio_mem_run_wq, sub-block mode): more or less memory, as the host asks. Blocks from the top
 * down, sub-blocks from the top down; what cannot be moved is left for the next round, for ever.
 */
import type { Kernel } from '../../kernel.ts';
import { fakeOffline } from '../../mm/contig_range.ts';
import { addMemoryDriverManaged, MHP } from '../../mm/memory_hotplug/add.ts';
import { offlineAndRemoveMemory, removeMemory } from '../../mm/memory_hotplug/remove.ts';
import { freeToZone } from '../../mm/memory_hotplug/online.ts';
import { MIGRATE } from '../../mm/page-template.ts';
import { pageNode, pageZone } from '../../mm/page.ts';
import { BLOCKED, repeat, STOP, type Path } from '../../state/path.ts';
import { blockState, MEM } from '../base/memory.ts';
import { setSubBlock, subBlockPlugged, subBlockSize, vmAddr, VM, vmPlugged, vmRequested, vmSize } from './virtio_mem.ts';

const blockId = (k: Kernel, address: number): number => address / k.geo.memoryBlockSize;

/** Blocks of the device's region, first to last, as byte addresses. */
function blocks(k: Kernel, vm: number): number[] {
  const found: number[] = [];
  for (let at = vmAddr(k, vm); at < vmAddr(k, vm) + vmSize(k, vm); at += k.geo.memoryBlockSize) found.push(at);
  return found;
}

function subBlocks(k: Kernel, block: number): number[] {
  const found: number[] = [];
  for (let at = block; at < block + k.geo.memoryBlockSize; at += subBlockSize(k)) found.push(at);
  return found;
}

/** One round towards what the host asks for. 0: as asked; 1: something is left to do. */
export function* virtioMemRun(k: Kernel, vm = 0): Path<number> {
  if (vmRequested(k, vm) > vmPlugged(k, vm)) yield* k.call(plug, vm);
  else if (vmRequested(k, vm) < vmPlugged(k, vm)) yield* k.call(unplug, vm);
  return vmRequested(k, vm) === vmPlugged(k, vm) ? 0 : 1;
}

/** The kworker of one device: rounds while the driver lives, waits while there is nothing to do or nothing moves. */
export function* virtioMemWork(k: Kernel, vm = 0): Path<number> {
  return yield* repeat(k, workRound, vm);
}

function* workRound(k: Kernel, vm = 0): Path<number> {
  if (k.heap.load(vm + VM.removing) !== 0) return STOP;
  k.heap.store(vm + VM.working, 1);
  const left = vmRequested(k, vm) === vmPlugged(k, vm) ? 0 : yield* k.call(virtioMemRun, vm);
  k.heap.store(vm + VM.working, 0);
  // The driver may be going since; a wait is for what can still change.
  if (k.heap.load(vm + VM.removing) !== 0) return STOP;
  yield BLOCKED(left === 0 ? 'S virtio_mem: nothing to do' : 'S virtio_mem: retry timer');
  return vm;
}

/** Plugs sub-blocks from the bottom up: in blocks that are there first, then in new ones. */
function* plug(k: Kernel, vm = 0): Path<number> {
  for (const block of blocks(k, vm)) {
    const isNew = blockState(k, blockId(k, block)) === MEM.absent;
    for (const sub of subBlocks(k, block)) {
      if (vmPlugged(k, vm) >= vmRequested(k, vm)) break;
      if (subBlockPlugged(k, vm, sub)) continue;
      setSubBlock(k, vm, sub, true);
      if (!isNew && blockState(k, blockId(k, block)) === MEM.online) fakeOnline(k, sub);
    }
    if (!isNew || !subBlocks(k, block).some((sub) => subBlockPlugged(k, vm, sub))) continue;
    const nid = k.heap.load(vm + VM.nid);
    const ret = yield* k.call(addMemoryDriverManaged, nid, block, k.geo.memoryBlockSize, k.names.of('System RAM (virtio_mem)'), MHP.mergeResource);
    if (ret < 0) for (const sub of subBlocks(k, block)) if (subBlockPlugged(k, vm, sub)) setSubBlock(k, vm, sub, false);
  }
  return 0;
}

/** virtio_mem_fake_online: PageOffline pages of an online block go to the allocator. */
function fakeOnline(k: Kernel, sub: number): void {
  const pfn = sub / k.geo.pageSize;
  freeToZone(k, pageNode(k, pfn, 'virtio_mem_fake_online'), pageZone(k, pfn, 'virtio_mem_fake_online'), pfn, subBlockSize(k) / k.geo.pageSize, MIGRATE.movable);
}

function* unplug(k: Kernel, vm = 0): Path<number> {
  for (const block of blocks(k, vm).reverse()) {
    const state = blockState(k, blockId(k, block));
    if (state === MEM.absent) continue;
    for (const sub of subBlocks(k, block).reverse()) {
      if (vmPlugged(k, vm) <= vmRequested(k, vm)) return 0;
      if (!subBlockPlugged(k, vm, sub)) continue;
      const moved = state === MEM.online ? yield* k.call(fakeOffline, sub / k.geo.pageSize, subBlockSize(k) / k.geo.pageSize) : 0;
      if (moved === 0) setSubBlock(k, vm, sub, false);
    }
    if (subBlocks(k, block).some((sub) => subBlockPlugged(k, vm, sub))) continue;
    yield* k.call(offlineAndRemoveMemory, block, k.geo.memoryBlockSize, 0);
  }
  return 0;
}

/** virtio_mem_deinit_hotplug: blocks that are offline go, whatever of them is plugged. */
export function* removeOfflineBlocks(k: Kernel, vm = 0): Path<number> {
  for (const block of blocks(k, vm)) if (blockState(k, blockId(k, block)) === MEM.offline) yield* k.call(removeMemory, block, k.geo.memoryBlockSize);
  return 0;
}
