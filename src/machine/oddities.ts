/** Facts that contradict each other, or that an operator would otherwise overlook. */
import { formatBytes, formatRange, geometryOf } from '../range/units.ts';
import type { Parts } from './devices/draft.ts';
import type { Reader } from './reader.ts';
import type { AddressMap } from './types/address-map.ts';

export function noteOddities(reader: Reader, map: AddressMap, parts: Parts): void {
  const nodes = parts.memory.nodes;
  for (const dax of parts.dax) {
    if (dax.driver === 'kmem' && dax.targetNode !== null && nodes.length > 0 && !nodes.some((n) => n.id === dax.targetNode)) {
      reader.note('disagreement', `${dax.name} is bound to kmem for node ${dax.targetNode}, which does not exist on this machine (nodes ${nodes.map((n) => n.id).join(', ')})`, dax.name);
    }
    if ((dax.lostBytes ?? 0) > 0) {
      reader.note('kmem-loss', `kmem takes whole memory blocks only: ${formatBytes(dax.lostBytes!)} of the ${formatBytes(dax.size ?? 0)} of ${dax.name} are not used`, dax.name);
    }
    if (dax.driver === 'kmem' && dax.blocks.length === 0 && map.resources.length > 0 && parts.memory.blockSize !== null && dax.ranges.length > 0) {
      reader.note('disagreement', `${dax.name} is bound to kmem and none of its memory blocks is there`, dax.name);
    }
  }
  leakedRam(reader, map, parts);
  geometry(reader);
}

/** `System RAM (kmem)` below a dax device that is not bound to kmem: left by an unbind while blocks were online, until reboot. */
function leakedRam(reader: Reader, map: AddressMap, parts: Parts): void {
  const visit = (resources: AddressMap['resources'], owner: string | null): void => {
    for (const r of resources) {
      if (r.name === 'System RAM (kmem)' && owner !== null && parts.dax.find((d) => d.name === owner)?.driver !== 'kmem') {
        reader.note('region-leaked', `${formatRange(r)} is still System RAM of ${owner}, which is not bound to kmem any more: the range is lost until a reboot`, owner);
      }
      visit(r.children, r.name);
    }
  };
  visit(map.resources, null);
}

function geometry(reader: Reader): void {
  const { arch, pageSize } = reader.host.identity;
  if (typeof arch === 'string' && typeof pageSize === 'number' && geometryOf(arch, pageSize) === null) {
    reader.note('unknown-geometry', `Section sizes of ${arch} with pages of ${formatBytes(pageSize)} are not known here: nothing is said about sections`);
  }
}
