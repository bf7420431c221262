/** Entry of the thread that helps to read ahead. */
import { workerData } from 'node:worker_threads';
import { isMissing } from '../fact.ts';
import { LiveFiles } from './files.ts';
import { gather, type Gathered } from './gather.ts';
import { pack } from './packing.ts';
import { LiveProcesses } from './processes.ts';
import { DONE, takeLots, type Sent, type WorkerTask } from './read-ahead.ts';

/** Processes in one message. */
const BATCH = 64;

function work({ pids, devices, control, port, pageSize }: WorkerTask): void {
  const processes = new LiveProcesses(new LiveFiles(), pageSize);
  const wanted = new Set(devices);
  let batch: Sent[] = [];
  try {
    takeLots(pids, control, (pid) => {
      batch.push(packed(gather(processes, pid, wanted)));
      if (batch.length < BATCH) return;
      port.postMessage(batch);
      batch = [];
    });
    port.postMessage(batch);
  } finally {
    Atomics.store(control, DONE, 1);
    Atomics.notify(control, DONE);
  }
}

function packed({ mappings, ...rest }: Gathered): Sent {
  if (mappings === undefined) return rest;
  return { ...rest, mappings: isMissing(mappings) ? mappings : pack(mappings) };
}

export const start = (): void => work(workerData as WorkerTask);

if (import.meta.filename.endsWith('read-ahead-worker.ts')) start();
