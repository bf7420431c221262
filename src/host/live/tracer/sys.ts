/**
 * The system calls of the tracer, through FFI. Everything here runs on one thread: the kernel knows one thread as the
 * tracer of a process, and only that one may edit it.
 */
import koffi from 'koffi';
import { constants } from 'node:os';

type Name = 'ptrace' | 'waitid' | 'nanosleep' | 'prctl';

const NUMBERS: Readonly<Record<string, Readonly<Record<Name, number>>>> = {
  x64: { ptrace: 101, waitid: 247, nanosleep: 35, prctl: 157 },
  arm64: { ptrace: 117, waitid: 95, nanosleep: 101, prctl: 167 },
};

/** Requests of ptrace(2) (include/uapi/linux/ptrace.h); GETREGS and SETREGS only where the architecture has them. */
export const PTRACE = {
  getRegs: 12, setRegs: 13, cont: 7, detach: 17, syscall: 24, seize: 0x4206, interrupt: 0x4207, getRegSet: 0x4204, setRegSet: 0x4205,
  getSigMask: 0x420a, setSigMask: 0x420b, getRseq: 0x420f, getCallInfo: 0x420e, getUserDispatch: 0x4211,
} as const;

/** PTRACE_O_TRACESYSGOOD: stops at system calls report SIGTRAP | 0x80. Not PTRACE_O_EXITKILL, ever. */
export const OPTION_SYSGOOD = 1;

const P_PID = 1;
const WNOHANG = 1;
const WSTOPPED = 2;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
const WALL = 0x40000000;

const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number as number, name]));
export const errnoName = (number: number): string => names.get(number) ?? `errno ${number}`;

export class SysError extends Error {
  readonly errno: string;

  constructor(call: string, errno: string) {
    super(`${call}: ${errno}`);
    this.errno = errno;
  }
}

const libc = koffi.load(null);
const withNumbers = libc.func('syscall', 'long', ['long', 'long', 'long', 'long', 'long', 'long']);
const withBuffer = libc.func('syscall', 'long', ['long', 'long', 'long', 'long', 'void *', 'long']);
const withTwo = libc.func('syscall', 'long', ['long', 'void *', 'long']);
const waitCall = libc.func('syscall', 'long', ['long', 'long', 'long', 'void *', 'long', 'long']);
const nr = NUMBERS[process.arch];

function number(name: Name): number {
  if (nr === undefined) throw new SysError(name, 'ENOSYS');
  return nr[name];
}

function check(call: string, result: number | bigint): number {
  if (Number(result) < 0) throw new SysError(call, errnoName(koffi.errno()));
  return Number(result);
}

/** A request whose fourth argument is a number. Throws SysError. */
export const ptrace = (request: number, tid: number, address: number, data: number): number =>
  check('ptrace', withNumbers(number('ptrace'), request, tid, address, data, 0) as number);

/** A request whose fourth argument is a buffer. */
export const ptraceBuffer = (request: number, tid: number, address: number, data: Buffer): number =>
  check('ptrace', withBuffer(number('ptrace'), request, tid, address, data, 0) as number);

/** PTRACE_GETREGSET: fills as much of `into` as the set has; returns the bytes. */
export function getRegSet(tid: number, set: number, into: Buffer): number {
  const iov = Buffer.alloc(16);
  iov.writeBigUInt64LE(koffi.address(into) as bigint, 0);
  iov.writeBigUInt64LE(BigInt(into.length), 8);
  ptraceBuffer(PTRACE.getRegSet, tid, set, iov);
  return Number(iov.readBigUInt64LE(8));
}

export type WaitResult = { readonly kind: 'none' } | { readonly kind: 'gone' } | { readonly kind: 'stopped'; readonly status: number } | { readonly kind: 'exited' };

const info = Buffer.alloc(128);

/**
 * Looks for a stop without consuming it: a signal that the stop carries is then not lost if we die before we pass it
 * on. An exit is consumed, so that the parent of the thread sees it.
 */
export function look(tid: number): WaitResult {
  const first = waitOnce(tid, WSTOPPED | WEXITED | WNOWAIT);
  if (first === 'ECHILD') return { kind: 'gone' };
  if (first === null) return { kind: 'none' };
  // CLD_EXITED, CLD_KILLED, CLD_DUMPED
  if (first.code >= 1 && first.code <= 3) {
    waitOnce(tid, WEXITED);
    return { kind: 'exited' };
  }
  return { kind: 'stopped', status: first.status };
}

function waitOnce(tid: number, options: number): { code: number; status: number } | null | 'ECHILD' {
  info.fill(0);
  const result = Number(waitCall(number('waitid'), P_PID, tid, info, options | WNOHANG | WALL, 0));
  if (result < 0) {
    const errno = errnoName(koffi.errno());
    if (errno === 'ECHILD') return 'ECHILD';
    throw new SysError('waitid', errno);
  }
  if (info.readInt32LE(16) === 0) return null;
  return { code: info.readInt32LE(8), status: info.readInt32LE(24) };
}

const PR_SET_TIMERSLACK = 29;

/** A sleep of this thread ends when it is told to and not 50 us later, the usual slack: it is most of a short one. */
export function wakePunctually(): void {
  withNumbers(number('prctl'), PR_SET_TIMERSLACK, 1, 0, 0, 0);
}

const nap = Buffer.alloc(16);

/** Sleeps on this thread; at most a second. */
export function pause(microseconds: number): void {
  nap.writeBigInt64LE(0n, 0);
  nap.writeBigInt64LE(BigInt(Math.min(999_999, Math.max(1, Math.round(microseconds)))) * 1000n, 8);
  withTwo(number('nanosleep'), nap, 0);
}
