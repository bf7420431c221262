/** Entry of the thread that helps to read ahead. */
import { workerData } from 'node:worker_threads';
import { isMissing } from '../fact.ts';
import { LiveFiles } from './files.ts';
import { gather, type Gathered } from './gather.ts';
import { pack } from './packing.ts';
import { LiveProcesses } from './processes.ts';
import { DELIVERED, FREE, WORKERS, type Sent, type WorkerTask } from './read-ahead.ts';

/** Processes in one message; the search waits for at most so many where it meets us. */
const BATCH = 16;

export function work({ pids, states, devices, port, pageSize }: WorkerTask): void {
  const processes = new LiveProcesses(new LiveFiles(), pageSize);
  processes.askByNumber();
  const wanted = new Set(devices);
  let batch: Sent[] = [];
  let taken: number[] = [];
  const deliver = (): void => {
    port.postMessage(batch);
    for (const at of taken) {
      Atomics.store(states, at, DELIVERED);
      Atomics.notify(states, at);
    }
    [batch, taken] = [[], []];
  };
  try {
    for (let at = pids.length - 1; at >= 0; at -= 1) {
      // The search has come from the other end.
      if (Atomics.compareExchange(states, at, FREE, WORKERS) !== FREE) break;
      taken.push(at);
      batch.push(packed(gather(processes, pids[at] ?? 0, wanted)));
      if (batch.length === BATCH) deliver();
    }
  } finally {
    deliver();
  }
}

function packed({ mappings, ...rest }: Gathered): Sent {
  if (mappings === undefined) return rest;
  return { ...rest, mappings: isMissing(mappings) ? mappings : pack(mappings) };
}

export const start = (): void => work(workerData as WorkerTask);

if (import.meta.filename.endsWith('read-ahead-worker.ts')) start();
