/** C library calls through koffi, loaded only when the first of them is made: start-up does not pay for it. */
import { constants as osConstants, machine } from 'node:os';

type Foreign = (...args: readonly unknown[]) => number;

export interface Native {
  ioctl(fd: number, request: number, argument: Uint8Array | number): number;
  /** Where the bytes lie, for structures that point to them. The caller keeps them alive; they must not come from the pool of small buffers. */
  address(bytes: Uint8Array): bigint;
  /** The errno of the last failed call, by name. */
  errno(): string;
  pidfdOpen(pid: number, flags?: number): number;
  pidfdSendSignal(fd: number, signal: number): number;
  /** A descriptor of another process, as one of ours (5.6). */
  pidfdGetfd(fd: number, other: number): number;
  /** ENOSYS where the architecture's number of the call is not known. */
  kcmp(pid: number, other: number, type: number): number;
  unshare(flags: number): number;
  setns(fd: number, type: number): number;
  /** Paths are bytes that end in NUL: names need not be UTF-8. */
  umount2(path: Uint8Array, flags: number): number;
  swapoff(path: Uint8Array): number;
  fchdir(fd: number): number;
  chroot(path: Uint8Array): number;
  openat(directory: number, path: string, flags: number): number;
  syncfs(fd: number): number;
  klogctl(type: number, buffer: Uint8Array, length: number): number;
  /** Throws where the C library lacks one of them. */
  readonly calls: Calls;
}

/**
 * Calls for looks at thousands of files, all of their arguments numbers: paths, which end in NUL, and buffers are
 * addresses. Such a call takes a tenth of the time of its counterpart in node:fs, apart from what the kernel does.
 */
export interface Calls {
  openat(directory: number, path: number, flags: number): number;
  close(fd: number): number;
  statx(directory: number, path: number, flags: number, mask: number, buffer: number): number;
  readlinkat(directory: number, path: number, buffer: number, size: number): number;
  getdents(fd: number, buffer: number, size: number): number;
  read(fd: number, buffer: number, size: number): number;
  ioctl(fd: number, request: number, argument: number): number;
  /** Addresses and whole numbers. */
  syscall(number: number, a: number, b: number, c: number, d: number): number;
}

/** System call numbers that are the same on every architecture (5.1 and later). */
const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;
const SYS_PIDFD_GETFD = 438;

const SYS_KCMP: Readonly<Record<string, number>> = { x86_64: 312, aarch64: 272, riscv64: 272, loongarch64: 272, s390x: 343, ppc64le: 354 };

let loaded: Native | undefined;

export function native(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  const koffi = process.getBuiltinModule('node:module').createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const lib = koffi.load(null);
  const func = (prototype: string): Foreign => lib.func(prototype) as unknown as Foreign;
  const ioctlPointer = func('int ioctl(int fd, unsigned long request, void *argument)');
  const lazy = (prototype: string): Foreign => {
    let f: Foreign | undefined;
    return (...args) => (f ??= func(prototype))(...args);
  };
  const ioctlNumber = lazy('int ioctl(int fd, unsigned long request, uintptr_t argument)');
  const syscallInts = lazy('long syscall(long number, long a, long b, long c, long d)');
  const names = new Map(Object.entries(osConstants.errno).map(([name, value]) => [value, name]));
  const unshare = lazy('int unshare(int flags)');
  const setns = lazy('int setns(int fd, int type)');
  const umount2 = lazy('int umount2(const void *path, int flags)');
  const swapoff = lazy('int swapoff(const void *path)');
  const syncfs = lazy('int syncfs(int fd)');
  const klogctl = lazy('int klogctl(int type, void *buffer, int length)');
  const fchdir = lazy('int fchdir(int fd)');
  const chroot = lazy('int chroot(const void *path)');
  const openat = lazy('int openat(int directory, const char *path, int flags)');
  let calls: Calls | undefined;
  let compare: Foreign | undefined;
  const kcmpNumber = SYS_KCMP[machine()] ?? -1;
  return {
    get calls() {
      return (calls ??= {
        openat: func('int openat(int directory, uintptr_t path, int flags)'),
        close: func('int close(int fd)'),
        statx: func('int statx(int directory, uintptr_t path, int flags, unsigned int mask, uintptr_t buffer)'),
        readlinkat: func('long readlinkat(int directory, uintptr_t path, uintptr_t buffer, size_t size)'),
        getdents: func('long getdents64(int fd, uintptr_t buffer, size_t size)'),
        read: func('long read(int fd, uintptr_t buffer, size_t size)'),
        ioctl: func('int ioctl(int fd, unsigned long request, uintptr_t argument)'),
        syscall: func('long syscall(long number, long a, long b, long c, long d)'),
      });
    },
    ioctl: (fd, request, argument) => (typeof argument === 'number' ? ioctlNumber : ioctlPointer)(fd, request, argument),
    address: (bytes) => koffi.address(bytes) as bigint,
    errno: () => {
      const value = koffi.errno();
      return names.get(value) ?? `errno ${value}`;
    },
    pidfdOpen: (pid, flags = 0) => syscallInts(SYS_PIDFD_OPEN, pid, flags, 0, 0),
    pidfdGetfd: (fd, other) => syscallInts(SYS_PIDFD_GETFD, fd, other, 0, 0),
    pidfdSendSignal: (fd, signal) => syscallInts(SYS_PIDFD_SEND_SIGNAL, fd, signal, 0, 0),
    // Called tens of thousands of times: without the array that `lazy` makes of its arguments.
    kcmp: (pid, other, type) => (compare ??= func('long syscall(long number, long a, long b, long c, long d)'))(kcmpNumber, pid, other, type, 0),
    unshare, setns, umount2, swapoff, syncfs, klogctl, openat, fchdir, chroot,
  };
}
