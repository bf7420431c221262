/**
 * The second thread of a sweep, seen from the first. The search goes through the pids upward and the worker downward,
 * until they meet; each pid is claimed in a shared array first, so that a worker that starts late or not at all only
 * means less help.
 */
import { availableParallelism } from 'node:os';
import type { MessagePort, Worker } from 'node:worker_threads';
import type { DeviceNumber } from '../host.ts';
import { childEntry } from './entry.ts';
import type { Gathered } from './gather.ts';

/** How long an answer of the worker is waited for, in milliseconds; after that the pid is read here. */
const PATIENCE = 5_000;

/** States of a pid in the shared array. */
export const FREE = 0;
export const OURS = 1;
export const WORKERS = 2;
/** Looked at by the worker; what it found, if anything, has been sent before. */
export const DONE = 3;

/** What the worker is started with; tasks come through the port. */
export interface WorkerStart {
  readonly port: MessagePort;
  readonly pageSize: number;
}

export interface WorkerTask {
  readonly pids: Int32Array;
  readonly states: Int32Array;
  readonly devices: readonly DeviceNumber[];
  readonly portraits: boolean;
}

/**
 * On two processors both threads of the search are at work: what V8 compiles on threads of its own takes a tenth of the time away
 * from them, and comes later. This is for the worker, whose V8 starts after it; the first thread is not changed any more.
 */
function compileWhereItRuns(): void {
  if (availableParallelism() <= 2) process.getBuiltinModule('node:v8').setFlagsFromString('--no-concurrent-recompilation');
}

export class SweepHelper {
  private readonly worker: Worker;
  private readonly port: MessagePort;
  private readonly receive: (port: MessagePort) => { message: unknown } | undefined;
  private states = new Int32Array(0);

  constructor(pageSize: number) {
    compileWhereItRuns();
    // Loaded only here: start-up does not pay for it.
    const { MessageChannel, receiveMessageOnPort, Worker: Thread } = process.getBuiltinModule('node:worker_threads');
    const { port1, port2 } = new MessageChannel();
    const [file, ...argv] = childEntry('sweep-worker.ts');
    const workerData: WorkerStart = { port: port2, pageSize };
    this.worker = new Thread(file, { argv, workerData, transferList: [port2], execArgv: [] });
    this.worker.unref();
    // It can only help: without it everything is read here.
    this.worker.on('error', () => {});
    this.port = port1;
    this.receive = receiveMessageOnPort;
  }

  begin(pids: readonly number[], devices: ReadonlySet<DeviceNumber>, portraits: boolean): void {
    const shared = (): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * pids.length));
    const [numbers, states] = [shared(), shared()];
    numbers.set(pids);
    this.states = states as unknown as typeof this.states;
    this.port.postMessage({ pids: numbers, states, devices: [...devices], portraits } satisfies WorkerTask);
  }

  /** False where the worker has it. */
  claim(at: number): boolean {
    return Atomics.compareExchange(this.states, at, FREE, OURS) === FREE;
  }

  /** Waits until the worker is done with what it took; false when it takes too long. */
  wait(at: number): boolean {
    return Atomics.load(this.states, at) !== WORKERS || Atomics.wait(this.states, at, WORKERS, PATIENCE) !== 'timed-out';
  }

  /** What has come since the last time. */
  *received(): Generator<Gathered> {
    for (let got = this.receive(this.port); got !== undefined; got = this.receive(this.port)) yield* got.message as Gathered[];
  }

  close(): void {
    this.port.close();
    void this.worker.terminate();
  }
}
