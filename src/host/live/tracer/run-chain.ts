/** Watches a committed chain to its end, and catches the thread there, in its saved state. */
import { CALL_NUMBERS, RT_SIGRETURN } from './arch/x86-64/calls.ts';
import { NO_RESULT } from './arch/x86-64/frames.ts';
import { readRegisters, stepToCall, writeRegisters } from './arch/x86-64/thread.ts';
import type { Memory } from './proc.ts';
import type { WireCall } from './protocol.ts';
import { PTRACE, SysError, look, pause, ptrace, ptraceBuffer } from './sys.ts';
import { awaitStop, signalOf } from './stop.ts';

export interface ChainRun {
  readonly ok: boolean;
  readonly definite: boolean;
  readonly results: readonly number[];
  readonly errno?: string;
  readonly detail?: string;
}

export interface WholeChain {
  /** Address of the result slots. */
  readonly results: number;
  /** Calls, the last wait not counted. */
  readonly calls: number;
  readonly lastStack: number;
}

/** `struct timespec` of two seconds. */
const TWO_SECONDS = Buffer.alloc(16);
TWO_SECONDS.writeBigInt64LE(2n, 0);

/**
 * The last call of a chain that runs without stops: the thread waits here for us to catch it. If we are dead it goes on
 * by itself when the time is over.
 */
export const LAST_WAIT: WireCall = { name: 'ppoll', args: [0, 0, { base64: TWO_SECONDS.toString('base64') }, 0, 8] };

const isCallStop = (status: number): boolean => status >> 8 === 0 && (status & 0x80) !== 0;

/**
 * Call by call, where results cannot be stored. A chain of n calls passes 2n + 1 system calls (each frame ends in
 * rt_sigreturn, and the first one begins with it), each with a stop on the way in and one on the way out. The last stop
 * finds the thread in its saved state.
 */
export function runChain(tid: number, calls: number, until: number): ChainRun {
  const results: number[] = [];
  const stops = 2 * (2 * calls + 1);
  for (let seen = 0; seen < stops;) {
    stepToCall(tid, 0);
    const end = awaitCallStop(tid, until);
    if (end !== 'call') return lost(tid, end, results);
    seen += 1;
    if (seen % 4 === 0) results.push(readRegisters(tid).signed('rax'));
  }
  return { ok: true, definite: true, results };
}

/**
 * All at once: the thread runs the whole chain without a stop and then waits. Each stop would cost two changes of
 * context, which is most of what a chain costs, and much more on a busy machine.
 */
export function runWhole(tid: number, memory: Memory, chain: WholeChain, until: number): ChainRun {
  const { calls, results, lastStack } = chain;
  ptrace(PTRACE.cont, tid, 0, 0);
  const reached = awaitResult(tid, memory, results + 8 * (calls - 1), until);
  const read = (): number[] => readResults(memory, results, calls);
  if (reached !== 'there') return lost(tid, reached, read());
  ptrace(PTRACE.interrupt, tid, 0, 0);
  const stop = awaitStop(tid, until + 1000);
  if (stop !== 'stopped') return lost(tid, stop, read());
  const end = toTheEnd(tid, lastStack, until + 1000);
  return end === 'end' ? { ok: true, definite: true, results: read() } : lost(tid, end, read());
}

function awaitResult(tid: number, memory: Memory, slot: number, until: number): 'there' | 'gone' | 'deadline' {
  const word = Buffer.alloc(8);
  for (let spins = 0; ; spins += 1) {
    if (memory.read(slot, word) === 8 && word.readBigUInt64LE(0) !== NO_RESULT) return 'there';
    const seen = look(tid);
    if (seen.kind === 'gone' || seen.kind === 'exited') return 'gone';
    // SIGKILL and SIGSTOP cannot be blocked; a stop of the whole group is left to begin when we let go.
    if (seen.kind === 'stopped') ptrace(PTRACE.cont, tid, 0, signalOf(seen.status));
    if (performance.now() > until) return 'deadline';
    if (spins > 10) pause(spins > 1000 ? 500 : 25);
  }
}

function readResults(memory: Memory, at: number, calls: number): number[] {
  const bytes = Buffer.alloc(8 * calls);
  if (memory.read(at, bytes) !== bytes.length) return [];
  const results: number[] = [];
  for (let i = 0; i < calls && bytes.readBigUInt64LE(8 * i) !== NO_RESULT; i += 1) results.push(Number(bytes.readBigInt64LE(8 * i)));
  return results;
}

/** From wherever in the tail of the chain the thread was caught, past the last rt_sigreturn. */
function toTheEnd(tid: number, lastStack: number, until: number): 'end' | 'gone' | 'deadline' {
  leaveLastWait(tid);
  for (;;) {
    stepToCall(tid, 0);
    const stop = awaitCallStop(tid, until);
    if (stop !== 'call') return stop;
    if (!isEntry(tid)) continue;
    const regs = readRegisters(tid);
    const number = regs.signed('orig_rax');
    if (number === RT_SIGRETURN && regs.address('rsp') === lastStack) break;
    // Caught before it began to wait: the wait is left out.
    if (number === CALL_NUMBERS['ppoll']) {
      regs.set('orig_rax', -1n);
      writeRegisters(tid, regs);
    }
  }
  stepToCall(tid, 0);
  const last = awaitCallStop(tid, until);
  return last === 'call' ? 'end' : last;
}

/** Caught in the wait: it must not be begun again. */
function leaveLastWait(tid: number): void {
  const regs = readRegisters(tid);
  if (regs.signed('orig_rax') !== CALL_NUMBERS['ppoll']) return;
  regs.set('rax', 0n);
  regs.set('orig_rax', -1n);
  writeRegisters(tid, regs);
}

/** PTRACE_GET_SYSCALL_INFO (5.3): 1 on the way in, 2 on the way out. */
function isEntry(tid: number): boolean {
  const info = Buffer.alloc(88);
  ptraceBuffer(PTRACE.getCallInfo, tid, info.length, info);
  return info[0] === 1;
}

function lost(tid: number, end: 'gone' | 'deadline', results: readonly number[]): ChainRun {
  if (end === 'gone') return { ok: false, definite: true, results, errno: 'ESRCH', detail: 'the process ended meanwhile' };
  // The chain is committed and will finish by itself; the thread must not be left in a stop that nobody ends.
  try {
    ptrace(PTRACE.interrupt, tid, 0, 0);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
  }
  return { ok: false, definite: false, results, errno: 'ETIMEDOUT', detail: `a call of the chain did not return in time (${results.length} returned)` };
}

function awaitCallStop(tid: number, until: number): 'call' | 'gone' | 'deadline' {
  for (let spins = 0; ; spins += 1) {
    const seen = look(tid);
    if (seen.kind === 'gone' || seen.kind === 'exited') return 'gone';
    if (seen.kind === 'stopped') {
      if (isCallStop(seen.status)) return 'call';
      stepToCall(tid, signalOf(seen.status));
    } else {
      if (performance.now() > until) return 'deadline';
      if (spins > 20) pause(spins > 1000 ? 500 : 20);
    }
  }
}
