/**
 * Stopping a process with all its threads, by ptrace stops. A stop is not a signal, and it ends by itself when the
 * tracer dies (no PTRACE_O_EXITKILL).
 */
import { readFileSync } from 'node:fs';
import { threadsOf, readStat } from './proc.ts';
import { OPTION_SYSGOOD, PTRACE, SysError, look, pause, ptrace } from './sys.ts';

/** A stop reported as `event << 8 | signal`; this event is the stop that was asked for, and group stops. */
const EVENT_STOP = 128;

/** The signal that a stop carries and that must be passed on; 0 for stops at system calls and for events. */
export const signalOf = (status: number): number => (status >> 8 === 0 && (status & 0x80) === 0 ? status & 0x7f : 0);

export type ThreadStop = 'stopped' | 'gone' | 'deadline';

export class StopFailed extends Error {
  readonly reason: 'deadline' | 'denied' | 'vanished' | 'worker';
  constructor(reason: StopFailed['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

const clock = (): number => performance.now();

/** Seizes and stops every thread, those included that appear while we are at it. Releases all again where it fails. */
export function stopAll(pid: number, deadlineMs: number): number[] {
  const until = clock() + deadlineMs;
  const stopped = new Set<number>();
  try {
    for (;;) {
      const fresh = threadsOf(pid).filter((tid) => !stopped.has(tid));
      const seized = fresh.filter((tid) => seize(pid, tid));
      for (const tid of seized) stopped.add(tid);
      let gone = 0;
      for (const tid of seized) {
        const end = awaitStop(tid, until);
        if (end === 'deadline') throw new StopFailed('deadline', whyRunning(pid, tid));
        if (end === 'gone') {
          stopped.delete(tid);
          gone += 1;
        }
      }
      if (seized.length === 0 || (gone > 0 && stopped.size === 0)) break;
    }
  } catch (error) {
    for (const tid of stopped) releaseThread(tid, until + 100);
    if (error instanceof StopFailed) throw error;
    if (error instanceof SysError) throw new StopFailed(error.errno === 'EPERM' ? 'denied' : 'vanished', error.message);
    throw new StopFailed('vanished', String(error));
  }
  if (stopped.size === 0) throw new StopFailed('vanished', 'no thread is left');
  return [...stopped].sort((a, b) => a - b);
}

/** False for a thread that is ending or gone; those hold nothing that could be edited. */
function seize(pid: number, tid: number): boolean {
  try {
    ptrace(PTRACE.seize, tid, 0, OPTION_SYSGOOD);
    ptrace(PTRACE.interrupt, tid, 0, 0);
    return true;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (error.errno === 'ESRCH' || isEnding(pid, tid)) return false;
    if (isIoWorker(pid, tid)) throw new StopFailed('worker', `thread ${tid} is an io_uring worker, which cannot be stopped`);
    throw new StopFailed('denied', `thread ${tid}: ${error.message}`);
  }
}

function isEnding(pid: number, tid: number): boolean {
  try {
    const stat = readStat(pid, tid);
    return stat === null || stat.state === 'Z' || stat.state === 'X';
  } catch {
    return true;
  }
}

function isIoWorker(pid: number, tid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/task/${tid}/comm`, 'latin1').startsWith('iou-');
  } catch {
    return false;
  }
}

function whyRunning(pid: number, tid: number): string {
  try {
    const state = readStat(pid, tid)?.state ?? '?';
    const where = readFileSync(`/proc/${pid}/task/${tid}/wchan`, 'latin1');
    return `thread ${tid} did not stop: state ${state}, in ${where === '0' ? 'user mode' : where}`;
  } catch {
    return `thread ${tid} did not stop`;
  }
}

/**
 * Waits for the stop that was asked for. A signal that comes first is passed on, so that it is handled as it would have
 * been, and the stop is asked for again: it then catches the thread before the first instruction of the handler.
 */
export function awaitStop(tid: number, until: number): ThreadStop {
  for (let spins = 0; ; spins += 1) {
    const seen = look(tid);
    if (seen.kind === 'gone' || seen.kind === 'exited') return 'gone';
    if (seen.kind === 'stopped') {
      if (seen.status >> 8 === EVENT_STOP) return 'stopped';
      try {
        ptrace(PTRACE.interrupt, tid, 0, 0);
        ptrace(PTRACE.cont, tid, 0, signalOf(seen.status));
      } catch (error) {
        if (!(error instanceof SysError) || error.errno !== 'ESRCH') throw error;
        if (clock() > until) return 'deadline';
      }
      continue;
    }
    if (clock() > until) return 'deadline';
    if (spins > 20) pause(spins > 200 ? 500 : 30);
  }
}

/**
 * Detaches a thread that stands where stopAll() stopped it and has not run since: no signal waits there to be passed on, so
 * nothing need be looked at. False where it does not stand there; releaseThread() sees why.
 */
export function detachStanding(tid: number): boolean {
  try {
    ptrace(PTRACE.detach, tid, 0, 0);
    return true;
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
}

/**
 * Detaches a thread, stopping it first where it runs (PTRACE_DETACH needs that). False where it could not be stopped in
 * time: it must be tried again, or it would stop later and stay so.
 */
export function releaseThread(tid: number, until: number): boolean {
  for (;;) {
    try {
      let seen = look(tid);
      if (seen.kind === 'none') {
        ptrace(PTRACE.interrupt, tid, 0, 0);
        const end = awaitStop(tid, until);
        if (end === 'deadline') return false;
        seen = look(tid);
      }
      if (seen.kind !== 'stopped') return true;
      ptrace(PTRACE.detach, tid, 0, signalOf(seen.status));
      return true;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      if (error.errno !== 'ESRCH' || clock() > until) return error.errno !== 'EPERM' && !exists(tid);
    }
  }
}

function exists(tid: number): boolean {
  try {
    readFileSync(`/proc/${tid}/stat`);
    return true;
  } catch {
    return false;
  }
}
