/** Relations between devices: both directions, and what a container has from its contents. */
import { rangeSize, union, type PhysRange } from '../../range/phys-range.ts';
import type { Device } from '../types/device.ts';

/**
 * Drops relations to devices that are not there, adds `partOf`, and gives every container the device numbers, blocks,
 * nodes and (where it has none of its own) ranges of everything inside it.
 */
export function nest(devices: readonly Device[]): Device[] {
  const byId = new Map(devices.map((d) => [d.id, d]));
  const outer = new Map<string, string[]>();
  for (const device of devices) for (const id of device.contains) outer.set(id, [...(outer.get(id) ?? []), device.id]);
  return devices.map((device) => {
    const partOf = outer.get(device.id) ?? [];
    const contains = device.contains.filter((id) => byId.has(id));
    if (contains.length === 0) return { ...device, contains, partOf };
    const inside = insideOf(device, byId);
    const innermost = inside.filter((d) => d.contains.length === 0);
    const ranges = device.ranges.length > 0 ? device.ranges : union(inside.flatMap((d): readonly PhysRange[] => d.ranges));
    return {
      ...device, contains, partOf, ranges,
      size: device.size > 0 ? device.size : ranges.reduce((sum, r) => sum + rangeSize(r), 0),
      use: innermost.length > 0 ? `${device.use}: ${innermost.map((d) => `${d.name} (${d.use})`).join('; ')}` : device.use,
      deviceNumbers: distinct([...device.deviceNumbers, ...inside.flatMap((d) => d.deviceNumbers)]),
      blocks: distinct([...device.blocks, ...inside.flatMap((d) => d.blocks)]).sort((a, b) => a - b),
      nodes: distinct([...device.nodes, ...inside.flatMap((d) => d.nodes)]).sort((a, b) => a - b),
    };
  });
}

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** Everything inside, at any depth, each once. */
export const insideOf = (device: Device, byId: ReadonlyMap<string, Device>): Device[] => reachable(device.contains, byId, (d) => d.contains);

/** Devices that `ids` lead to, nearest first, each once; ids of devices that are not there are left out. */
export function reachable(ids: readonly string[], byId: ReadonlyMap<string, Device>, next: (device: Device) => readonly string[]): Device[] {
  const found = new Map<string, Device>();
  const queue = [...ids];
  for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
    const device = byId.get(id);
    if (device === undefined || found.has(id)) continue;
    found.set(id, device);
    queue.push(...next(device));
  }
  return [...found.values()];
}
