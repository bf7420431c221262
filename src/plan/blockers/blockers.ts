/** What stands in a way of removal. */
import { displayName } from '../../host/names.ts';
import type { Blocker, Way } from '../../steps/reason.ts';
import { valueOf } from '../../profile/build.ts';
import { isFailed, type PlanContext } from '../context.ts';
import { deviceBlockers } from './device.ts';
import { memoryBlockers } from './memory.ts';
import { processBlockers } from './process.ts';

/** What stands in some way, whichever; made once for a plan. Device first, then memory, then holders by pid. */
export const allBlockers = (c: PlanContext): Blocker[] => [...deviceBlockers(c), ...memoryBlockers(c), ...processBlockers(c)];

/** Those of `all` that `way` does not overcome, and what stands in this way alone. */
export const blockersFor = (c: PlanContext, all: readonly Blocker[], way: Way): Blocker[] => [...ofWay(c, way), ...all.filter((b) => !b.overcomeBy.includes(way))];

function ofWay(c: PlanContext, way: Way): Blocker[] {
  if (way !== 'force' || !c.processes.some((p) => isFailed(c, p))) return [];
  return [...withoutEffect(c), ...mountMustGo(c)];
}

function withoutEffect(c: PlanContext): Blocker[] {
  if (valueOf(c.profile, 'fsdax.memory-failure-collects') === 'early-kill') return [];
  return [{
    reason: 'force-has-no-effect', subject: c.device.name, text: 'memory_failure() unmaps no DAX page on this kernel although it reports success',
    next: 'Use --detach, which works on every kernel.', overcomeBy: [],
  }];
}

/** After memory_failure() a mount has to stay until the device is bound again; a kernel that asks for it first does not unbind then. */
function mountMustGo(c: PlanContext): Blocker[] {
  const [mount] = c.mounts;
  if (mount === undefined || !valueOf(c.profile, 'fsdax.remove-waits-for-holder')) return [];
  return [{
    reason: 'held-by-mount', subject: displayName(mount.mountPoint), text: `this kernel does not unbind while ${displayName(mount.mountPoint)} is mounted, and after memory_failure() it has to stay mounted`,
    next: 'Use --detach or --kill: after those it can be unmounted.', overcomeBy: [],
  }];
}
