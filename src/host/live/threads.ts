/** Threads of our own process, which share memory and talk by messages; each is started as an entry of its own (entry.ts). */
import { parentPort, receiveMessageOnPort, Worker, workerData } from 'node:worker_threads';
import { childEntry } from './entry.ts';

export interface ThreadHandle {
  post(message: unknown): void;
  /** Ends it wherever it is. */
  stop(): Promise<void>;
}

export interface ThreadEvents {
  message(message: unknown): void;
  /** It ended by an error that it did not catch. */
  failed(error: unknown): void;
}

/** `source`: path of the entry below src/host/live; its bundle name is the same (cli/main.ts). */
export function startThread(source: string, task: unknown, events: ThreadEvents): ThreadHandle {
  const [file, ...argv] = childEntry(source);
  const worker = new Worker(file, { workerData: task, argv });
  worker.on('message', (message) => events.message(message));
  worker.on('error', (error) => events.failed(error));
  return {
    post: (message) => worker.postMessage(message),
    stop: async () => { await worker.terminate(); },
  };
}

/** What a thread sees of who started it. */
export interface OwnThread {
  readonly task: unknown;
  post(message: unknown): void;
  /** The oldest message that has come; undefined where there is none. Does not wait. */
  receive(): unknown;
}

/** Null in the first thread. */
export function ownThread(): OwnThread | null {
  const port = parentPort;
  if (port === null) return null;
  return { task: workerData as unknown, post: (message) => port.postMessage(message), receive: () => receiveMessageOnPort(port)?.message as unknown };
}
