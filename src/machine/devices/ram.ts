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

export function blockDevices(parts: Parts): Device[] {
  return parts.memory.blocks.map((b) => draft('memory-block', `memory${b.index}`, {
    aliases: [`/sys/devices/system/memory/memory${b.index}`],
    ranges: [{ start: b.start, end: b.end }],
    use: `System RAM, ${b.state}${zoneOf(b) === null ? '' : `, zone ${zoneOf(b)}`}`,
    blocks: [b.index],
    nodes: b.nodes,
    path: `/sys/devices/system/memory/memory${b.index}`,
  }, String(b.index)));
}

function nodesOf(parts: Parts, blocks: readonly number[]): number[] {
  const wanted = new Set(blocks);
  return [...new Set(parts.memory.blocks.filter((b) => wanted.has(b.index)).flatMap((b) => b.nodes))].sort((a, b) => a - b);
}
