/** Entry of the second thread of a sweep. */
import { workerData } from 'node:worker_threads';
import { LiveFiles } from './files.ts';
import { wantedOf, type Gathered } from './gather.ts';
import { native } from './native.ts';
import { LiveProcesses } from './processes.ts';
import { gatherer } from './quick-gather.ts';
import { DONE, FREE, WORKERS, type WorkerStart, type WorkerTask } from './sweep-helper.ts';

/** Holders in one message; the search waits for at most so many where it meets us. */
const BATCH = 16;

export function work(processes: LiveProcesses, { pids, states, devices, portraits }: WorkerTask, send: (batch: readonly Gathered[]) => void): void {
  const gather = gatherer(processes, wantedOf(new Set(devices), portraits), true);
  let batch: Gathered[] = [];
  let taken: number[] = [];
  const done = (at: number): void => {
    Atomics.store(states, at, DONE);
    Atomics.notify(states, at);
  };
  const deliver = (): void => {
    if (batch.length > 0) send(batch);
    taken.forEach(done);
    [batch, taken] = [[], []];
  };
  try {
    for (let at = pids.length - 1; at >= 0; at -= 1) {
      // The search has come from the other end.
      if (Atomics.compareExchange(states, at, FREE, WORKERS) !== FREE) break;
      const found = gather.of(pids[at] ?? 0);
      if (found === undefined) {
        done(at);
        continue;
      }
      taken.push(at);
      batch.push(found);
      if (batch.length === BATCH) deliver();
    }
  } finally {
    gather.end();
    deliver();
  }
}

/** A new list of processes for each task: inodes are known for the length of one look. */
export function start(): void {
  const { port, pageSize } = workerData as WorkerStart;
  native();
  port.on('message', (task: WorkerTask) => {
    const processes = new LiveProcesses(new LiveFiles(), pageSize);
    processes.askByNumber();
    work(processes, task, (batch) => port.postMessage(batch));
  });
}

if (import.meta.filename.endsWith('sweep-worker.ts')) start();
