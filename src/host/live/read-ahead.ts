/**
 * Reading ahead for a holder search, on two threads: the kernel's part (printing maps, walking descriptors) is most of
 * the time, and it runs on both processors. Work is taken in small lots from one counter, so that a worker that starts
 * late or not at all only means less help.
 */
import type { MessagePort } from 'node:worker_threads';
import { isMissing } from '../fact.ts';
import type { DeviceNumber } from '../host.ts';
import { childEntry } from './entry.ts';
import { gather, type Gathered } from './gather.ts';
import { unpack, type PackedMappings } from './packing.ts';
import type { LiveProcesses } from './processes.ts';

/** Fewer processes than this are read sooner than a worker starts. */
const WORTH_A_WORKER = 300;
const LOT = 8;
/** How long the worker's last lot is waited for, in milliseconds; what it did not deliver is read when it is asked for. */
const PATIENCE = 5_000;

/** Words of the shared control array. */
export const NEXT = 0;
export const DONE = 1;

export interface WorkerTask {
  readonly pids: Int32Array;
  readonly devices: readonly DeviceNumber[];
  readonly control: Int32Array;
  readonly port: MessagePort;
  readonly pageSize: number;
}

/** As a worker sends it: the mappings packed. */
export interface Sent extends Omit<Gathered, 'mappings'> {
  readonly mappings?: PackedMappings | Exclude<Gathered['mappings'], readonly unknown[]>;
}

/** Calls `each` for the pids that this thread takes. */
export function takeLots(pids: Int32Array, control: Int32Array, each: (pid: number) => void): void {
  for (let from = Atomics.add(control, NEXT, LOT); from < pids.length; from = Atomics.add(control, NEXT, LOT)) {
    for (const pid of pids.subarray(from, from + LOT)) each(pid);
  }
}

/** Gathers what is asked of `pids`, in no order. */
export function gatherAll(processes: LiveProcesses, pids: readonly number[], devices: ReadonlySet<DeviceNumber>, pageSize: number): Map<number, Gathered> {
  const found = new Map<number, Gathered>();
  const shared = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * pids.length));
  shared.set(pids);
  const control = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * 2));
  const helper = pids.length >= WORTH_A_WORKER ? help({ pids: shared, devices: [...devices], control, pageSize }) : undefined;
  takeLots(shared, control, (pid) => found.set(pid, gather(processes, pid, devices)));
  if (helper !== undefined) for (const sent of helper()) found.set(sent.pid, unpacked(sent));
  return found;
}

/** Starts the worker; the answer waits for it and hands over what it gathered. */
function help(task: Omit<WorkerTask, 'port'>): () => Sent[] {
  // Loaded only here: start-up does not pay for it.
  const { MessageChannel, receiveMessageOnPort, Worker } = process.getBuiltinModule('node:worker_threads');
  const { port1, port2 } = new MessageChannel();
  const [file, ...argv] = childEntry('read-ahead-worker.ts');
  const workerData: WorkerTask = { ...task, port: port2 };
  const worker = new Worker(file, { argv, workerData, transferList: [port2], execArgv: [], stdout: false });
  worker.unref();
  // It can only help: without it the main thread reads everything.
  worker.on('error', () => {});
  return () => {
    Atomics.wait(task.control, DONE, 0, PATIENCE);
    const sent: Sent[] = [];
    for (let message = receiveMessageOnPort(port1); message !== undefined; message = receiveMessageOnPort(port1)) sent.push(...(message.message as Sent[]));
    port1.close();
    void worker.terminate();
    return sent;
  };
}

function unpacked({ mappings, ...rest }: Sent): Gathered {
  if (mappings === undefined) return rest;
  return { ...rest, mappings: isMissing(mappings) ? mappings : unpack(mappings) };
}
