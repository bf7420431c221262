/** What detaching a holder would come to, before anything is touched: why it cannot be, or the calls as of now. */
import { isMissing } from '../../../host/fact.ts';
import type { ProcessRef } from '../../../host/actions.ts';
import type { Host } from '../../../host/host.ts';
import { decideDetach } from './decide.ts';
import type { Detach } from './decide.ts';
import { readHeld } from './held.ts';
import { roomObstacle } from './room.ts';

export type Foresight = { readonly possible: true; readonly detach: Detach } | { readonly possible: false; readonly why: string };

/** The process runs meanwhile: what it maps when it is stopped may differ, and is decided anew then. */
export function foreseeDetach(host: Host, process: ProcessRef, devices: ReadonlySet<string>): Foresight {
  const no = (why: string): Foresight => ({ possible: false, why });
  const obstacle = host.trace === undefined ? missingTrace(host) : host.trace.obstacle(process);
  if (isMissing(obstacle)) return no(`it cannot be looked at (${obstacle.detail ?? obstacle.missing})`);
  if (obstacle !== null) return no(obstacle);
  const held = readHeld(host, process.pid, devices);
  if (isMissing(held)) return no(`it cannot be looked at (${held.detail ?? held.missing})`);
  const detach = decideDetach(held);
  if (typeof detach === 'string') return no(detach);
  const room = roomObstacle(host, process.pid, detach.copyBytes);
  return room === null ? { possible: true, detach } : no(room);
}

/** A capture cannot be changed in any case; what its processes would do can still be told. */
const missingTrace = (host: Host): string | null => (host.kind === 'capture' ? null : 'this host cannot stop and edit processes');
