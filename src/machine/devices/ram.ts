/** Devices that are System RAM: virtio-mem, DIMMs, single memory blocks. */
import type { Device } from '../types/device.ts';
import { draft, type Parts } from './draft.ts';
import { ramUse, zoneOf } from './ram-use.ts';

export function virtioDevices(parts: Parts): Device[] {
  const memory = parts.virtioMem.map((v) => draft('virtio-mem', v.name, {
    aliases: [v.pci],
    ranges: v.plugged.length > 0 ? v.plugged : v.range ? [v.range] : [],
    use: v.driver === null ? 'not in use: no driver bound' : v.blocks.length > 0 ? ramUse(parts.memory, v.blocks) : v.range === null ? 'System RAM, its place is not known' : 'nothing plugged',
    blocks: v.blocks,
    nodes: nodesOf(parts, v.blocks),
    driver: v.driver,
    path: v.path,
  }));
  const pmem = parts.virtioPmem.map((v) => draft('virtio-pmem', v.name, {
    aliases: [v.pci],
    use: v.driver === null ? 'not in use: no driver bound' : 'persistent memory',
    contains: v.region === null ? [] : [`nvdimm-region:${v.region}`],
    driver: v.driver,
    path: v.path,
  }));
  return [...memory, ...pmem];
}

/** Empty sockets (no status bit set, no block) are no devices. */
export function dimmDevices(parts: Parts): Device[] {
  return parts.dimms.filter((d) => d.blocks.length > 0 || (d.status ?? 0) !== 0).map((d) => draft('dimm', d.name, {
    ranges: d.range ? [d.range] : [],
    use: d.blocks.length > 0 ? ramUse(parts.memory, d.blocks) : 'present, its blocks are not known',
    blocks: d.blocks,
    nodes: nodesOf(parts, d.blocks),
    path: d.path,
  }));
}

/**
 * Memory blocks as devices; `units` are the others, which say whom a block is part of. There may be 65,536 blocks, so what
 * can be shared between them is shared.
 */
export function blockDevices(parts: Parts, units: readonly Device[]): Device[] {
  const owners = new Map<number, string[]>();
  for (const unit of units) {
    const own = [unit.id];
    // Containers have the blocks of their contents; a block is part of the innermost.
    if (unit.contains.length === 0) for (const block of unit.blocks) owners.set(block, owners.has(block) ? [...owners.get(block)!, unit.id] : own);
  }
  const uses = new Map<string, string>();
  return parts.memory.blocks.map((block) => {
    const zone = zoneOf(block);
    const key = `${block.state} ${zone}`;
    if (!uses.has(key)) uses.set(key, `System RAM, ${block.state}${zone === null ? '' : `, zone ${zone}`}`);
    const path = `/sys/devices/system/memory/memory${block.index}`;
    return {
      id: `memory-block:${block.index}`, kind: 'memory-block', name: `memory${block.index}`, aliases: [path], ranges: [{ start: block.start, end: block.end }],
      size: block.end - block.start, use: uses.get(key)!, deviceNumbers: NONE, blocks: [block.index], nodes: block.nodes, contains: NONE,
      partOf: owners.get(block.index) ?? NONE, driver: null, path,
    };
  });
}

const NONE: readonly string[] = [];

function nodesOf(parts: Parts, blocks: readonly number[]): number[] {
  const wanted = new Set(blocks);
  return [...new Set(parts.memory.blocks.filter((b) => wanted.has(b.index)).flatMap((b) => b.nodes))].sort((a, b) => a - b);
}
