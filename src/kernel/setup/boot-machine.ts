/**
 * A machine from plain data: RAM with its nodes, what the kernel keeps for itself, ranges left out for pmem, parameters.
 * Everything else (devices, users, pins) is added to it by the other files of this folder.
 */
import type { Profile } from '../../profile/profile.ts';
import type { PhysRange } from '../../range/phys-range.ts';
import { GiB } from '../../range/units.ts';
import { MMOP_WORDS, hotplug } from '../mm/memory_hotplug/hotplug.ts';
import { setCpuNodes } from '../mm/memory_hotplug/try-offline-node.ts';
import { bootRam, type RamRange } from '../mm/boot.ts';
import { fillPages } from '../mm/memmap-fill.ts';
import { links, MIGRATE, PG, TYPE } from '../mm/page-template.ts';
import { makeTable, pageNode, pageZone } from '../mm/page.ts';
import { MEM, memoryBlocks } from '../drivers/base/memory.ts';
import { addBlockNid } from '../drivers/base/node.ts';
import type { GeometryInput } from '../geometry.ts';
import { Kernel } from '../kernel.ts';
import { allocResource, insertResource, IORESOURCE_MEM } from '../resource.ts';

export interface MachineInput {
  readonly profile: Profile;
  /** RAM in bytes, half open, sorted by address. */
  readonly ram: readonly RamRange[];
  readonly geometry?: GeometryInput;
  /** Nodes with CPUs; [0] unless told. */
  readonly cpuNodes?: readonly number[];
  /** NUMA nodes that can ever be there; 8 unless told. */
  readonly nodes?: number;
  /** What the kernel image, the boot memmap and the like occupy: reserved pages inside RAM. */
  readonly reserved?: readonly PhysRange[];
  /** Ranges that firmware or `memmap=` gives to pmem: `Persistent Memory (legacy)` resources without memmap. */
  readonly pmem?: readonly PhysRange[];
  readonly movableNode?: boolean;
  /** memory_hotplug.memmap_on_memory=Y. */
  readonly memmapOnMemory?: boolean;
  /** auto_online_blocks; `offline` unless told. */
  readonly autoOnline?: (typeof MMOP_WORDS)[number];
  readonly concurrent?: boolean;
  readonly quietLog?: boolean;
}

/** Boots the machine: sections, zones, blocks and resources as the kernel makes them. */
export function bootMachine(input: MachineInput): Kernel {
  const k = new Kernel({
    profile: input.profile, concurrent: input.concurrent ?? false, quietLog: input.quietLog ?? false, nodes: input.nodes ?? 8,
    ...(input.geometry ? { geometry: input.geometry } : {}),
  });
  const shared = hotplug(k);
  k.heap.store(shared.movableNode, input.movableNode ? 1 : 0);
  k.heap.store(shared.memmapOnMemory, input.memmapOnMemory ? 1 : 0);
  k.heap.store(shared.autoOnline, MMOP_WORDS.indexOf(input.autoOnline ?? 'offline'));
  setCpuNodes(k, input.cpuNodes ?? [0]);
  bootRam(k, input.ram);
  for (const range of input.reserved ?? []) reservePages(k, range);
  for (const range of input.pmem ?? []) pmemResource(k, range);
  memoryDevInit(k, input.ram);
  return k;
}

/** 2 GiB of RAM on one node, for machines whose devices are what matters. */
export const makeMachine = (input: Pick<MachineInput, 'profile' | 'concurrent'> & { readonly ram?: MachineInput['ram'] }): Kernel =>
  bootMachine({ ram: [{ start: 0, end: 2 * GiB, nid: 0 }], quietLog: input.concurrent ?? false, ...input });

/** memory_dev_init: a block for every run of sections with boot memory, online, linked to its nodes. */
function memoryDevInit(k: Kernel, ram: readonly RamRange[]): void {
  const blocks = memoryBlocks(k);
  for (const range of ram) {
    const first = Math.floor(range.start / k.geo.memoryBlockSize);
    for (let id = first; id * k.geo.memoryBlockSize < range.end; id += 1) {
      const known = blocks.find(id);
      const block = known !== 0 ? known : blocks.add(id, -1, MEM.online, 0);
      addBlockNid(k, id, block, range.nid, true);
    }
  }
}

/** memblock_reserve: free pages become reserved ones that never leave. Bytes; whole pages inside. */
export function reservePages(k: Kernel, range: PhysRange): void {
  const end = Math.floor(range.end / k.geo.pageSize);
  for (let pfn = Math.ceil(range.start / k.geo.pageSize); pfn < end;) {
    const count = Math.min(end - pfn, k.sparse.ppss - (pfn % k.sparse.ppss));
    const zone = pageZone(k, pfn, 'memblock_reserve');
    const nid = pageNode(k, pfn, 'memblock_reserve');
    if (count < k.sparse.ppss) k.heap.add(makeTable(k, pfn), -count);
    fillPages(k, pfn, count, k.sparse.templates.of([PG.reserved, links(zone, nid, 0, TYPE.none, MIGRATE.movable), 1]));
    k.zones.add(nid, zone, 'free', -count);
    k.zones.add(nid, zone, 'managed', -count);
    pfn += count;
  }
}

/** A range that the memory map calls persistent: a resource, and no memmap until a driver asks for one. */
export function pmemResource(k: Kernel, range: PhysRange, name = 'Persistent Memory (legacy)'): number {
  const res = allocResource(k, range.start, range.end - 1, name, IORESOURCE_MEM);
  insertResource(k, k.resources.root, res);
  return res;
}
