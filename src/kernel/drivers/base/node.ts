/**
 * Which node a memory block belongs to (drivers/base/node.c: register_memory_blocks_under_node, and
 * drivers/base/memory.c: memory_block_add_nid; 5.10 to 7.2).
 *
 * A block made at boot may lie on two nodes: each of them links to it. What mem->nid then says is the node that was
 * registered last; a kernel that knows better leaves it unknown (`block.node-id`). The zone is known only while there
 * is one (5.18 on).
 */
import type { Kernel } from '../../kernel.ts';
import { linksNode, linksZone, PAGE } from '../../mm/page-template.ts';
import { alikeFrom } from '../../mm/page_isolation.ts';
import { pageLoad, pageFlags, PG } from '../../mm/page.ts';
import { BLOCK, blockNid, blockNodes, blockPfn, setBlockNid } from './memory.ts';

/** memory_block_add_nid_early: node `nid` has pages in this boot block. */
export function addBlockNid(k: Kernel, id: number, block: number, nid: number, early: boolean): void {
  const known = blockNodes(k, block);
  const before = blockNid(k, block);
  k.heap.store(block + BLOCK.node, k.heap.load(block + BLOCK.node) | (1 << (nid + 16)));
  const others = known.some((n) => n !== nid);
  if (early && before !== nid) k.heap.store(block + BLOCK.zone, others ? 0 : earlyZone(k, id, nid) + 1);
  setBlockNid(k, block, others && k.mechanism('block.node-id') === 'none-if-mixed' ? -1 : nid);
}

/** early_node_zone_for_memory_block: the one zone that the node has in the block, -1 where it is several. */
function earlyZone(k: Kernel, id: number, nid: number): number {
  let zone = -1;
  const first = blockPfn(k, id);
  for (let pfn = first; pfn < first + k.geo.pagesPerBlock; pfn += Math.min(alikeFrom(k, pfn), k.geo.pageblockPages)) {
    const word = pageLoad(k, pfn, PAGE.links, 'early_node_zone_for_memory_block');
    if (linksNode(word) !== nid || (pageFlags(k, pfn, 'early_node_zone_for_memory_block') & PG.reserved) !== 0) continue;
    if (zone >= 0 && linksZone(word) !== zone) return -1;
    zone = linksZone(word);
  }
  return zone;
}

/** unregister_memory_block_under_nodes. */
export const unlinkBlock = (k: Kernel, block: number): void => k.heap.store(block + BLOCK.node, k.heap.load(block + BLOCK.node) & 0xffff);
