/** What memory that is used as System RAM is doing, from its blocks. */
import type { MemoryBlock, MemoryInventory } from '../types/memory.ts';

/** `System RAM, node 1, zone Movable, 3 blocks online`; `blocks` by index. */
export function ramUse(memory: MemoryInventory, indexes: readonly number[]): string {
  const wanted = new Set(indexes);
  const blocks = memory.blocks.filter((b) => wanted.has(b.index));
  if (blocks.length === 0) return 'System RAM, its blocks are not known';
  const online = blocks.filter((b) => b.state !== 'offline');
  const nodes = [...new Set(blocks.flatMap((b) => b.nodes))].sort((a, b) => a - b);
  const zones = [...new Set(online.map(zoneOf).filter((z) => z !== null))];
  const moving = blocks.filter((b) => b.state === 'going-offline').length;
  return ['System RAM', nodes.length > 0 ? `node ${nodes.join(' and ')}` : null, zones.length > 0 ? `zone ${zones.join(' and ')}` : null,
    online.length === 0 ? `all ${blocks.length} block(s) offline` : online.length === blocks.length ? `${online.length} block(s) online` : `${online.length} of ${blocks.length} blocks online`,
    moving > 0 ? `${moving} going offline` : null].filter((w) => w !== null).join(', ');
}

/** The zone of an online block; null where it is offline or spans zones. */
export const zoneOf = (block: MemoryBlock): string | null => (block.state === 'online' && block.validZones?.length === 1 && block.validZones[0] !== 'none' ? block.validZones[0]! : null);
