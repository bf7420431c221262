/** What stands in a way of removal. */
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
  const failed = c.processes.filter((p) => isFailed(c, p));
  if (way !== 'force' || failed.length === 0 || valueOf(c.profile, 'fsdax.memory-failure-unmaps')) return [];
  return [{
    reason: 'force-has-no-effect', subject: c.device.name, text: 'memory_failure() unmaps no DAX page on this kernel although it reports success',
    next: 'Use --detach, which works on every kernel.', overcomeBy: [],
  }];
}
