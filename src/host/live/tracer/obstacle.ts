/** What stands in the way of tracing a process, known from /proc alone, before anything is touched. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { missing } from '../../fact.ts';
import type { Fact } from '../../fact.ts';
import type { ProcessRef } from '../../actions.ts';
import { absence } from '../absence.ts';
import { readStat, statusField, threadsOf } from './proc.ts';

const CAP_SYS_PTRACE = 19;
const ELFCLASS64 = 2;

export function obstacleTo(process: ProcessRef): Fact<string | null> {
  const path = `/proc/${process.pid}`;
  try {
    const stat = readStat(process.pid);
    if (stat === null || stat.startTime !== process.startTime) return missing('vanished', path, 'the start time no longer fits');
    const own = ownObstacle(process.pid);
    if (own !== null) return own;
    const threads = threadsOf(process.pid);
    for (const tid of threads) {
      const no = threadObstacle(process.pid, tid);
      if (no !== null) return no;
    }
    return stat.state === 'Z' && threads.length <= 1 ? 'the process has ended and waits for its parent (zombie)' : programObstacle(process.pid);
  } catch (error) {
    const kind = absence(error, path);
    return kind.missing === 'absent' ? missing('vanished', path, kind.detail) : kind;
  }
}

/** What lies with us: the machine, our privileges, or that it is ourselves. */
function ownObstacle(pid: number): string | null {
  if (process.arch !== 'x64') return `system calls cannot be injected on ${process.arch} yet`;
  if (pid === process.pid) return 'this is unseat itself';
  const effective = statusField(readFileSync('/proc/self/status', 'latin1'), 'CapEff') ?? '0';
  if ((BigInt(`0x${effective}`) >> BigInt(CAP_SYS_PTRACE) & 1n) === 0n) return 'CAP_SYS_PTRACE is missing';
  return yama() === '3' ? 'kernel.yama.ptrace_scope is 3: nobody may trace until reboot' : null;
}

function yama(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'latin1').trim();
  } catch {
    return null;
  }
}

function threadObstacle(pid: number, tid: number): string | null {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/task/${tid}/status`, 'latin1');
  } catch {
    return null;
  }
  if (statusField(status, 'VmSize') === null) return /^State:\s*[ZX]/m.test(status) ? null : 'a kernel thread has no memory of its own';
  return statusObstacle(status, tid);
}

/** `status`: /proc/PID/task/TID/status (fs/proc/array.c). */
export function statusObstacle(status: string, tid: number): string | null {
  const tracer = statusField(status, 'TracerPid') ?? '0';
  if (tracer !== '0') return `thread ${tid} is traced by process ${tracer}`;
  const seccomp = statusField(status, 'Seccomp') ?? '0';
  if (seccomp !== '0') return `thread ${tid} has seccomp mode ${seccomp}: injected calls could be denied or end it`;
  return /\bshstk\b/.test(statusField(status, 'x86_Thread_features') ?? '') ? `thread ${tid} has a shadow stack` : null;
}

function programObstacle(pid: number): string | null {
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/exe`, 'r');
  } catch {
    return null;
  }
  try {
    const head = Buffer.alloc(5);
    return readSync(fd, head, 0, 5, 0) === 5 && head[0] === 0x7f && head[4] !== ELFCLASS64 ? 'a 32-bit program' : null;
  } finally {
    closeSync(fd);
  }
}
