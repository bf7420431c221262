/**
 * Processes that came to hold the device while we worked: forked children, a program that opened or mapped a file, a
 * holder that the plan did not know. They are let go in the way that was asked for, or the removal is called off.
 */
import { isMissing } from '../../host/fact.ts';
import type { ProcessHolder } from '../../machine/types/holder.ts';
import type { Step } from '../../steps/step.ts';
import { isStopped } from '../engine/removal.ts';
import type { Removal } from '../engine/removal.ts';
import { protectedBecause } from '../protect.ts';
import { detachStopped } from '../ways/detach/carry-out.ts';
import { holdersNow, nameOf, refOf, whatItHolds } from './holders.ts';

/** A process that maps anew each time it is let go is not chased for ever. */
const ROUNDS = 8;

/** Null when nobody holds the device any more; otherwise who does, and why that stays so. */
export async function letLatecomersGo(removal: Removal, step: Step): Promise<string | null> {
  for (let round = 0; ; round += 1) {
    const { holders, unseen } = holdersNow(removal.host, removal.devices);
    if (unseen.length > 0 && !removal.header.acceptsUnseen) return `not everything can be seen: ${unseen.slice(0, 3).join(' ')}`;
    if (holders.length === 0) return null;
    if (round === ROUNDS) return `held again and again by ${holders.map(nameOf).join(', ')}`;
    for (const holder of holders) {
      await removal.journal.write({ entry: 'latecomer', pid: holder.pid, what: whatItHolds(holder) });
      removal.progress(step, `${nameOf(holder)} holds ${whatItHolds(holder)}`);
      const why = await letGo(removal, holder, step);
      if (why !== null) return `held by ${nameOf(holder)}: ${whatItHolds(holder)}; ${why}`;
    }
  }
}

async function letGo(removal: Removal, holder: ProcessHolder, step: Step): Promise<string | null> {
  const { way } = removal.header;
  if (way === 'graceful') return 'the graceful way ends nobody (see --detach, --force, --kill, --wait)';
  const why = protectedBecause(removal.host, holder.pid, removal.own);
  if (why !== null) return why;
  const pin = holder.pins.find((p) => p.certainty === 'seen');
  if (pin !== undefined && way !== 'kill') return `it has memory pinned (${pin.evidence})`;
  return way === 'kill' ? kill(removal, holder, step) : detach(removal, holder, step);
}

async function kill(removal: Removal, holder: ProcessHolder, step: Step): Promise<string | null> {
  const process = refOf(holder);
  const sent = await removal.actions.signal(process, 'SIGKILL');
  if (!sent.ok && sent.errno !== 'ESRCH') return `SIGKILL: ${sent.errno ?? sent.detail ?? 'not sent'}`;
  const ended = await removal.actions.awaitExit(process, step.deadlineMs);
  return ended.ok ? null : 'it did not end in time';
}

async function detach(removal: Removal, holder: ProcessHolder, step: Step): Promise<string | null> {
  if (removal.trace === null) return 'this host cannot edit processes';
  const process = refOf(holder);
  let stopped = isStopped(removal, process.pid) ? removal.stopped.get(process.pid)?.stopped : undefined;
  if (stopped === undefined) {
    const now = await removal.trace.stop(process, step.deadlineMs);
    if (isMissing(now)) return now.missing === 'vanished' ? null : `it could not be stopped (${now.detail ?? now.missing})`;
    stopped = now;
    removal.stopped.set(process.pid, { process, stopped });
  }
  if (stopped.carrier === undefined) return stopped.obstacle ?? 'no thread can carry system calls';
  const outcome = await detachStopped(removal.host, removal.trace, process, removal.devices);
  return outcome.done ? null : outcome.why;
}

