/**
 * What a host lets us change. Every call says whether its outcome is definite: after a deadline it is not, and the
 * caller reads the state again. Nothing here asks for consent; `remove/` does, before it calls.
 */
import type { Fact } from './fact.ts';

export interface ActResult {
  /** True when the kernel reported success. (An unbind reports success whatever happened: look at the state.) */
  readonly ok: boolean;
  /** Errno name where it failed, as `EBUSY`. */
  readonly errno?: string;
  /** True when it is certain whether the action took effect. */
  readonly definite: boolean;
  /** How long it took, in milliseconds. */
  readonly milliseconds: number;
  /** More for people, as the stderr of a helper program. */
  readonly detail?: string;
}

export type Signal = 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT';

/** A process that cannot be mistaken: its pid with its start time (field 22 of /proc/PID/stat, clock ticks since boot). */
export interface ProcessRef {
  readonly pid: number;
  readonly startTime: number;
}

export interface Actions {
  /**
   * Exactly one write(2) of `text` to a file of proc or sysfs, in a child that is killed at the deadline.
   * A short count is `ok: false, errno: 'SHORT_WRITE'`.
   */
  write(path: string, text: string, deadlineMs: number): Promise<ActResult>;
  /** Sends a signal through a pidfd, or not at all when the start time no longer fits (`ESRCH`). */
  signal(process: ProcessRef, signal: Signal): Promise<ActResult>;
  /** Waits until the process is gone, its memory included. */
  awaitExit(process: ProcessRef, deadlineMs: number): Promise<ActResult>;
  /** umount2(2) in the mount namespace `namespaceId` (an id of MountNamespace). */
  unmount(namespaceId: number, mountPoint: string, deadlineMs: number): Promise<ActResult>;
  /** syncfs(2) on a mount point in a namespace. */
  sync(namespaceId: number, mountPoint: string, deadlineMs: number): Promise<ActResult>;
  /** The file system shutdown ioctl; flag 0 default, 1 log flush, 2 no log flush. */
  shutdownFilesystem(namespaceId: number, mountPoint: string, flag: 0 | 1 | 2): Promise<ActResult>;
  swapOff(path: string, deadlineMs: number): Promise<ActResult>;
  /** Runs a program of the system by argument vector, never through a shell. For systemctl, dmsetup, losetup, mdadm. */
  run(program: string, args: readonly string[], deadlineMs: number): Promise<ActResult & { readonly stdout?: string }>;
  readonly store: Store;
}

/** Small durable files: the journal under /run/unseat and the records under /var/lib/unseat. */
export interface Store {
  /** Appends and syncs (fdatasync, and the directory when the file is new) before it resolves. */
  append(path: string, text: string): Promise<void>;
  /** A new file with this text, whole or not at all; EEXIST where there is one. Absent where nobody else could make it meanwhile. */
  create?(path: string, text: string): Promise<void>;
  /** Replaces atomically (write to a temporary file, fsync, rename, fsync of the directory). */
  replace(path: string, text: string): Promise<void>;
  read(path: string): Fact<string>;
  list(directory: string): Fact<readonly string[]>;
  remove(path: string): Promise<void>;
}
