/** Asks unseat, in the guest and before anything is removed, what the first removal of the scenario would do. */
import type { Guest } from './machine.ts';
import { operatorName, unseat } from './steps/unseat.ts';

interface PlanJson { readonly forecasts?: readonly { readonly event: string; readonly effects: readonly { readonly effect: string; readonly certainty: string }[] }[] }

export async function sendForecast(guest: Guest): Promise<void> {
  const step = guest.scenario.steps.find((s) => s.verb === 'unbind' || s.verb === 'pull' || s.verb === 'slotPower');
  if (!step) return;
  const name = step.verb === 'pull' ? step.argument : step.verb === 'unbind' || step.verb === 'slotPower' ? step.argument.device : '';
  const event = step.verb === 'unbind' ? 'unbind' : 'pull';
  const device = operatorName(guest, name);
  const ran = await unseat(guest, ['plan', device], 90_000);
  const plan = ran.json as PlanJson | null;
  const effects = plan?.forecasts?.find((f) => f.event === event)?.effects;
  guest.channel.send({
    type: 'forecast', device, event, effects: effects ? [...new Set(effects.map((e) => e.effect))].sort() : null,
    ...(effects ? {} : { error: ran.timedOut ? 'unseat plan did not end in its time' : ran.stderr || 'no forecast for this event' }),
  });
}
