/** Asks unseat's planner, in the guest and before anything is removed, what the first removal of the scenario would do. */
import { dirname, join } from 'node:path';
import type * as inside from '../inside.ts';
import type { Guest } from './machine.ts';
import { operatorName } from './steps/unseat.ts';

export const insideOf = (guest: Guest): Promise<typeof inside> => import(join(dirname(guest.unseat), 'inside.js')) as Promise<typeof inside>;

export async function sendForecast(guest: Guest): Promise<void> {
  const step = guest.scenario.steps.find((s) => s.verb === 'unbind' || s.verb === 'pull' || s.verb === 'slotPower');
  if (!step) return;
  const name = step.verb === 'pull' ? step.argument : step.verb === 'unbind' || step.verb === 'slotPower' ? step.argument.device : '';
  const event = step.verb === 'unbind' ? 'unbind' : 'pull';
  // What is plugged later cannot be planned for yet.
  if (!guest.devices.has(name)) return;
  const device = operatorName(guest, name);
  try {
    const effects = (await insideOf(guest)).planOf(device).forecasts.find((f) => f.event === event)?.effects;
    const words = effects ? [...new Set(effects.map((e) => e.effect))].sort() : null;
    guest.channel.send({ type: 'forecast', device, event, effects: words, ...(words ? {} : { error: 'no forecast for this event' }) });
  } catch (error) {
    guest.channel.send({ type: 'forecast', device, event, effects: null, error: error instanceof Error ? error.message : String(error) });
  }
}
