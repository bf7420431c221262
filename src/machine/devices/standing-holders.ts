/** Holders that are no processes: mounts, stacked block devices, swap, online memory blocks. All from the inventory. */
import type { Machine } from '../machine.ts';
import type { Device } from '../types/device.ts';
import type { BlockHolder, Holder, MountHolder, StackHolder, SwapHolder } from '../types/holder.ts';
import { stackOn } from './block-use.ts';
import type { Parts } from './draft.ts';
import { zoneOf } from './ram-use.ts';

export function standingHolders(machine: Pick<Machine, keyof Parts>, device: Device): Holder[] {
  const numbers = new Set(device.deviceNumbers);
  return [...mounts(machine, numbers), ...stacked(machine, device), ...swaps(machine, numbers), ...blocks(machine, device)];
}

/** In every mount namespace, and an overlay as well as the file system that it has its layers on. */
function mounts(machine: Pick<Machine, 'mounts'>, numbers: ReadonlySet<string>): MountHolder[] {
  return machine.mounts.filter((m) => numbers.has(m.dev)).map((m) => ({
    kind: 'mount', namespaceId: m.namespaceId, seenBy: m.seenBy, mountPoint: m.mountPoint, fsType: m.fsType, source: m.source, dax: m.dax, dev: m.dev,
  }));
}

function stacked(machine: Pick<Machine, 'blockDevices'>, device: Device): StackHolder[] {
  return machine.blockDevices.filter((b) => device.aliases.includes(`/dev/${b.name}`) && (b.name === device.name || b.kind === 'pmem'))
    .flatMap((disk) => stackOn(machine.blockDevices, disk.name).slice(1))
    .map((b) => ({ kind: 'stack', block: b.name, what: b.label === null ? b.kind : `${b.kind} ${b.label}` }));
}

const swaps = (machine: Pick<Machine, 'swaps'>, numbers: ReadonlySet<string>): SwapHolder[] =>
  machine.swaps.filter((s) => s.dev !== null && numbers.has(s.dev)).map((s) => ({ kind: 'swap', path: s.path, usedBytes: s.usedBytes }));

function blocks(machine: Pick<Machine, 'memory'>, device: Device): BlockHolder[] {
  const wanted = new Set(device.blocks);
  return machine.memory.blocks.filter((b) => wanted.has(b.index) && b.state !== 'offline').map((b) => ({ kind: 'memory-block', index: b.index, zone: zoneOf(b), node: b.nodes[0] ?? null }));
}
