/** The state of one stopped thread, and whether a chain can stand on its stack. */
import type { MapLine, Memory } from '../../proc.ts';
import { PTRACE, SysError, getRegSet, ptrace, ptraceBuffer } from '../../sys.ts';
import { chainBytes } from './frames.ts';
import { Registers, USER_CS } from './registers.ts';
import { settleInterruptedCall } from './restart.ts';
import type { RestartEffect } from './restart.ts';
import { leaveCriticalSection } from './rseq.ts';
import { toFrameState } from './xstate.ts';

const NT_X86_XSTATE = 0x202;
/** Bytes below the stack pointer that code may use without moving it (System V ABI, x86-64, 3.2.2). */
const RED_ZONE = 128;
/** Enough for every extended state there is (AMX: 11 KiB). */
const XSTATE_ROOM = 64 * 1024;
/** Distance that the kernel keeps below a growing stack (stack_guard_gap, 256 pages), doubled. */
const GUARD = 2 * 1024 * 1024;

export interface ThreadState {
  readonly tid: number;
  /** What the thread gets back: interrupted calls settled, restartable sequences left. */
  readonly saved: Registers;
  readonly effect: RestartEffect;
}

export function readRegisters(tid: number): Registers {
  const regs = new Registers();
  ptraceBuffer(PTRACE.getRegs, tid, 0, regs.bytes);
  return regs;
}

export function readThread(tid: number): ThreadState {
  const saved = readRegisters(tid);
  const effect = settleInterruptedCall(saved);
  return { tid, saved, effect };
}

/** Why this thread cannot carry a chain; null where it can. */
export function threadObstacle(pid: number, state: ThreadState, maps: readonly MapLine[], memory: Memory, bytes: number): string | null {
  if (state.saved.get('cs') !== USER_CS) return `thread ${state.tid} runs 32-bit code`;
  if (hasUserDispatch(state.tid)) return `thread ${state.tid} has syscall user dispatch on`;
  return stackObstacle(pid, state, maps, memory, bytes);
}

/**
 * Memory below the stack pointer is free only on a real stack. A coroutine's small stack (Go, fibers) has other data
 * below it, so only two kinds are taken: `[stack]`, and for threads but the first a stack at whose top the C library
 * keeps its thread block (its first word is its own address, glibc tcbhead_t and musl struct pthread) and below which
 * a guard page ends the mapping. The first thread's block lies among other mappings and proves nothing.
 */
function stackObstacle(pid: number, state: ThreadState, maps: readonly MapLine[], memory: Memory, bytes: number): string | null {
  const sp = state.saved.address('rsp');
  const index = maps.findIndex((m) => m.start <= sp && sp < m.end);
  const stack = maps[index];
  if (stack === undefined || stack.perms.slice(0, 2) !== 'rw' || stack.perms[3] !== 'p') return `thread ${state.tid} does not stand on a stack`;
  const low = sp - RED_ZONE - bytes;
  if (stack.name === '[stack]') {
    const below = maps[index - 1]?.end ?? 0;
    return low >= stack.start || low - GUARD > below ? null : `no room on the stack of thread ${state.tid}`;
  }
  if (stack.ino !== 0) return `the stack of thread ${state.tid} is a file`;
  const block = state.saved.address('fs_base');
  const word = Buffer.alloc(8);
  const own = state.tid !== pid && block > sp && block < stack.end && memory.read(block, word) === 8 && Number(word.readBigUInt64LE(0)) === block;
  if (!own) return `thread ${state.tid} stands on a stack of its own making`;
  return low >= stack.start ? null : `no room on the stack of thread ${state.tid}`;
}

/** Wine and the like: system calls outside of one range become signals (kernel/entry/syscall_user_dispatch.c). */
function hasUserDispatch(tid: number): boolean {
  const config = Buffer.alloc(32);
  try {
    ptraceBuffer(PTRACE.getUserDispatch, tid, 32, config);
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
  return config.readBigUInt64LE(0) !== 0n;
}

/** Extended state in the form of a signal frame. */
export function readFrameState(tid: number): Buffer | null {
  const room = Buffer.alloc(XSTATE_ROOM);
  const bytes = getRegSet(tid, NT_X86_XSTATE, room);
  return toFrameState(room.subarray(0, bytes))?.bytes ?? null;
}

/** The mask that the thread goes on with; the kernel answers with the saved one inside ppoll, sigsuspend and the like. */
export function readMask(tid: number): Buffer {
  const mask = Buffer.alloc(8);
  ptraceBuffer(PTRACE.getSigMask, tid, 8, mask);
  return mask;
}

/** Only after the chain is committed: its last frame gives the mask back. */
export function blockAllSignals(tid: number): void {
  ptraceBuffer(PTRACE.setSigMask, tid, 8, Buffer.alloc(8, 0xff));
}

export function commit(tid: number, entry: Registers): void {
  ptraceBuffer(PTRACE.setRegs, tid, 0, entry.bytes);
}

/** Writes the registers of a stopped thread whose chain is committed. */
export const writeRegisters = (tid: number, regs: Registers): number => ptraceBuffer(PTRACE.setRegs, tid, 0, regs.bytes);

/** Lets the thread run to its next stop at a system call. */
export const stepToCall = (tid: number, signal: number): number => ptrace(PTRACE.syscall, tid, 0, signal);

/** Room that a chain of so many calls needs, extended state and call data included. */
export const roomFor = (calls: number, dataBytes: number): number => chainBytes(calls, 4096) + dataBytes + 12 * 1024;

/** A thread stopped inside a restartable sequence must go on at its abort handler, as after any preemption. */
export function settleRseq(state: ThreadState, memory: Memory): void {
  leaveCriticalSection(state.tid, state.saved, memory);
}
