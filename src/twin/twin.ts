/**
 * A captured machine as a simulated one: the same memory, devices, mounts and holders, so that what is asked of the capture can
 * be asked of the twin, and what is forecast for it can be done. Persistent memory, memory used as RAM through kmem,
 * virtio-mem and CXL cards are twinned; what is not (DIMMs, virtio-pmem) is listed.
 */
import { UnseatError } from '../errors/unseat-error.ts';
import type { PhysRange } from '../range/phys-range.ts';
import type { Machine } from '../machine/machine.ts';
import type { SwapArea } from '../machine/types/stack.ts';
import { swapon } from '../kernel/fs/block.ts';
import type { Profile } from '../profile/profile.ts';
import { stateStore } from '../kernel/drivers/base/block-state.ts';
import { memoryBlocks } from '../kernel/drivers/base/memory.ts';
import { MountTable } from '../kernel/host/mount-table.ts';
import { blockPlaces, FIRST_NAMESPACE, type World } from '../kernel/host/world.ts';
import { MMOP, MMOP_WORDS } from '../kernel/mm/memory_hotplug/hotplug.ts';
import { bootMachine } from '../kernel/setup/boot-machine.ts';
import { mountFs } from '../kernel/setup/fsdax.ts';
import { addMount } from '../kernel/setup/process.ts';
import { run } from '../kernel/setup/run.ts';
import { cxlRanges, makeCxl } from './cxl.ts';
import { makeDevices } from './devices.ts';
import { startHolders } from './holders.ts';
import { bootRamOf, insertOtherResources, kernelImageOf } from './ram.ts';
import { makeVirtioMems } from './virtio-mem.ts';

export interface Twin {
  readonly world: World;
  /** What the capture has and the twin has not, one sentence each. */
  readonly left: readonly string[];
}

/**
 * @param machine with the holders of every leaf device (`withHolders`)
 * @param rmapbt whether its XFS file systems have a reverse map; null where it is not known: the twin has none, and hides that
 * @throws UnseatError UNSUPPORTED where the capture does not show its address map
 */
export function twinOf(machine: Machine, profile: Profile, rmapbt: boolean | null = null): Twin {
  if (machine.addressMap.hidden || machine.addressMap.resources.length === 0) {
    throw new UnseatError('UNSUPPORTED', 'a machine whose address map is hidden has no twin', { subject: machine.host.label, next: 'Take the capture as root.' });
  }
  const ram = bootRamOf(machine);
  const auto = (MMOP_WORDS as readonly string[]).includes(machine.memory.autoOnline ?? '') ? machine.memory.autoOnline as (typeof MMOP_WORDS)[number] : 'offline';
  const nodes = Math.max(2, ...machine.memory.nodes.map((n) => n.id + 1));
  const k = bootMachine({ profile, ram, nodes, reserved: kernelImageOf(machine), autoOnline: auto, memmapOnMemory: machine.memory.memmapOnMemory === 'Y', cpuNodes: machine.memory.nodes.filter((n) => n.hasCpu).map((n) => n.id) });
  const regions = machine.nvdimm.flatMap((b) => b.regions.flatMap((r): PhysRange[] => (r.range === null ? [] : [r.range])));
  insertOtherResources(k, machine, [...regions, ...cxlRanges(machine), ...machine.virtioMem.flatMap((v) => (v.range === null ? [] : [v.range]))]);
  for (const block of machine.memory.blocks) if (block.state === 'offline' && memoryBlocks(k).find(block.index) !== 0) run(k, stateStore(k, block.index, MMOP.offline, 0));
  const cxl = makeCxl(k, machine);
  const { pmems, daxes, idle, left } = makeDevices(k, machine, cxl.pmemRegions);
  const virtioMems = makeVirtioMems(k, machine);
  const world: World = {
    k, label: `twin of ${machine.host.label}`, release: machine.kernel.release ?? profile.name, version: machine.kernel.version ?? '', cmdline: machine.kernel.cmdline ?? '',
    hotplug: { cards: cxl.cards, ...(cxl.cxl === undefined ? {} : { cxl: cxl.cxl }), slots: cxl.slots, dimms: [], virtioMems: virtioMems.made },
    pmems, daxes: [...daxes, ...cxl.daxes], idle, ndBuses: cxl.ndBuses, mounts: new MountTable(k), namespaceOf: new Map(), commandOf: new Map(), cpus: 1, blocksUnreadable: rmapbt === null, ...devtmpfsOf(machine),
  };
  const supers = mountAll(world, machine, rmapbt);
  for (const swap of machine.swaps) swapAgain(world, swap);
  const others = [['virtio-pmem devices', machine.virtioPmem.length], ['DIMMs', machine.dimms.filter((d) => d.range !== null).length]] as const;
  return { world, left: [...left, ...cxl.left, ...virtioMems.left, ...others.filter(([, n]) => n > 0).map(([what, n]) => `${n} ${what}`), ...startHolders(world, machine, supers, firstNamespace(machine))] };
}

const devtmpfsOf = (machine: Machine): { devtmpfs?: string } => {
  const dev = machine.mounts.find((m) => m.fsType === 'devtmpfs')?.dev;
  return dev === undefined ? {} : { devtmpfs: dev };
};

/** The mount namespace of init, as the capture numbers it. */
export const firstNamespace = (machine: Machine): number | null => (machine.mounts.find((m) => m.seenBy === 1) ?? machine.mounts[0])?.namespaceId ?? null;

/** Swap on persistent memory; what other disks hold does not concern it. */
function swapAgain(world: World, swap: SwapArea): void {
  const place = blockPlaces(world).find((p) => p.dev === swap.dev);
  if (place !== undefined && !swap.deleted) swapon(world.k, place.record, swap.usedBytes / 1024);
}

/** Super blocks by device number. */
function mountAll(world: World, machine: Machine, rmapbt: boolean | null): ReadonlyMap<string, number> {
  const supers = new Map<string, number>();
  const first = firstNamespace(machine);
  for (const mount of machine.mounts) {
    const pmem = world.pmems.find((p) => p.dev === mount.dev);
    if (pmem === undefined || (mount.fsType !== 'ext4' && mount.fsType !== 'xfs')) continue;
    const known = supers.get(mount.dev);
    const sb = known ?? mountFs(world.k, pmem.device, { type: mount.fsType, readOnly: mount.superOptions.includes('ro'), rmapbt: mount.fsType === 'xfs' && rmapbt === true });
    if (known !== undefined) addMount(world.k, sb);
    supers.set(mount.dev, sb);
    world.mounts.add(sb, mount.mountPoint, mount.namespaceId === first ? FIRST_NAMESPACE : mount.namespaceId, mount.options.join(','));
  }
  return supers;
}
