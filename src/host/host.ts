/**
 * The one interface to a machine. Everything outside goes through a Host: the live machine, a capture, the simulated
 * kernel and the recording proxy implement it, and one inventory, one planner and one removal engine run on all of them.
 *
 * Looking is synchronous (the hot paths read tens of thousands of small files); acting is asynchronous (a write may
 * hang and has a deadline). Nothing here throws for what a machine may do: answers are Facts and ActResults. What is
 * thrown is a defect or a host that is used wrongly.
 *
 * Paths are absolute, as inside the machine: `/proc/iomem`, `/sys/bus/dax/devices`. Text is decoded as UTF-8; names
 * that may hold any byte (maps, fds, mounts) are ByteStrings: one character per byte (latin1), see `names.ts`.
 */
import type { Fact } from './fact.ts';
import type { Processes } from './processes.ts';
import type { Actions } from './actions.ts';
import type { Trace } from './trace.ts';

/** A string in which each character stands for one byte (latin1). Made readable by `displayName` in names.ts. */
export type ByteString = string;

export type HostKind = 'live' | 'capture' | 'simulated';

export interface Host {
  readonly kind: HostKind;
  /** For people: `this machine`, `capture fsdax-7.2-ext4.tar.gz`, `simulated fsdax-two-holders`. */
  readonly label: string;
  readonly identity: Identity;
  readonly files: Files;
  readonly processes: Processes;
  readonly mounts: MountNamespaces;
  readonly log: KernelLog;
  readonly time: Time;
  /** Absent on hosts that cannot be changed. */
  readonly actions?: Actions;
  /** Absent where processes cannot be stopped and edited. */
  readonly trace?: Trace;
  /** Frees what the host holds (workers, descriptors, children). Idempotent. */
  close(): void;
}

export interface Identity {
  /** `uname -r`, as `6.12.107+deb13-amd64`. */
  readonly release: Fact<string>;
  /** `uname -v`. */
  readonly version: Fact<string>;
  /** `uname -m`. */
  readonly arch: Fact<string>;
  /** Bytes of a base page. */
  readonly pageSize: Fact<number>;
  /** Effective user id of whoever looks (0 is root); for a capture, of whoever took it. */
  readonly uid: Fact<number>;
  /** Effective capabilities as in /proc/self/status CapEff, as a bit set in two 32-bit halves [low, high]. */
  readonly capabilities: Fact<readonly [number, number]>;
}

export type FileKind = 'file' | 'directory' | 'link' | 'char' | 'block' | 'fifo' | 'socket';

export interface FileStat {
  readonly kind: FileKind;
  /** Device number of the file system, as makedev(major, minor) in `DeviceNumber` form. */
  readonly dev: DeviceNumber;
  /** Inode number; exact up to 2^53-1. */
  readonly ino: number;
  /** For char and block nodes. */
  readonly rdev?: DeviceNumber;
  /** Permission bits and type as in st_mode. */
  readonly mode: number;
  /** Bytes, for regular files where the host can tell. Sizes of proc and sysfs files mean nothing. */
  readonly size?: number;
}

/** `major:minor` in decimal, as sysfs `dev` files and mountinfo print it. */
export type DeviceNumber = string;

export interface Files {
  /** The whole content. Sizes reported by stat are not trusted (proc and sysfs lie); reads until end of file. */
  read(path: string): Fact<Uint8Array>;
  /** The whole content as UTF-8 with the final newline removed. */
  text(path: string): Fact<string>;
  /**
   * Reads at a byte offset into `into`; returns the bytes read (0 at end of file). For /proc/kpageflags and the like:
   * callers reuse the buffer.
   */
  readAt(path: string, offset: number, into: Uint8Array): Fact<number>;
  /** Names in a directory, sorted by code unit. */
  list(path: string): Fact<readonly string[]>;
  /** Target of a symbolic link, as stored. */
  link(path: string): Fact<string>;
  /** The path with every link resolved; stays inside the host's root. */
  resolve(path: string): Fact<string>;
  /** Follows links. */
  stat(path: string): Fact<FileStat>;
}

export interface MountNamespace {
  /** Inode of the namespace (`mnt:[4026531840]`); for captures without it, a number made from the pid. */
  readonly id: number;
  /** A process in it; absent for a namespace that only a file (bind mount of ns/mnt, or an open fd) keeps alive. */
  readonly pid?: number;
  /** The file that keeps it, where no process does. */
  readonly keptBy?: string;
  /** Raw mountinfo as seen from its root. */
  readonly mountinfo: Fact<Uint8Array>;
}

export interface MountNamespaces {
  /** Every mount namespace that can be found, one entry each. */
  all(): Fact<readonly MountNamespace[]>;
  /** Whether the last `all` missed none for certain (the kernel lists them itself, 6.12 and later). Absent where that cannot be told. */
  complete?(): boolean;
}

export interface LogLine {
  /** Seconds since boot. */
  readonly seconds: number;
  /** 0 (emerg) to 7 (debug). */
  readonly level: number;
  readonly text: string;
  /** Sequence number where the host has one (/dev/kmsg). */
  readonly sequence: number;
}

export interface KernelLog {
  /** Lines whose sequence is above `after` (-1: all that is still kept). */
  since(after: number): Fact<readonly LogLine[]>;
  /** The sequence number of the newest line, to be handed to `since` later. */
  mark(): Fact<number>;
}

export interface Time {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Wall clock as ISO 8601, UTC. For a capture: when it was taken, where known. */
  wall(): Fact<string>;
  sleep(milliseconds: number): Promise<void>;
  /**
   * What `work` comes to, or null where it has not settled after so many milliseconds; it is not waited for any longer
   * then. Rejects when `work` does in time. Absent where nothing can hang.
   */
  within?<T>(work: Promise<T>, milliseconds: number): Promise<{ readonly value: T } | null>;
}
