/** Watches a committed chain: results are read where each call leaves the kernel, and the thread is caught at its end. */
import { readRegisters, stepToCall } from './arch/x86-64/thread.ts';
import { PTRACE, SysError, look, pause, ptrace } from './sys.ts';
import { signalOf } from './stop.ts';

export interface ChainRun {
  readonly ok: boolean;
  readonly definite: boolean;
  readonly results: readonly number[];
  readonly errno?: string;
  readonly detail?: string;
}

const isCallStop = (status: number): boolean => status >> 8 === 0 && (status & 0x80) !== 0;

/**
 * A chain of n calls passes 2n + 1 system calls (each frame ends in rt_sigreturn, and the first one begins with it), each
 * with a stop on the way in and one on the way out. The last stop finds the thread in its saved state.
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
      // SIGKILL and SIGSTOP cannot be blocked; a stop of the whole group is left to begin when we let go.
      stepToCall(tid, signalOf(seen.status));
    } else {
      if (performance.now() > until) return 'deadline';
      if (spins > 100) pause(spins > 1000 ? 500 : 20);
    }
  }
}
