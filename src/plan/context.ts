/** Everything a plan is made from, gathered once. */
import type { Machine } from '../machine/machine.ts';
import type { Device } from '../machine/types/device.ts';
import type { MountHolder, ProcessHolder } from '../machine/types/holder.ts';
import type { Room } from '../machine/types/room.ts';
import type { Profile } from '../profile/profile.ts';
import type { Way } from '../steps/reason.ts';
import { leafFacts, type KnownFacts, type LeafFacts } from './facts/leaf-facts.ts';
import { insideOf, isCxlContainer, leavesOf } from './facts/tree.ts';

export interface PlanOptions extends KnownFacts {
  /** Systemd units that graceful may stop, by name. */
  readonly stopUnits?: readonly string[];
  /** Graceful waits so long for holders to go by themselves, in milliseconds; absent: it does not wait. */
  readonly waitMs?: number;
  /** Whether what must leave has room elsewhere, where it was looked at. */
  readonly room?: Room;
  /** Ways to plan; all that make sense where absent. */
  readonly ways?: readonly Way[];
  /**
   * Holders that cannot be made to let go (seccomp, another tracer, ...), by pid, where that was looked at: force takes
   * memory_failure() for these alone and detaches the rest. Absent: not looked at, and force is planned for all.
   */
  readonly cannotDetach?: readonly number[];
  /** Pids that must not be touched (the session, unseat itself). Pid 1 is always among them. */
  readonly protectedPids?: readonly number[];
}

export interface PlanContext {
  readonly machine: Machine;
  readonly profile: Profile;
  readonly device: Device;
  readonly options: PlanOptions;
  readonly leaves: readonly LeafFacts[];
  /** Containers, innermost first. */
  readonly containers: readonly Device[];
  /** Every process that holds one of the leaves, once, by pid. */
  readonly processes: readonly ProcessHolder[];
  readonly mounts: readonly MountHolder[];
}

/** Whether force lets this holder go by memory_failure(), and not by detach. */
export const isFailed = (c: PlanContext, p: ProcessHolder): boolean => c.options.cannotDetach?.includes(p.pid) ?? true;

const CONTAINER_ORDER: readonly Device['kind'][] = ['nvdimm-region', 'virtio-pmem', 'cxl-region', 'cxl-memdev', 'pci-slot'];

export function planContext(machine: Machine, profile: Profile, device: Device, options: PlanOptions): PlanContext {
  const through = isCxlContainer(machine, device) ? 'cxl' : 'self';
  const leaves = leavesOf(machine, device).map((leaf) => leafFacts(machine, profile, leaf, through, options));
  const containers = insideOf(machine, device).filter((d) => CONTAINER_ORDER.includes(d.kind))
    .sort((a, b) => CONTAINER_ORDER.indexOf(a.kind) - CONTAINER_ORDER.indexOf(b.kind));
  const byPid = new Map(leaves.flatMap((l) => l.processes).map((p) => [p.pid, p]));
  return {
    machine, profile, device, options, leaves, containers,
    processes: [...byPid.values()].sort((a, b) => a.pid - b.pid),
    mounts: uniqueMounts(leaves.flatMap((l) => l.mounts)),
  };
}

function uniqueMounts(mounts: readonly MountHolder[]): MountHolder[] {
  const byPlace = new Map(mounts.map((m) => [`${m.namespaceId} ${m.mountPoint} ${m.dev}`, m]));
  // Deepest first: a mount below another must go before it.
  return [...byPlace.values()].sort((a, b) => depth(b.mountPoint) - depth(a.mountPoint) || (a.mountPoint < b.mountPoint ? -1 : 1));
}

const depth = (path: string): number => path.split('/').filter((part) => part !== '').length;

/** True where memory of the device is mapped straight, so that letting go is more than closing files. */
export const hasDirect = (c: PlanContext): boolean => c.leaves.some((l) => l.direct && l.device.blocks.length === 0);
