/** Detaching one stopped process: read what it holds, decide, copy, check, replace, and look again. */
import { isMissing } from '../../../host/fact.ts';
import type { ChainResult, InjectedCall, Trace } from '../../../host/trace.ts';
import type { Host } from '../../../host/host.ts';
import type { ProcessRef } from '../../../host/actions.ts';
import { decideDetach } from './decide.ts';
import type { Detach } from './decide.ts';
import { fullPipes } from './full-pipes.ts';
import { holdsNothing, readHeld } from './held.ts';
import { roomObstacle } from './room.ts';

export type DetachOutcome =
  | { readonly done: true; readonly calls: number; readonly copyBytes: number }
  /** `touched`: some of it was replaced and stays so; the process goes on without that part. */
  | { readonly done: false; readonly touched: boolean; readonly definite: boolean; readonly why: string };

const CHAIN_MS = 5_000;
/** Copies are given a second for each 200 MiB. */
const COPY_BYTES_PER_MS = 200 * 1024;

/** `acceptPins`: a pin by a pipe that is possible was accepted by name. */
export async function detachStopped(host: Host, trace: Trace, process: ProcessRef, devices: ReadonlySet<string>, acceptPins = false): Promise<DetachOutcome> {
  const pin = acceptPins ? null : fullPipes(host, trace, process, devices);
  if (pin !== null) return refused(`${pin} (--accept pin-possible)`);
  const held = readHeld(host, process.pid, devices);
  if (isMissing(held)) return held.missing === 'vanished' || held.missing === 'absent' ? ended : refused(`${held.path} could not be read (${held.detail ?? held.missing})`);
  if (holdsNothing(held)) return { done: true, calls: 0, copyBytes: 0 };
  const detach = decideDetach(held);
  if (typeof detach === 'string') return refused(detach);
  const noRoom = roomObstacle(host, process.pid, detach.copyBytes);
  if (noRoom !== null) return refused(noRoom);
  const copied = await copy(trace, process, detach);
  if (copied !== null) return copied;
  return replace(host, trace, process, detach, devices);
}

const ended: DetachOutcome = { done: true, calls: 0, copyBytes: 0 };
const refused = (why: string): DetachOutcome => ({ done: false, touched: false, definite: true, why });

async function copy(trace: Trace, process: ProcessRef, detach: Detach): Promise<DetachOutcome | null> {
  if (detach.copy.length === 0) return null;
  const result = await trace.inject(process, detach.copy, CHAIN_MS + detach.copyBytes / COPY_BYTES_PER_MS);
  const wrong = unexpected(detach.copy, result);
  if (wrong === null) return null;
  if (result.definite) await trace.inject(process, detach.abandon, CHAIN_MS);
  return { done: false, touched: false, definite: result.definite, why: `the private copy failed: ${wrong}` };
}

async function replace(host: Host, trace: Trace, process: ProcessRef, detach: Detach, devices: ReadonlySet<string>): Promise<DetachOutcome> {
  let wrong: string | null = null;
  let definite = true;
  let touched = false;
  for (const chain of detach.replace) {
    const result = await trace.inject(process, chain, CHAIN_MS);
    wrong = unexpected(chain, result);
    definite = result.definite;
    touched ||= !definite || result.results.length > 0;
    if (wrong !== null) break;
  }
  const after = readHeld(host, process.pid, devices);
  const gone = isMissing(after) ? after.missing === 'vanished' || after.missing === 'absent' : holdsNothing(after);
  // What counts is what the process holds now; results only say why it is not what was wanted.
  if (gone) return { done: true, calls: detach.copy.length + detach.replace.flat().length, copyBytes: detach.copyBytes };
  return { done: false, touched, definite, why: wrong ?? 'something of the device is still held after every call succeeded' };
}

function unexpected(chain: readonly InjectedCall[], result: ChainResult): string | null {
  for (const [i, { name, expect }] of chain.entries()) {
    const got = result.results[i];
    if (got === undefined) return `${name} did not return (${result.detail ?? result.errno ?? 'no reason given'})`;
    if (got !== expect) return `${name} returned ${got} instead of ${expect}`;
  }
  return null;
}
