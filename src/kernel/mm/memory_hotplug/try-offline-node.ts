/** try_offline_node (mm/memory_hotplug.c; 5.10 to 7.2): a node without memory blocks, span and CPUs goes. */
import type { Kernel } from '../../kernel.ts';
import { blockNodes, memoryBlocks } from '../../drivers/base/memory.ts';

interface Cpus {
  /** Word: a bit for each node that has CPUs. */
  readonly nodes: number;
}
const makeCpus = (k: Kernel): Cpus => {
  const nodes = k.heap.reserve(1);
  k.heap.store(nodes, 1);
  return { nodes };
};
const cpus = (k: Kernel): Cpus => k.part(makeCpus);

/** Nodes with CPUs never go offline. Set-up; node 0 unless told. */
export const setCpuNodes = (k: Kernel, nids: readonly number[]): void => k.heap.store(cpus(k).nodes, nids.reduce((bits, nid) => bits | (1 << nid), 0));
export const nodeHasCpus = (k: Kernel, nid: number): boolean => ((k.heap.load(cpus(k).nodes) >>> nid) & 1) === 1;

export function tryOfflineNode(k: Kernel, nid: number): void {
  if (k.zones.nodeEnd(nid) > k.zones.nodeStart(nid) || nodeHasCpus(k, nid)) return;
  for (const id of memoryBlocks(k).all()) if (blockNodes(k, memoryBlocks(k).find(id)).includes(nid)) return;
  k.zones.setNodeOnline(nid, false);
}
