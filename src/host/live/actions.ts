/** Acting on the live machine. What may hang is done by a helper child. */
import type { ActResult, Actions, ProcessRef, Signal, Store } from '../actions.ts';
import type { Files } from '../host.ts';
import type { Processes } from '../processes.ts';
import type { Helpers } from './helpers.ts';
import type { LiveMountNamespaces } from './mount-namespaces.ts';
import type { NamespaceDoor } from './operations.ts';
import { awaitExit, sendSignal } from './process-acts.ts';
import { runProgram } from './programs.ts';
import { LiveStore } from './store.ts';

/** A shutdown ioctl flushes at most a log; a minute is far more than that takes. */
const SHUTDOWN_DEADLINE = 60_000;

export class LiveActions implements Actions {
  readonly store: Store;
  private readonly processes: Processes;
  private readonly mounts: LiveMountNamespaces;
  private readonly helpers: Helpers;

  constructor(files: Files, processes: Processes, mounts: LiveMountNamespaces, helpers: Helpers) {
    this.store = new LiveStore(files);
    this.processes = processes;
    this.mounts = mounts;
    this.helpers = helpers;
  }

  write(path: string, text: string, deadlineMs: number): Promise<ActResult> {
    return this.helpers.perform({ do: 'write', path, text }, deadlineMs);
  }

  async signal(process: ProcessRef, signal: Signal): Promise<ActResult> {
    return sendSignal(this.processes, process, signal);
  }

  awaitExit(process: ProcessRef, deadlineMs: number): Promise<ActResult> {
    return awaitExit(this.processes, process, deadlineMs);
  }

  unmount(namespaceId: number, mountPoint: string, deadlineMs: number): Promise<ActResult> {
    return this.inNamespace(namespaceId, (door) => this.helpers.perform({ do: 'unmount', ...door, mountPoint }, deadlineMs));
  }

  sync(namespaceId: number, mountPoint: string, deadlineMs: number): Promise<ActResult> {
    return this.inNamespace(namespaceId, (door) => this.helpers.perform({ do: 'sync', ...door, mountPoint }, deadlineMs));
  }

  shutdownFilesystem(namespaceId: number, mountPoint: string, flag: 0 | 1 | 2): Promise<ActResult> {
    return this.inNamespace(namespaceId, (door) => this.helpers.perform({ do: 'shutdown', ...door, mountPoint, flag }, SHUTDOWN_DEADLINE));
  }

  swapOff(path: string, deadlineMs: number): Promise<ActResult> {
    return this.helpers.perform({ do: 'swapoff', path }, deadlineMs);
  }

  run(program: string, args: readonly string[], deadlineMs: number): Promise<ActResult & { readonly stdout?: string }> {
    return runProgram(program, args, deadlineMs);
  }

  /** A door may close between the look and the child's opening it (its process ended): then another one is looked for. */
  private async inNamespace(id: number, act: (door: { door?: NamespaceDoor }) => Promise<ActResult>): Promise<ActResult> {
    for (let attempt = 1; ; attempt += 1) {
      const door = this.mounts.door(id);
      if (door === undefined) return { ok: false, errno: 'ESRCH', definite: true, milliseconds: 0, detail: `no way into mount namespace ${id}: nobody keeps it, or it may not be looked at` };
      const result = await act(door === 'ours' ? {} : { door });
      if (attempt === 3 || (result.errno !== 'ESRCH' && result.errno !== 'ESTALE')) return result;
    }
  }
}
