/** The virtio-mem devices of a captured machine, in the simulated kernel: what the host lends is plugged and online as it was. */
import { rangeSize } from '../range/phys-range.ts';
import type { Machine } from '../machine/machine.ts';
import type { VirtioMem } from '../machine/types/bus.ts';
import { createVirtioMem, subBlockSize } from '../kernel/drivers/virtio/virtio_mem.ts';
import type { HotplugPlaces } from '../kernel/host/world.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { hotplug, MMOP_WORDS } from '../kernel/mm/memory_hotplug/hotplug.ts';
import { must } from '../kernel/setup/run.ts';
import { requestSize } from '../kernel/setup/virtio-mem.ts';

export interface TwinVirtioMems {
  readonly made: HotplugPlaces['virtioMems'][number][];
  /** What the capture has and the twin has not, one sentence each. */
  readonly left: string[];
}

export function makeVirtioMems(k: Kernel, machine: Machine): TwinVirtioMems {
  const result: TwinVirtioMems = { made: [], left: [] };
  for (const device of machine.virtioMem) {
    const why = unlike(k, machine, device);
    if (why !== null) result.left.push(`${device.name}: ${why}`);
    else result.made.push({ name: device.name, vm: makeOne(k, machine, device), path: device.path });
  }
  return result;
}

const blocksOf = (machine: Machine, device: VirtioMem) => machine.memory.blocks.filter((b) => device.blocks.includes(b.index));
const zoneOf = (machine: Machine, device: VirtioMem): string | null => blocksOf(machine, device)[0]?.validZones?.[0] ?? null;
const pluggedBytes = (device: VirtioMem): number => device.plugged.reduce((sum, r) => sum + rangeSize(r), 0);

/** Why the simulated driver would not come to this state; null where it does: it plugs from the bottom up, whole blocks of one kind. */
function unlike(k: Kernel, machine: Machine, device: VirtioMem): string | null {
  const blocks = blocksOf(machine, device);
  // drivers/virtio/virtio_mem.c and driver-managed memory both came with 5.8.
  if (!k.mechanism('ram.driver-managed')) return 'this kernel has no virtio_mem';
  if (device.driver === null || device.range === null) return 'without its driver nothing shows its memory';
  if (device.range.start % k.geo.memoryBlockSize !== 0 || rangeSize(device.range) % subBlockSize(k) !== 0) return 'its region does not begin and end with blocks';
  if (blocks.length * k.geo.memoryBlockSize !== pluggedBytes(device) || blocks.some((b) => b.start >= device.range!.start + pluggedBytes(device))) return 'its memory is not plugged from the bottom up';
  if (blocks.some((b) => b.state !== 'online' || b.validZones?.[0] !== zoneOf(machine, device) || b.nodes[0] !== blocks[0]?.nodes[0])) return 'its blocks are not all online in one zone of one node';
  return null;
}

function makeOne(k: Kernel, machine: Machine, device: VirtioMem): number {
  const range = device.range!;
  const vm = must(k, createVirtioMem(k, { name: device.name, addr: range.start, size: rangeSize(range), nid: blocksOf(machine, device)[0]?.nodes[0] ?? 0 }), device.name);
  const { autoOnline } = hotplug(k);
  const before = k.heap.load(autoOnline);
  // Who brought the blocks online afterwards (udev, an administrator) is not in the capture; the outcome is.
  k.heap.store(autoOnline, MMOP_WORDS.indexOf(zoneOf(machine, device) === 'Movable' ? 'online_movable' : 'online_kernel'));
  requestSize(k, vm, pluggedBytes(device));
  k.heap.store(autoOnline, before);
  return vm;
}
