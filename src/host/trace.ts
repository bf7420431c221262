/**
 * Stopping a process with all its threads and making it carry out system calls by itself. Which calls, in which order,
 * is decided by `remove/ways/detach` and is the same on every host; only the mechanics differ.
 *
 * A stop is never a signal and leaves no trace: when both unseat and the child that holds the stop die, the process
 * runs on. A committed chain finishes by itself even then.
 */
import type { Fact } from './fact.ts';
import type { ActResult, ProcessRef } from './actions.ts';

/** Where an argument of a system call comes from. */
export type CallArgument =
  /** A number; file offsets, addresses, flags. */
  | number
  /** Text or bytes that are placed on the process's own stack; the argument is their address. */
  | { readonly bytes: Uint8Array }
  /** -1 as an unsigned long (an absent descriptor). */
  | 'minus-one';

/** One system call to be carried out by the stopped process. */
export interface InjectedCall {
  /** Its name, as in the kernel's table: `mmap`, `memfd_create`, `close`, `dup3`, `chdir`, ... */
  readonly name: string;
  readonly args: readonly CallArgument[];
  /** What it is for, for people and for the dry run. */
  readonly why: string;
  /** The result that is counted on (an fd that later calls use, an address with MAP_FIXED, 0). Checked afterwards. */
  readonly expect?: number;
}

/** Which threads may carry a chain: what it opens and closes is in the table of descriptors of the one that does. */
export interface Carriers {
  /** None but these. */
  readonly only?: readonly number[];
  /** None of these. */
  readonly not?: readonly number[];
}

export interface Stopped {
  readonly process: ProcessRef;
  readonly threads: readonly number[];
  /** The thread that can carry calls (a thread for which `obstacle` is absent); undefined when there is none. */
  readonly carrier?: number;
  /** Why no chain can be injected (seccomp, shadow stack, no room on any stack, another tracer, 32-bit process). */
  readonly obstacle?: string;
}

export interface ChainResult extends ActResult {
  /** Results in the order of the chain, as signed numbers (negative: -errno). Shorter where it did not run to the end. */
  readonly results: readonly number[];
}

export interface Trace {
  /** What stands in the way of tracing this process at all, known without touching it; null when nothing is known to. */
  obstacle(process: ProcessRef): Fact<string | null>;
  /** Stops every thread, threads that appear meanwhile included. Resolves when all are stopped. */
  stop(process: ProcessRef, deadlineMs: number): Promise<Fact<Stopped>>;
  /**
   * Commits one chain of calls to a stopped process, lets it run them and stops it again with its state as before. Any
   * thread carries it where `carriers` does not say otherwise.
   *
   * ENOSPC with no result: no thread that may carry it has room on its stack for a chain of this length, and nothing was done.
   */
  inject(process: ProcessRef, chain: readonly InjectedCall[], deadlineMs: number, carriers?: Carriers): Promise<ChainResult>;
  /** Reads the memory of a stopped process. Never used on device mappings. */
  peek(process: ProcessRef, address: number, into: Uint8Array): Promise<Fact<number>>;
  /** Lets it go on. Idempotent. */
  release(process: ProcessRef): Promise<ActResult>;
  /** True while the process is known to stand still: false after the child that held it has died. Absent: a stop always lasts. */
  holds?(process: ProcessRef): boolean;
  /**
   * Bytes that stand in the pipe behind a descriptor, looked at without taking any: what vmsplice(2) put there are pages of
   * the process itself. `thread`: whose descriptor it is, where its table is its own. Absent where the host cannot tell.
   */
  pipeBytes?(process: ProcessRef, fd: number, thread?: number): Fact<number>;
  /**
   * Settings (file and text) that are written back when unseat is gone and only the child is left. The list replaces
   * the one before; an empty list clears it. Absent where nothing outlives unseat.
   */
  putBackWhenGone?(settings: readonly { readonly path: string; readonly text: string }[]): Promise<ActResult>;
}
