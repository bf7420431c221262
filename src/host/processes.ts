/** Processes as a host shows them. A pid here is a thread group id; threads are asked for where they matter. */
import type { Fact } from './fact.ts';
import type { ByteString, DeviceNumber } from './host.ts';
import type { MappingTable } from './mapping-table.ts';

/** One VMA of a process, from /proc/PID/maps or PROCMAP_QUERY. Addresses are bytes; user addresses fit in 2^53. */
export interface Mapping {
  /** First byte, inclusive. */
  readonly start: number;
  /** First byte after it, exclusive. */
  readonly end: number;
  /** `rwxs`: four characters as in maps: `r` or `-`, `w` or `-`, `x` or `-`, `s` shared or `p` private. */
  readonly perms: string;
  /** Byte offset into the file. */
  readonly offset: number;
  /** Device of the file's file system (`103:00` hex in maps, here decimal `259:0`); `0:0` for anonymous memory. */
  readonly dev: DeviceNumber;
  readonly ino: number;
  /** Number of the character device that the mapped inode stands for (a device-dax node), where the host could tell. */
  readonly rdev?: DeviceNumber;
  /** The name field, unescaped, any byte; empty for anonymous memory. Includes ` (deleted)` where the kernel appends it. */
  readonly name: ByteString;
}

export interface OpenFile {
  readonly fd: number;
  /** Link text of /proc/PID/fd/N: a path, `socket:[1]`, `anon_inode:[io_uring]`, ... */
  readonly target: ByteString;
  /** File system, inode and node number of the open file; missing in captures that hold only a listing. */
  readonly dev?: DeviceNumber;
  readonly ino?: number;
  readonly rdev?: DeviceNumber;
}

export interface Place {
  readonly target: ByteString;
  readonly dev?: DeviceNumber;
  readonly ino?: number;
}

/** Threads whose descriptors or directories are not those of the rest of their process. They go together where both are shared. */
export interface ThreadsApart {
  /** Ascending. /proc/TID of any of them shows what they have; a pid stands for a thread id in every look of `Processes`. */
  readonly threads: readonly number[];
  /** A table of descriptors of their own. False: that of the process, or of an earlier item of the list. */
  readonly files: boolean;
  /** A working and a root directory of their own; false as above. */
  readonly places: boolean;
}

export type ProcessFile =
  | 'maps' | 'stat' | 'status' | 'cmdline' | 'comm' | 'cgroup' | 'mountinfo' | 'environ' | 'limits' | 'wchan' | 'stack' | 'syscall';

export interface Processes {
  /** Thread group ids, ascending. */
  pids(): Fact<readonly number[]>;
  /** Thread ids of a process, ascending. */
  threads(pid: number): Fact<readonly number[]>;
  /** Content of /proc/PID/NAME. */
  read(pid: number, name: ProcessFile): Fact<Uint8Array>;
  /**
   * The mappings of a process. With `devices`, only those whose `dev` is in the set, or whose inode's character device
   * is (hosts may skip the rest unread; that is the fast path of a holder search). The live machine adds AIO rings and
   * mapped sockets, which tell of pins.
   */
  mappings(pid: number, devices?: ReadonlySet<DeviceNumber>): Fact<readonly Mapping[]>;
  /** `mappings` with `devices`, as a table; absent where the host has no better way to them. */
  mappingTable?(pid: number, devices: ReadonlySet<DeviceNumber>): Fact<MappingTable>;
  openFiles(pid: number): Fact<readonly OpenFile[]>;
  /** /proc/PID/fdinfo/FD. */
  fdInfo(pid: number, fd: number): Fact<Uint8Array>;
  place(pid: number, which: 'cwd' | 'root' | 'exe'): Fact<Place>;
  /** Inode number of a namespace of the process. */
  namespace(pid: number, which: 'mnt' | 'pid' | 'user'): Fact<number>;
  /**
   * Reads pagemap entries: 8 bytes per page from the page that holds `address`. Returns bytes read.
   * NEVER call this for a process that maps a device already gone: it crashes the kernel (KERNEL-TRUTH, part B, 1b).
   */
  pagemap(pid: number, address: number, into: Uint8Array): Fact<number>;
  /**
   * Those of these processes that a holder search must look at, in any order: all that have something of the devices, and
   * all that could not be looked at. What was read of one on the way is handed out, each answer once, to whoever asks
   * before the next pid is taken; with `portraits`, `status`, `cmdline`, `cgroup` and the mount namespace are read of each too, and each
   * mapping is told under the name by which it was made (without, those of one inode in a row under that of the first,
   * and files and directories that are not on the devices have an empty `target`).
   * Absent where each process must be looked at anyway.
   */
  suspects?(pids: readonly number[], devices: ReadonlySet<DeviceNumber>, portraits: boolean): Iterable<number>;
  /** A holder search will follow: a host that takes time to get ready for it begins now. */
  expectSearch?(): void;
  /**
   * Which of these processes run in one address space (CLONE_VM): for each pid the lowest pid of its group. Pids that
   * cannot be compared are left out. Absent where the host cannot tell.
   */
  addressSpaces?(pids: readonly number[]): ReadonlyMap<number, number>;
  /**
   * Threads of the process of thread `tid` that do not share its table of descriptors or its directories (unshare(2) or
   * clone(2) without CLONE_FILES or CLONE_FS); none for almost every process. Absent where the host cannot tell.
   */
  threadsApart?(tid: number): Fact<readonly ThreadsApart[]>;
}
