import type { ByteString, DeviceNumber } from '../../host/host.ts';

/** How sure we are that something is held. `unseen`: this host offers no way to know. */
export type Certainty = 'seen' | 'possible' | 'unseen';

export interface HeldMapping {
  readonly start: number;
  readonly end: number;
  readonly perms: string;
  /** Byte offset into the file. */
  readonly offset: number;
  readonly dev: DeviceNumber;
  readonly ino: number;
  readonly file: ByteString;
  readonly deleted: boolean;
}

export interface HeldFile {
  readonly fd: number;
  /** The thread that has it, where its table of descriptors is not that of the process. */
  readonly thread?: number;
  readonly file: ByteString;
  readonly deleted: boolean;
  /** Open flags from fdinfo, octal as read; null where unknown. */
  readonly flags: string | null;
}

export type PinKind = 'io_uring' | 'vfio' | 'iommufd' | 'rdma' | 'af_xdp' | 'kvm' | 'pipe' | 'io-in-flight' | 'other';

/** Kinds that are made with FOLL_LONGTERM: they last until the holder drops them, and a file system's DAX pages refuse them. */
export const LONG_TERM: readonly PinKind[] = ['io_uring', 'vfio', 'iommufd', 'rdma', 'af_xdp'];

export interface Pin {
  readonly kind: PinKind;
  readonly certainty: Certainty;
  /** Bytes where they can be told. */
  readonly bytes: number | null;
  /** What was seen, for people: `fd 5 anon_inode:[io_uring], UserBufs 1`. */
  readonly evidence: string;
}

export interface ProcessHolder {
  readonly kind: 'process';
  readonly pid: number;
  /** Clock ticks since boot: tells this process from a later one with the same pid. */
  readonly startTime: number | null;
  readonly comm: ByteString;
  readonly commandLine: ByteString;
  /** Real uid. */
  readonly uid: number | null;
  readonly state: string | null;
  readonly threads: number | null;
  readonly mappings: readonly HeldMapping[];
  readonly files: readonly HeldFile[];
  readonly cwd: ByteString | null;
  readonly root: ByteString | null;
  readonly exe: ByteString | null;
  readonly pins: readonly Pin[];
  /** The VM it is, by program and by open kvm descriptors; null for others. */
  readonly vm: { readonly program: string; readonly evidence: string } | null;
  /** `ssh.service`, `user@1000.service/app.slice/...`, `docker 1a2b3c`; from its cgroup. */
  readonly unit: string | null;
  readonly container: string | null;
  readonly mountNamespace: number | null;
  /** Pids of processes that share its address space (CLONE_VM). */
  readonly sharesMemoryWith: readonly number[];
}

export interface MountHolder {
  readonly kind: 'mount';
  readonly namespaceId: number;
  readonly seenBy: number | null;
  readonly mountPoint: ByteString;
  readonly fsType: string;
  readonly source: ByteString;
  readonly dax: string | null;
  readonly dev: DeviceNumber;
}

export interface StackHolder {
  readonly kind: 'stack';
  /** `dm-0`, `loop0`, `md0`. */
  readonly block: string;
  readonly what: string;
}

export interface SwapHolder {
  readonly kind: 'swap';
  readonly path: ByteString;
  readonly usedBytes: number;
}

/** System RAM in use: blocks that are online. */
export interface BlockHolder {
  readonly kind: 'memory-block';
  readonly index: number;
  readonly zone: string | null;
  readonly node: number | null;
}

/** A device whose struct pages live on this one. */
export interface MemmapHolder {
  readonly kind: 'memmap';
  readonly describes: string;
}

export type Holder = ProcessHolder | MountHolder | StackHolder | SwapHolder | BlockHolder | MemmapHolder;
