/** Scenarios on the simulated kernel, with the project's own planner and engine where a step asks for them. */
import type { Host } from '../host/host.ts';
import { runScenario, type RunTools, type SimulatedRun } from '../kernel/scenario/run.ts';
import type { Seen } from '../kernel/scenario/steps/outcome.ts';
import { countFindings } from '../lab/log-findings.ts';
import { readMachine } from '../machine/read.ts';
import { inventoryFor, optionsOf } from '../plan/inventory.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Profile } from '../profile/profile.ts';
import { remove } from '../remove/engine/run.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { RemovalPlan } from '../steps/removal-plan.ts';
import { UnseatError } from '../errors/unseat-error.ts';

export const TOOLS: RunTools = {
  findings: countFindings,
  scan: (host) => ({ ending: 'returned', unseat: { devices: readMachine(host).devices.length } }),
  plan(host, device, profile) {
    const plan = planFor(host, device, profile).plan;
    return { ending: 'returned', unseat: plan };
  },
  async remove(host, device, way, profile): Promise<Seen> {
    try {
      const { plan, numbers } = planFor(host, device, profile);
      const chosen = plan.ways.find((w) => w.way === way) ?? plan.ways.find((w) => w.way === 'graceful');
      if (chosen === undefined || !chosen.possible) return { ending: 'refused', unseat: { status: 3, blockers: chosen?.blockers.map((b) => b.reason) ?? [] } };
      const record = await remove(host, plan, chosen, numbers);
      return { ending: record.status === 'done' ? 'returned' : 'refused', unseat: record, detail: record.steps.at(-1)?.says ?? '' };
    } catch (error) {
      if (!(error instanceof UnseatError)) throw error;
      return { ending: 'refused', unseat: { code: error.code }, detail: error.message };
    }
  },
};

function planFor(host: Host, device: string, profile: Profile): { plan: RemovalPlan; numbers: string[] } {
  const inventory = inventoryFor(host, device);
  const plan = makePlan(inventory.machine, inventory.device, optionsOf(inventory), { profile, exact: true, says: '', overridden: [] });
  return { plan, numbers: [...new Set(inventory.leaves.flatMap((l) => l.deviceNumbers))] };
}

/** @throws UnseatError UNSUPPORTED where the machine cannot be simulated on this kernel */
export const simulateScenario = (scenario: Scenario, profile: Profile): Promise<SimulatedRun> => runScenario(scenario, profile, TOOLS);
