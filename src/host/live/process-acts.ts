/** Signals to a process that cannot be mistaken for a later one with the same pid, and waiting for its end. */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { ActResult, ProcessRef, Signal } from '../actions.ts';
import { isMissing } from '../fact.ts';
import type { Processes } from '../processes.ts';
import { native } from './native.ts';

export interface StatFields {
  /** One letter, as `S`, `D`, `Z`. */
  readonly state: string;
  /** Field 22: clock ticks since boot. */
  readonly startTime: number;
}

/** The command name may hold any byte, spaces and parentheses too: the fields begin after the last `)`. */
export function parseStat(bytes: Uint8Array): StatFields | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).trim().split(' ');
  const startTime = Number(fields[19]);
  return fields.length < 20 || !Number.isFinite(startTime) ? undefined : { state: fields[0] ?? '', startTime };
}

function statOf(processes: Processes, pid: number): StatFields | undefined {
  const stat = processes.read(pid, 'stat');
  return isMissing(stat) ? undefined : parseStat(stat);
}

/** The pidfd is opened first and the start time compared after it: from then on it can only be this process. */
export function sendSignal(processes: Processes, target: ProcessRef, signal: Signal): ActResult {
  const started = performance.now();
  const done = (ok: boolean, errno?: string): ActResult => ({ ok, definite: true, milliseconds: performance.now() - started, ...(errno === undefined ? {} : { errno }) });
  const fd = native().pidfdOpen(target.pid);
  if (fd < 0) return done(false, native().errno());
  try {
    if (statOf(processes, target.pid)?.startTime !== target.startTime) return done(false, 'ESRCH');
    return native().pidfdSendSignal(fd, constants.signals[signal]) === 0 ? done(true) : done(false, native().errno());
  } finally {
    closeSync(fd);
  }
}

/** A zombie is gone when no thread of it lives: its address space went with the last one. */
function isGone(processes: Processes, target: ProcessRef): boolean {
  const stat = statOf(processes, target.pid);
  if (stat === undefined || stat.startTime !== target.startTime) return true;
  if (stat.state !== 'Z' && stat.state !== 'X') return false;
  const threads = processes.threads(target.pid);
  return isMissing(threads) || threads.length <= 1;
}

export async function awaitExit(processes: Processes, target: ProcessRef, deadlineMs: number): Promise<ActResult> {
  const started = performance.now();
  for (let pause = 1; ; pause = Math.min(pause * 2, 20)) {
    const milliseconds = performance.now() - started;
    if (isGone(processes, target)) return { ok: true, definite: true, milliseconds };
    if (milliseconds >= deadlineMs) return { ok: false, errno: 'ETIMEDOUT', definite: true, milliseconds, detail: `process ${target.pid} is still there` };
    await new Promise((done) => { setTimeout(done, Math.min(pause, deadlineMs - milliseconds)); });
  }
}
