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

export interface Latecomers {
  /** Null when nobody holds the device any more; otherwise who does, and why that stays so. */
  readonly why: string | null;
  /** How many were let go: they stay so. */
  readonly letGo: number;
}

export async function letLatecomersGo(removal: Removal, step: Step): Promise<Latecomers> {
  const before = removal.latecomers.letGo;
  const end = (why: string | null): Latecomers => ({ why, letGo: removal.latecomers.letGo - before });
  for (let round = 0; ; round += 1) {
    const { holders, unseen } = holdersNow(removal.host, removal.devices);
    if (unseen.length > 0 && !removal.header.acceptsUnseen) return end(`not everything can be seen: ${unseen.slice(0, 3).join(' ')}`);
    if (holders.length === 0) return end(null);
    if (round === ROUNDS) return end(`held again and again by ${holders.map(nameOf).join(', ')}`);
    for (const holder of holders) {
      await removal.journal.write({ entry: 'latecomer', pid: holder.pid, what: whatItHolds(holder) });
      removal.progress(step, `${nameOf(holder)} holds ${whatItHolds(holder)}`);
      const { why, touched } = await letGo(removal, holder, step);
      if (touched || why === null) removal.latecomers.letGo += 1;
      if (why !== null) return end(`held by ${nameOf(holder)}: ${whatItHolds(holder)}; ${why}`);
    }
  }
}

interface Gone {
  /** Null when it holds nothing any more. */
  readonly why: string | null;
  /** Something of it was replaced or ended. */
  readonly touched: boolean;
}

const untouched = (why: string | null): Gone => ({ why, touched: false });

async function letGo(removal: Removal, holder: ProcessHolder, step: Step): Promise<Gone> {
  const { way } = removal.header;
  if (way === 'graceful') return untouched('the graceful way ends nobody (see --detach, --force, --kill, --wait)');
  const why = protectedBecause(removal.host, holder.pid, removal.own);
  if (why !== null) return untouched(why);
  const pin = holder.pins.find((p) => p.certainty === 'seen');
  if (pin !== undefined && way !== 'kill') return untouched(`it has memory pinned (${pin.evidence})`);
  return way === 'kill' ? kill(removal, holder, step) : detach(removal, holder, step);
}

async function kill(removal: Removal, holder: ProcessHolder, step: Step): Promise<Gone> {
  const process = refOf(holder);
  const sent = await removal.actions.signal(process, 'SIGKILL');
  if (!sent.ok && sent.errno !== 'ESRCH') return untouched(`SIGKILL: ${sent.errno ?? sent.detail ?? 'not sent'}`);
  const ended = await removal.actions.awaitExit(process, step.deadlineMs);
  return { why: ended.ok ? null : 'it did not end in time', touched: true };
}

async function detach(removal: Removal, holder: ProcessHolder, step: Step): Promise<Gone> {
  if (removal.trace === null) return untouched('this host cannot edit processes');
  const process = refOf(holder);
  let stopped = isStopped(removal, process.pid) ? removal.stopped.get(process.pid)?.stopped : undefined;
  if (stopped === undefined) {
    const now = await removal.trace.stop(process, step.deadlineMs);
    if (isMissing(now)) {
      // Its answer may be lost, and the stop not.
      await removal.trace.release(process);
      return untouched(now.missing === 'vanished' ? null : `it could not be stopped (${now.detail ?? now.missing})`);
    }
    stopped = now;
    removal.stopped.set(process.pid, { process, stopped });
  }
  if (stopped.carrier === undefined) return untouched(stopped.obstacle ?? 'no thread can carry system calls');
  const outcome = await detachStopped(removal.host, removal.trace, process, removal.devices, removal.header.acceptsPins === true);
  return outcome.done ? { why: null, touched: true } : { why: outcome.why, touched: outcome.touched };
}

