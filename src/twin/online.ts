/** Memory blocks of a device brought online as a capture shows them. */
import type { Machine } from '../machine/machine.ts';
import { blockState, MEM, memoryBlocks } from '../kernel/drivers/base/memory.ts';
import { stateStore } from '../kernel/drivers/base/block-state.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { MMOP } from '../kernel/mm/memory_hotplug/hotplug.ts';
import { allocContigKernel } from '../kernel/mm/page_alloc.ts';
import { TYPE } from '../kernel/mm/page.ts';
import { must } from '../kernel/setup/run.ts';

export function onlineAsSeen(k: Kernel, machine: Machine, blocks: readonly number[]): void {
  for (const block of machine.memory.blocks.filter((b) => blocks.includes(b.index))) {
    if (block.state !== 'online' || memoryBlocks(k).find(block.index) === 0 || blockState(k, block.index) === MEM.online) continue;
    const movable = block.validZones?.[0] === 'Movable';
    must(k, stateStore(k, block.index, movable ? MMOP.onlineMovable : MMOP.onlineKernel, 0), `memory${block.index} online`);
    // What the kernel has put there: a page of each kind stands for all of them.
    if ((block.pages?.slab ?? 0) > 0) allocContigKernel(k, block.nodes[0] ?? 0, 1, TYPE.slab);
    if ((block.pages?.pageTables ?? 0) > 0) allocContigKernel(k, block.nodes[0] ?? 0, 1, TYPE.table);
  }
}
