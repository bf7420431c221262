/** Plans for tests: the devices of each capture that are looked at, and a plan for one of them. */
import { openCapture } from '../src/host/capture/open.ts';
import { inventoryFor, optionsOf, type PlanInventory } from '../src/plan/inventory.ts';
import { makePlan } from '../src/plan/make-plan.ts';
import type { PlanOptions } from '../src/plan/context.ts';
import { profileByName, type Selection } from '../src/profile/select.ts';
import type { Effect, RemovalEvent } from '../src/steps/forecast.ts';
import type { RemovalPlan } from '../src/steps/removal-plan.ts';
import { capturePath } from './captures.ts';

/** Capture and device, as an operator would name it. */
export const PLANNED: readonly (readonly [capture: string, device: string])[] = [
  ['cxl-region-fsdax-7.2', 'pmem0'], ['cxl-region-fsdax-7.2', 'mem1'], ['cxl-region-fsdax-7.2', 'slot:3'],
  ['cxl-region-kmem-7.2', 'dax0.0'], ['cxl-region-kmem-7.2', 'mem0'], ['cxl-region-kmem-7.2', 'slot:2'],
  ['devdax-holder-none-7.2', 'dax0.0'], ['devdax-holder-u-7.2', 'dax0.0'],
  ['fsdax-6.1-ext4', 'pmem0'], ['fsdax-6.12-xfs', 'pmem0'], ['fsdax-7.2-ext4', 'pmem0'], ['fsdax-7.2-ext4', 'region0'],
  ['many-namespaces-7.2', 'pmem0.1'], ['many-namespaces-7.2', 'region0'],
  ['mixed-ram-pmem-6.12', 'pmem0'], ['mixed-ram-pmem-6.12', 'memory8'],
  ['sysram-online-kernel-plain-7.2', 'dax0.0'], ['sysram-online-kernel-plain-7.2', 'memory33'],
  ['sysram-online-movable-plain-6.12', 'dax0.0'], ['virtio-mem-7.2', 'virtio1'],
];

export interface Planned extends PlanInventory {
  readonly plan: RemovalPlan;
}

/** `kernel`: the profile to take instead of the capture's own. */
export async function planned(capture: string, device: string, kernel?: string, options: PlanOptions = {}): Promise<Planned> {
  const host = await openCapture(capturePath(capture));
  try {
    const inventory = inventoryFor(host, device);
    return { ...inventory, plan: makePlan(inventory.machine, inventory.device, { ...optionsOf(inventory), ...options }, kernel === undefined ? undefined : asKernel(kernel)) };
  } finally {
    host.close();
  }
}

function asKernel(name: string): Selection {
  const profile = profileByName(name);
  if (profile === null) throw new Error(`no profile ${name}`);
  return { profile, exact: true, says: `profile ${name}`, overridden: [] };
}

/** The effects of an event, each with the greatest certainty that it is given. */
export function effectsOf(plan: RemovalPlan, event: RemovalEvent): Map<Effect, string> {
  const order = ['possible', 'likely', 'certain'];
  const found = new Map<Effect, string>();
  for (const e of plan.forecasts.find((f) => f.event === event)?.effects ?? []) {
    if (order.indexOf(e.certainty) > order.indexOf(found.get(e.effect) ?? '')) found.set(e.effect, e.certainty);
  }
  return found;
}
