/** Detaching one stopped process: read what it holds, decide, copy, check, replace, and look again. */
import { isMissing } from '../../../host/fact.ts';
import type { ChainResult, InjectedCall, Trace } from '../../../host/trace.ts';
import type { Host } from '../../../host/host.ts';
import type { ProcessRef } from '../../../host/actions.ts';
import { CALLS_PER_CHAIN, decideDetach, inChunks } from './decide.ts';
import type { Detach } from './decide.ts';
import { fullPipes } from './full-pipes.ts';
import { holdsAny, holdsNothing, readHeld } from './held.ts';
import { roomObstacle } from './room.ts';

export type DetachOutcome =
  | { readonly done: true; readonly calls: number; readonly copyBytes: number }
  /** `touched`: some of it was replaced and stays so; the process goes on without that part. */
  | { readonly done: false; readonly touched: boolean; readonly definite: boolean; readonly why: string };

const CHAIN_MS = 5_000;
/** Copies are given a second for each 200 MiB. */
const COPY_BYTES_PER_MS = 200 * 1024;

/** Shorter chains than this are not tried: a process with less room on every stack is refused. */
const SHORTEST = 8;

/** `acceptPins`: a pin by a pipe that is possible was accepted by name. */
export async function detachStopped(host: Host, trace: Trace, process: ProcessRef, devices: ReadonlySet<string>, acceptPins = false): Promise<DetachOutcome> {
  const pin = acceptPins ? null : fullPipes(host, trace, process, devices);
  if (pin !== null) return refused(`${pin} (--accept pin-possible)`);
  let touched = false;
  for (let perChain = CALLS_PER_CHAIN; ; perChain = Math.ceil(perChain / 2)) {
    const outcome = await attempt(host, trace, process, devices, perChain);
    if (outcome.done) return outcome;
    touched ||= outcome.touched;
    // What was replaced so far is held no more: a second attempt goes on with the rest.
    if (outcome.noRoom !== true || perChain <= SHORTEST) return { ...outcome, touched };
  }
}

async function attempt(host: Host, trace: Trace, process: ProcessRef, devices: ReadonlySet<string>, perChain: number): Promise<Attempt> {
  const held = readHeld(host, process.pid, devices);
  if (isMissing(held)) return held.missing === 'vanished' || held.missing === 'absent' ? ended : refused(`${held.path} could not be read (${held.detail ?? held.missing})`);
  if (holdsNothing(held)) return { done: true, calls: 0, copyBytes: 0 };
  const detach = decideDetach(held, perChain);
  if (typeof detach === 'string') return refused(detach);
  const noRoom = roomObstacle(host, process.pid, detach.copyBytes);
  if (noRoom !== null) return refused(noRoom);
  const copied = await copy(trace, process, detach, perChain);
  if (copied !== null) return copied;
  const replaced = await replace(host, trace, process, detach, devices, held.apart.length === 0);
  // Copies that were not put into place must not stay; those that were are where their originals stood.
  if (!replaced.done && replaced.noRoom === true) await abandon(trace, process, detach, perChain);
  return replaced;
}

type Attempt = Extract<DetachOutcome, { done: true }> | (Extract<DetachOutcome, { done: false }> & { readonly noRoom?: boolean });

const ended: Extract<DetachOutcome, { done: true }> = { done: true, calls: 0, copyBytes: 0 };
const refused = (why: string): Extract<DetachOutcome, { done: false }> => ({ done: false, touched: false, definite: true, why });
const hadNoRoom = (result: ChainResult): boolean => result.errno === 'ENOSPC' && result.definite && result.results.length === 0;

/** Copies change nothing that the process can see, so their chain may be cut anywhere. */
async function copy(trace: Trace, process: ProcessRef, detach: Detach, perChain: number): Promise<Attempt | null> {
  for (const chain of inChunks(detach.copy, perChain)) {
    const result = await trace.inject(process, chain, CHAIN_MS + detach.copyBytes / COPY_BYTES_PER_MS);
    const wrong = unexpected(chain, result);
    if (wrong === null) continue;
    if (result.definite) await abandon(trace, process, detach, perChain);
    return { done: false, touched: false, definite: result.definite, why: `the private copy failed: ${wrong}`, noRoom: hadNoRoom(result) };
  }
  return null;
}

/** Where a copy was never made or has been moved, there is nothing to unmap: munmap() of nothing is no error. */
async function abandon(trace: Trace, process: ProcessRef, detach: Detach, perChain: number): Promise<void> {
  for (const chain of inChunks(detach.abandon, Math.min(perChain, SHORTEST))) await trace.inject(process, chain, CHAIN_MS);
}

async function replace(host: Host, trace: Trace, process: ProcessRef, detach: Detach, devices: ReadonlySet<string>, allShare: boolean): Promise<Attempt> {
  let wrong: string | null = null;
  let definite = true;
  let touched = false;
  let noRoom = false;
  for (const { calls, carriers } of detach.replace) {
    const result = await trace.inject(process, calls, CHAIN_MS, carriers);
    wrong = unexpected(calls, result);
    definite = result.definite;
    touched ||= !definite || result.results.length > 0;
    noRoom = hadNoRoom(result);
    if (wrong !== null) break;
  }
  const after = holdsAny(host, process.pid, devices, allShare);
  const gone = isMissing(after) ? after.missing === 'vanished' || after.missing === 'absent' : !after;
  // What counts is what the process holds now; results only say why it is not what was wanted.
  if (gone) return { done: true, calls: detach.copy.length + detach.replace.flatMap((chain) => chain.calls).length, copyBytes: detach.copyBytes };
  return { done: false, touched, definite, why: wrong ?? 'something of the device is still held after every call succeeded', noRoom };
}

function unexpected(chain: readonly InjectedCall[], result: ChainResult): string | null {
  for (const [i, { name, expect }] of chain.entries()) {
    const got = result.results[i];
    if (got === undefined) return `${name} did not return (${result.detail ?? result.errno ?? 'no reason given'})`;
    if (got !== expect) return `${name} returned ${got} instead of ${expect}`;
  }
  return null;
}
