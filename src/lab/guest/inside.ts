/**
 * What the agent does with unseat in its own process: an entry of the bundle beside unseat itself, loaded when first asked for. Under
 * emulation each start of Node costs seconds. The same functions as the commands call; scenarios that remove run the command itself.
 */
import { openLive } from '../../host/live/open.ts';
import { inventoryFor, optionsOf } from '../../plan/inventory.ts';
import { makePlan } from '../../plan/make-plan.ts';
import { remove } from '../../remove/engine/run.ts';
import type { RemovalRecord } from '../../remove/record.ts';
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

export const detachFrom = (device: string): Promise<RemovalRecord> => removeBy(device, 'detach');

/**
 * One removal, by the functions that `unseat remove` calls, with a host of its own as the command has: a host remembers what it read.
 * The child that stops processes is up before, so that nothing measured here contains the start of Node, which stops nobody.
 * @throws UnseatError where nothing may begin
 */
export async function removeBy(device: string, asked: 'detach' | 'force'): Promise<RemovalRecord> {
  const host = openLive();
  try {
    const inventory = inventoryFor(host, device);
    const plan = makePlan(inventory.machine, inventory.device, { ...optionsOf(inventory), protectedPids: [process.pid] });
    const way = plan.ways.find((w) => w.way === asked) ?? plan.ways.find((w) => w.way === 'graceful');
    if (way === undefined) throw new Error(`no way to remove ${device}`);
    await host.trace?.putBackWhenGone?.([]);
    return await remove(host, plan, way, [...new Set(inventory.leaves.flatMap((l) => l.deviceNumbers))], { own: [process.pid] });
  } finally {
    host.close();
  }
}
