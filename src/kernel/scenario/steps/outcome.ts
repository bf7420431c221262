/** What a step hands back before the log is added to it, and how paths of the kernel become that. */
import type { Ending, Observation } from '../../../scenario/observation.ts';
import { errnoName } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import type { Ran } from '../../setup/run.ts';
import type { Path } from '../../state/path.ts';
import { threads, type Thread } from '../../threads.ts';

export type Seen = { readonly ending: Ending } & Partial<Omit<Observation, 'step' | 'verb' | 'label' | 'ending' | 'milliseconds' | 'log'>>;

export const DONE: Seen = { ending: 'returned' };
export const notAvailable = (detail: string): Seen => ({ ending: 'not-available', detail });
export const fromRc = (rc: number): Seen => (rc < 0 ? { ending: 'refused', errno: errnoName(rc) } : DONE);

export function fromRan(ran: Ran): Seen {
  if (ran.oops !== null) return { ending: 'oops', detail: ran.oops };
  if (ran.spins !== null) return { ending: 'spins', detail: ran.spins };
  return ran.hangs !== null ? { ending: 'hangs', detail: ran.hangs } : fromRc(ran.rc);
}

/** A loop in the kernel that keeps a CPU busy is labelled `R ...`; everything else sleeps. */
export function fromThread(thread: Thread): Seen {
  if (thread.state === 'dead') return { ending: 'oops', detail: thread.oops?.where ?? '' };
  if (thread.state === 'done') return fromRc(thread.result);
  return { ending: thread.where.startsWith('R ') ? 'spins' : 'hangs', detail: thread.where.slice(2) };
}

/**
 * A write by a shell. It may wait for somebody else (a pin, another lock): then it goes on when that moves. With
 * `killed` it gets a fatal signal at its deadline, as a helper program of the lab does.
 */
export function inShell(k: Kernel, name: string, make: (signal: number) => Path<number>, killed = false): Seen {
  const thread = threads(k).spawn(name, make);
  const seen = fromThread(thread);
  if (killed && thread.state === 'waiting') threads(k).kill(thread);
  return seen;
}
