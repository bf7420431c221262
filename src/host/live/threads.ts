/** Threads of our own process, which share memory and talk by messages; each is started as an entry of its own (entry.ts). */
import { MessageChannel, receiveMessageOnPort, Worker, workerData, type MessagePort } from 'node:worker_threads';
import { childEntry } from './entry.ts';

/** Neither side has to wait for its event loop to hear the other one: messages lie ready until somebody asks. */
export interface Talk {
  post(message: unknown): void;
  /** The oldest message that has come; undefined where there is none. Does not wait. */
  receive(): unknown;
}

export interface ThreadHandle extends Talk {
  /** Ends it wherever it is. */
  stop(): Promise<void>;
}

export interface ThreadEvents {
  /** It ended by an error that it did not catch. Told by the event loop. */
  failed(error: unknown): void;
}

/** What a thread sees of who started it. */
export interface OwnThread extends Talk {
  readonly task: unknown;
}

interface Given {
  readonly task: unknown;
  readonly port: MessagePort;
}

/** `source`: path of the entry below src/host/live; its bundle name is the same (cli/main.ts). */
export function startThread(source: string, task: unknown, events: ThreadEvents): ThreadHandle {
  const [file, ...argv] = childEntry(source);
  const { port1: port, port2: theirs } = new MessageChannel();
  const worker = new Worker(file, { workerData: { task, port: theirs } satisfies Given, transferList: [theirs], argv });
  worker.on('error', (error) => events.failed(error));
  return {
    ...talk(port),
    stop: async () => {
      await worker.terminate();
      port.close();
    },
  };
}

/** Null in the first thread. */
export function ownThread(): OwnThread | null {
  const given = workerData as Given | null;
  return given === null ? null : { task: given.task, ...talk(given.port) };
}

const talk = (port: MessagePort): Talk => ({ post: (message) => port.postMessage(message), receive: () => receiveMessageOnPort(port)?.message as unknown });
