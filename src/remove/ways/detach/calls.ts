/** The injected calls, each with the result that is counted on. Numbers of flags: include/uapi/asm-generic/. */
import type { InjectedCall } from '../../../host/trace.ts';

const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_POPULATE = 0x8000;
const MAP_FIXED_NOREPLACE = 0x100000;
const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;
const MFD_CLOEXEC = 1;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const O_CLOEXEC = 0o2000000;

const hex = (n: number): string => `0x${n.toString(16)}`;
const textBytes = (text: string): { bytes: Uint8Array } => ({ bytes: new TextEncoder().encode(`${text}\0`) });

/** PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4, from the letters of maps. */
export const protection = (perms: string): number => (perms[0] === 'r' ? 1 : 0) | (perms[1] === 'w' ? 2 : 0) | (perms[2] === 'x' ? 4 : 0);

export const memfd = (fd: number): InjectedCall => ({
  name: 'memfd_create', args: [textBytes('unseat'), MFD_CLOEXEC], expect: fd, why: 'an empty file: touching a mapping of it raises SIGBUS',
});

export const replaceByMemfd = (start: number, length: number, perms: string, fd: number): InjectedCall => ({
  name: 'mmap', args: [start, length, protection(perms), MAP_SHARED | MAP_FIXED, fd, 0], expect: start,
  why: `in place of the device at ${hex(start)}`,
});

export const close = (fd: number): InjectedCall => ({ name: 'close', args: [fd], expect: 0, why: `descriptor ${fd} was only needed on the way` });

export const newMemory = (at: number, length: number): InjectedCall => ({
  name: 'mmap', args: [at, length, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, 'minus-one', 0], expect: at,
  why: 'memory for a private copy',
});

export const mprotect = (start: number, length: number, perms: string): InjectedCall => ({
  name: 'mprotect', args: [start, length, protection(perms)], expect: 0, why: `protection ${perms.slice(0, 3)} at ${hex(start)}`,
});

/** Reads its own memory by way of the kernel: pages that raise SIGBUS end the copy short instead of killing. */
export const copyOwnMemory = (ownPid: number, from: number, to: number, length: number): InjectedCall => ({
  name: 'process_vm_readv', args: [ownPid, vector(to, length), 1, vector(from, length), 1, 0], expect: length,
  why: `copy of ${hex(from)}, pages written by the process included`,
});

export const moveOver = (from: number, length: number, to: number): InjectedCall => ({
  name: 'mremap', args: [from, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to], expect: to, why: `the copy takes the place of ${hex(to)}`,
});

export const munmap = (start: number, length: number): InjectedCall => ({ name: 'munmap', args: [start, length], expect: 0, why: 'the copy is not needed' });

/** A socket that is not connected: reads and writes give errors, polls return at once, no signal is raised. */
export const deadSocket = (fd: number): InjectedCall => ({
  name: 'socket', args: [AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0], expect: fd, why: 'a descriptor that gives errors',
});

export const dupOver = (from: number, fd: number, closeOnExec: boolean): InjectedCall => ({
  name: 'dup3', args: [from, fd, closeOnExec ? O_CLOEXEC : 0], expect: fd, why: `in place of descriptor ${fd}`,
});

export const chdirRoot = (): InjectedCall => ({ name: 'chdir', args: [textBytes('/')], expect: 0, why: 'working directory off the device' });

const AT_FDCWD = -100;
const PR_SET_MM = 35;
const PR_SET_MM_EXE_FILE = 13;

/**
 * An empty file becomes the program file that the process is known to run. It must not be open for writing by anybody
 * (deny_write_access()), so the memfd is opened again for reading and its first descriptor closed before.
 */
export const otherExe = (first: number, second: number): InjectedCall[] => [
  memfd(first),
  { name: 'openat', args: [AT_FDCWD, textBytes(`/proc/self/fd/${first}`), 0], expect: second, why: 'the same file, for reading only' },
  close(first),
  { name: 'prctl', args: [PR_SET_MM, PR_SET_MM_EXE_FILE, second, 0, 0], expect: 0, why: 'in place of its program file' },
  close(second),
];

/** `struct iovec` of one element, as bytes on the stack. */
function vector(base: number, length: number): { bytes: Uint8Array } {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(base), true);
  view.setBigUint64(8, BigInt(length), true);
  return { bytes };
}
