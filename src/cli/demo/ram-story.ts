/** Memory used as System RAM in the wrong zone: why it will not go, said before anything is tried. */
import { simulatedHost } from '../../kernel/host/sim-host.ts';
import { inventoryFor, optionsOf } from '../../plan/inventory.ts';
import { makePlan } from '../../plan/make-plan.ts';
import type { RemovalPlan, WayPlan } from '../../steps/removal-plan.ts';
import { ramMachine } from './machine.ts';

export interface RamStory {
  readonly plan: RemovalPlan;
  readonly graceful: WayPlan | undefined;
}

export function ramThatStays(kernel: string): RamStory {
  const host = simulatedHost(ramMachine(kernel).built.world);
  const inventory = inventoryFor(host, 'dax0.0');
  const plan = makePlan(inventory.machine, inventory.device, optionsOf(inventory));
  return { plan, graceful: plan.ways.find((way) => way.way === 'graceful') };
}
