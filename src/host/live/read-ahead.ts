/**
 * Reading ahead for a holder search, on a second thread: the kernel's part (printing maps, walking descriptors) is most
 * of the time, and it then runs on two processors. The search goes through the pids upward and the worker downward,
 * until they meet; each pid is claimed in a shared array first, so that a worker that starts late or not at all only
 * means less help.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import { isMissing } from '../fact.ts';
import type { DeviceNumber } from '../host.ts';
import type { Mapping } from '../processes.ts';
import { childEntry } from './entry.ts';
import type { Gathered } from './gather.ts';
import { unpack, type PackedMappings } from './packing.ts';

/** Fewer processes than this are read sooner than a worker starts. */
export const MANY = 300;
/** How long an answer of the worker is waited for, in milliseconds; after that the pid is read here. */
const PATIENCE = 5_000;

/** States of a pid in the shared array. */
export const FREE = 0;
export const OURS = 1;
export const WORKERS = 2;
export const DELIVERED = 3;

export interface WorkerTask {
  readonly pids: Int32Array;
  readonly states: Int32Array;
  readonly devices: readonly DeviceNumber[];
  readonly port: MessagePort;
  readonly pageSize: number;
}

/** As a worker sends it: the mappings packed. */
export interface Sent extends Omit<Gathered, 'mappings'> {
  readonly mappings?: PackedMappings | Exclude<Gathered['mappings'], readonly unknown[]>;
}

/** What is left to hand out of a pid: each answer once. */
type Answers = { -readonly [K in keyof Gathered]: Gathered[K] };

interface Helper {
  readonly states: Int32Array;
  readonly index: ReadonlyMap<number, number>;
  readonly port: MessagePort;
  readonly receive: (port: MessagePort) => { message: unknown } | undefined;
  readonly worker: Worker;
}

export class ReadAhead {
  private devices: ReadonlySet<DeviceNumber> | undefined;
  private helper: Helper | undefined;
  private readonly answers = new Map<number, Answers>();

  start(pids: readonly number[], devices: ReadonlySet<DeviceNumber>, pageSize: number): void {
    this.stop();
    this.devices = devices;
    if (pids.length >= MANY) this.helper = startWorker(pids, devices, pageSize);
  }

  stop(): void {
    this.helper?.port.close();
    void this.helper?.worker.terminate();
    this.helper = undefined;
    this.answers.clear();
  }

  /** Takes one answer about a pid; undefined where it must be read. */
  take<K extends 'openFiles' | 'namespace'>(pid: number, key: K): Gathered[K] | undefined {
    const known = this.of(pid);
    const answer = known?.[key];
    if (known !== undefined) delete known[key];
    return answer;
  }

  takeMappings(pid: number, devices: ReadonlySet<DeviceNumber>): Gathered['mappings'] {
    const known = devices === this.devices ? this.of(pid) : undefined;
    const answer = known?.mappings;
    if (known !== undefined) delete known.mappings;
    return answer;
  }

  takeFrom<G extends 'files' | 'places', K extends keyof Gathered[G]>(pid: number, group: G, key: K): Gathered[G][K] | undefined {
    const known = this.of(pid)?.[group] as Gathered[G] | undefined;
    const answer = known?.[key];
    if (known !== undefined) delete known[key];
    return answer;
  }

  private of(pid: number): Answers | undefined {
    if (this.helper === undefined) return undefined;
    const { states, index } = this.helper;
    const at = index.get(pid);
    if (at === undefined) return undefined;
    const state = Atomics.compareExchange(states, at, FREE, OURS);
    if (state === FREE || state === OURS) return undefined;
    if (state === WORKERS && Atomics.wait(states, at, WORKERS, PATIENCE) === 'timed-out') this.stop();
    this.drain();
    return this.answers.get(pid);
  }

  private drain(): void {
    const { helper } = this;
    if (helper === undefined) return;
    for (let got = helper.receive(helper.port); got !== undefined; got = helper.receive(helper.port)) {
      for (const sent of got.message as Sent[]) this.answers.set(sent.pid, unpacked(sent));
    }
  }
}

function startWorker(pids: readonly number[], devices: ReadonlySet<DeviceNumber>, pageSize: number): Helper {
  // Loaded only here: start-up does not pay for it.
  const { MessageChannel, receiveMessageOnPort, Worker: Thread } = process.getBuiltinModule('node:worker_threads');
  const { port1, port2 } = new MessageChannel();
  const shared = (): Int32Array => new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * pids.length));
  const [numbers, states] = [shared(), shared()];
  numbers.set(pids);
  const [file, ...argv] = childEntry('read-ahead-worker.ts');
  const workerData: WorkerTask = { pids: numbers, states, devices: [...devices], port: port2, pageSize };
  const worker = new Thread(file, { argv, workerData, transferList: [port2], execArgv: [] });
  worker.unref();
  // It can only help: without it everything is read here.
  worker.on('error', () => {});
  return { states, index: new Map(pids.map((pid, i) => [pid, i])), port: port1, receive: receiveMessageOnPort, worker };
}

/** Unpacked when it is taken: mappings of thousands of processes are not kept twice. */
function unpacked({ mappings, ...rest }: Sent): Answers {
  if (mappings === undefined) return rest;
  if (isMissing(mappings)) return { ...rest, mappings };
  let once: readonly Mapping[] | undefined;
  return Object.defineProperty(rest as Answers, 'mappings', { get: () => (once ??= unpack(mappings)), enumerable: true, configurable: true });
}
