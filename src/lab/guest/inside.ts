/**
 * What the agent does with unseat in its own process: an entry of the bundle beside unseat itself, loaded when first asked for. Under
 * emulation each start of Node costs seconds. The same functions as the commands call; scenarios that remove run the command itself.
 */
import { openLive } from '../../host/live/open.ts';
import { inventoryFor, optionsOf } from '../../plan/inventory.ts';
import { makePlan } from '../../plan/make-plan.ts';
import type { RemovalPlan } from '../../steps/removal-plan.ts';

/** @throws UnseatError where there is no such device */
export function planOf(device: string): RemovalPlan {
  const host = openLive();
  try {
    const inventory = inventoryFor(host, device);
    return makePlan(inventory.machine, inventory.device, { ...optionsOf(inventory), protectedPids: [process.pid] });
  } finally {
    host.close();
  }
}
