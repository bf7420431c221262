/**
 * The child that stops and edits processes: an entry of its own. It reads requests from stdin and answers on stdout, on
 * one thread (the kernel's tracer is a thread). When stdin ends, we are gone: it puts settings back and lets all go.
 */
import { readSync, writeFileSync, writeSync } from 'node:fs';
import { GadgetFinder } from './arch/x86-64/gadgets.ts';
import { StoppedProcess } from './process.ts';
import { readStat } from './proc.ts';
import { HELLO } from './protocol.ts';
import { rehearse } from './rehearse.ts';
import type { Reply, Request, SettingToPutBack } from './protocol.ts';
import { StopFailed, releaseThread } from './stop.ts';
import { SysError, pause, wakePunctually } from './sys.ts';

const held = new Map<number, StoppedProcess>();
const finder = new GadgetFinder();
/** Threads that could not be let go at once (in an uninterruptible sleep). Tried again until they are. */
const reluctant = new Set<number>();
let toPutBack: readonly SettingToPutBack[] = [];

function stop(pid: number, startTime: number, deadlineMs: number): Reply {
  const known = held.get(pid);
  if (known !== undefined) return { ok: true, value: known.describe() };
  const gone: Reply = { ok: false, reason: 'vanished', detail: `no process ${pid} with start time ${startTime}` };
  if (!isThe(pid, startTime)) return gone;
  const stopped = new StoppedProcess(pid, deadlineMs, finder);
  held.set(pid, stopped);
  // The number may have changed hands before we had it; from now on it cannot.
  if (!isThe(pid, startTime)) {
    letGo(pid);
    return gone;
  }
  return { ok: true, value: stopped.describe() };
}

function isThe(pid: number, startTime: number): boolean {
  try {
    return readStat(pid)?.startTime === startTime;
  } catch {
    return false;
  }
}

function letGo(pid: number): void {
  const process = held.get(pid);
  held.delete(pid);
  for (const tid of process?.release() ?? []) reluctant.add(tid);
}

function answer(request: Request): Reply {
  switch (request.op) {
    case 'stop': return stop(request.pid, request.startTime, request.deadlineMs);
    case 'release': {
      letGo(request.pid);
      return { ok: true, value: { reluctant: reluctant.size } };
    }
    case 'put-back': {
      toPutBack = request.settings;
      return { ok: true, value: null };
    }
    case 'inject': {
      const process = held.get(request.pid);
      if (process === undefined) return { ok: false, reason: 'unreadable', detail: 'the process is not stopped' };
      return { ok: true, value: process.inject(request.calls, request.deadlineMs, request.carriers) };
    }
    case 'peek': {
      const bytes = held.get(request.pid)?.peek(request.address, request.length) ?? null;
      return bytes === null ? { ok: false, reason: 'unreadable', detail: 'EIO' } : { ok: true, value: bytes.toString('base64') };
    }
  }
}

function guarded(request: Request): Reply {
  try {
    return answer(request);
  } catch (error) {
    if ('pid' in request && request.op !== 'peek') letGo(request.pid);
    const detail = error instanceof Error ? error.message : String(error);
    if (error instanceof StopFailed) return { ok: false, reason: error.reason === 'deadline' || error.reason === 'worker' ? 'unreadable' : error.reason, detail };
    return { ok: false, reason: error instanceof SysError && error.errno === 'EPERM' ? 'denied' : 'vanished', detail };
  }
}

function end(): void {
  for (const pid of [...held.keys()]) letGo(pid);
  for (const setting of toPutBack) {
    try {
      writeFileSync(setting.path, setting.text);
    } catch {
      // Nobody is left to be told; the journal names the setting and `audit` finds it.
    }
  }
  const until = performance.now() + 60_000;
  while (reluctant.size > 0 && performance.now() < until) {
    tryReluctant();
    pause(20_000);
  }
}

function tryReluctant(): void {
  for (const tid of reluctant) if (releaseThread(tid, performance.now() + 5)) reluctant.delete(tid);
}

/** Reads what is there; null at the end of input. */
function readSome(into: Buffer): number | null {
  try {
    const got = readSync(0, into, 0, into.length, null);
    return got === 0 ? null : got;
  } catch (error) {
    if ((error as { code?: string }).code !== 'EAGAIN') return null;
    tryReluctant();
    pause(reluctant.size > 0 ? 20_000 : 1_000);
    return 0;
  }
}

function reply(id: unknown, value: Reply): boolean {
  const bytes = Buffer.from(`${JSON.stringify({ id, ...value })}\n`);
  try {
    for (let sent = 0; sent < bytes.length;) sent += writeSync(1, bytes, sent);
    return true;
  } catch {
    return false;
  }
}

function serve(): void {
  const chunk = Buffer.alloc(64 * 1024);
  let pending = '';
  for (;;) {
    const got = readSome(chunk);
    if (got === null) return;
    pending += chunk.toString('latin1', 0, got);
    for (let at = pending.indexOf('\n'); at >= 0; at = pending.indexOf('\n')) {
      const line = pending.slice(0, at);
      pending = pending.slice(at + 1);
      const request = JSON.parse(line) as Request & { id: number };
      if (!reply(request.id, guarded(request))) return;
      tryReluctant();
    }
  }
}

// A terminal's Ctrl-C goes to the whole group: we decide when the child ends, by closing its input.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('SIGTERM', () => undefined);
wakePunctually();
rehearse(finder);
reply(HELLO, { ok: true, value: null });
serve();
end();
process.exit(0);
