/** What a step hands back before the log is added to it. */
import type { Ending, Observation } from '../../../../scenario/observation.ts';
import type { Answered, Holder } from '../holder.ts';
import type { Outcome } from '../once.ts';

export type Seen = { readonly ending: Ending } & Partial<Omit<Observation, 'step' | 'verb' | 'label' | 'ending' | 'milliseconds' | 'log'>>;

export const DONE: Seen = { ending: 'returned' };
export const notAvailable = (detail: string): Seen => ({ ending: 'not-available', detail });

export const fromOnce = (o: Outcome): Seen => ({
  ending: o.ending, ...(o.errno === undefined ? {} : { errno: o.errno }), ...(o.detail === undefined ? {} : { detail: o.detail }),
});

/** An answer of a holder that is only a yes or no. */
export function fromAnswer(holder: Holder, a: Answered): Seen {
  if (a.kind === 'reply') return a.reply.ok ? DONE : { ending: 'refused', ...(a.reply.errno === undefined ? {} : { errno: a.reply.errno }) };
  if (a.kind === 'died') return { ending: 'returned', died: { [holder.spec.name]: a.how } };
  return { ending: a.spins ? 'spins' : 'hangs', detail: a.text };
}
