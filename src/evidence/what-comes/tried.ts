/** One fresh machine from which a device was taken, and what every trial needs to know of it. */
import { deviceBus, deviceData, deviceDriver } from '../../kernel/drivers/base/bus.ts';
import { blocksIn, blockState, MEM, memoryBlocks } from '../../kernel/drivers/base/memory.ts';
import { devDaxEnd, devDaxStart } from '../../kernel/drivers/dax/bus.ts';
import { vmAddr, vmSize } from '../../kernel/drivers/virtio/virtio_mem.ts';
import { SB } from '../../kernel/fs/inode.ts';
import type { World } from '../../kernel/host/world.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { mmOf, VMA, vmasOf } from '../../kernel/mm/mm_struct.ts';
import { pmemRange } from '../../kernel/setup/fsdax.ts';
import { eachTask, isAlive } from '../../kernel/task.ts';
import { countFindings } from '../../lab/log-findings.ts';
import type { Make, Removal, Taken } from './removals.ts';

export interface Tried {
  readonly world: World;
  readonly k: Kernel;
  readonly device: number;
  readonly bus: string;
  /** What stands for a namespace and its disk. */
  readonly disk: number;
  readonly through: Removal['through'];
  readonly driver: number;
  readonly taken: Taken;
  /** Page frames of the device. */
  readonly range: readonly [number, number];
  readonly mounts: readonly number[];
  readonly log: ReturnType<typeof countFindings>;
}

/** Page frames of a dax device, a virtio-mem device or a namespace. */
function rangeOf(k: Kernel, device: number): readonly [number, number] {
  const [bus, data] = [deviceBus(k, device).name, deviceData(k, device)];
  if (bus === 'virtio') return [vmAddr(k, data) / k.geo.pageSize, (vmAddr(k, data) + vmSize(k, data)) / k.geo.pageSize];
  return bus === 'dax' ? [devDaxStart(k, data), devDaxEnd(k, data)] : pmemRange(k, device);
}

export function removed(make: Make, before: (world: World, device: number, range: readonly [number, number]) => void = () => undefined): Tried {
  const { world, device, removal } = make();
  const { k } = world;
  const [driver, bus, disk, range] = [deviceDriver(k, device), deviceBus(k, device).name, deviceData(k, device), rangeOf(k, device)];
  const mounts = bus !== 'nd' ? [] : world.mounts.all().map((m) => m.sb).filter((sb) => k.heap.load(sb + SB.disk) === deviceData(k, device));
  before(world, device, range);
  const mark = k.log.mark;
  const taken = removal.take(world, device);
  return { world, k, device, bus, disk, through: removal.through, driver, taken, range, mounts, log: countFindings(k.log.since(mark).map((line) => line.text)) };
}

/** VMAs of a task over files and device nodes. */
export const fileVmas = (k: Kernel, task: number): number[] => (mmOf(k, task) === 0 ? [] : [...vmasOf(k, mmOf(k, task))].filter((vma) => k.heap.load(vma + VMA.inode) !== 0));
export const tasks = (t: Tried): number[] => [...eachTask(t.k)].filter((task) => isAlive(t.k, task));

export const onlineBlocks = (k: Kernel, range: readonly [number, number]): number[] =>
  [...blocksIn(k, range[0] * k.geo.pageSize, (range[1] - range[0]) * k.geo.pageSize)].filter((id) => memoryBlocks(k).find(id) !== 0 && blockState(k, id) === MEM.online);

/** Node of the System RAM in a range. */
export function nodeOf(k: Kernel, range: readonly [number, number]): number {
  for (let nid = 0; nid < k.nodes; nid += 1) if (k.zones.nodeOnline(nid) && range[1] > k.zones.nodeStart(nid) && range[0] < k.zones.nodeEnd(nid)) return nid;
  return 0;
}
