/** A plan from an inventory and a profile. Pure: nothing is read, nothing is touched. */
import type { Machine } from '../machine/machine.ts';
import type { Device } from '../machine/types/device.ts';
import { selectProfile, type Selection } from '../profile/select.ts';
import type { Blocker, Way } from '../steps/reason.ts';
import type { RemovalPlan, WayPlan } from '../steps/removal-plan.ts';
import { allBlockers, blockersFor } from './blockers/blockers.ts';
import { consequences } from './consequences.ts';
import { hasDirect, planContext, type PlanContext, type PlanOptions } from './context.ts';
import { forecastsFor } from './forecast/forecast.ts';
import { knownBad } from './known-bad/known-bad.ts';
import { probesOf } from './probes.ts';
import { stepsFor } from './steps/steps.ts';
import { unseen } from './unseen.ts';

/**
 * The plan for removing `device`. `machine.holders` must hold the holders of the device's leaves (a blocker says so
 * where it does not). The profile is chosen by the machine's kernel, or given as `selection`.
 */
export function makePlan(machine: Machine, device: Device, options: PlanOptions = {}, selection?: Selection): RemovalPlan {
  const chosen = selection ?? selectProfile(machine.kernel.release, probesOf(machine));
  const context = planContext(machine, chosen.profile, device, options);
  const all = allBlockers(context);
  return {
    device: device.id,
    deviceName: device.name,
    kernel: { release: machine.kernel.release, profile: chosen.profile.name, exact: chosen.exact, says: chosen.says },
    forecasts: forecastsFor(machine, chosen.profile, device, options),
    ways: (options.ways ?? waysFor(context)).map((way) => wayPlan(context, all, way)),
    knownBad: knownBad(context),
    unseen: unseen(context),
  };
}

/** Graceful always; letting go only where somebody holds on; memory_failure only where pages of a file system are mapped. */
function waysFor(c: PlanContext): Way[] {
  if (c.processes.length === 0) return ['graceful'];
  const forced = hasDirect(c) && c.leaves.some((l) => l.direct && l.mounts.length > 0 && l.mapped.length > 0);
  return forced ? ['graceful', 'detach', 'force', 'kill'] : ['graceful', 'detach', 'kill'];
}

function wayPlan(c: PlanContext, all: readonly Blocker[], way: Way): WayPlan {
  const blockers = blockersFor(c, all, way);
  return { way, possible: blockers.length === 0, blockers, consequences: consequences(c, way), steps: stepsFor(c, way) };
}
