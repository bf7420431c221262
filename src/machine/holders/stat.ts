/** /proc/PID/stat. Source: fs/proc/array.c, do_task_stat(); proc_pid_stat(5). */
import type { ByteString } from '../../host/host.ts';

export interface ProcessStat {
  readonly pid: number;
  /** Any byte but a zero, at most 15 of them (TASK_COMM_LEN), blanks, parentheses and newlines included. */
  readonly comm: ByteString;
  /** One letter: R, S, D, Z, T, t, X, I, ... */
  readonly state: string;
  readonly parent: number;
  /** PF_ flags of include/linux/sched.h. */
  readonly flags: number;
  readonly threads: number;
  /** Clock ticks since boot. */
  readonly startTime: number;
  /** Bytes of address space; 0 for kernel threads and zombies. */
  readonly virtualSize: number;
  /** Address of the bottom of the stack; forked children have their parent's. 0 where this reader may not know. */
  readonly startStack: number;
}

/** PF_KTHREAD, include/linux/sched.h, the same from 2.6.27 to 7.2. */
const PF_KTHREAD = 0x00200000;

/** Null where the text is no such line. The name ends at the last closing parenthesis, whatever it holds. */
export function parseStat(text: ByteString): ProcessStat | null {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 2 || close < open) return null;
  const rest = text.slice(close + 1).trim().split(' ');
  const number = (field: number): number => Number(rest[field - 3]);
  const stat = {
    pid: Number(text.slice(0, open).trim()),
    comm: text.slice(open + 1, close),
    state: rest[0] ?? '',
    parent: number(4),
    flags: number(9),
    threads: number(20),
    startTime: number(22),
    virtualSize: number(23),
    startStack: number(28),
  };
  const numbers = [stat.pid, stat.parent, stat.flags, stat.threads, stat.startTime, stat.virtualSize, stat.startStack];
  return numbers.every(Number.isFinite) && /^[A-Za-z]$/.test(stat.state) ? stat : null;
}

/** A thread of the kernel: it has no memory, files or directories of its own. */
export const isKernelThread = (stat: ProcessStat): boolean => (stat.flags & PF_KTHREAD) !== 0;
