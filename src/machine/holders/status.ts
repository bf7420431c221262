/** /proc/PID/status. Source: fs/proc/array.c, proc_pid_status(). Only the lines that a holder search needs. */
import type { ByteString } from '../../host/host.ts';

export interface ProcessStatus {
  /** Real uid; null where the line is not there. */
  readonly uid: number | null;
  readonly state: string | null;
  readonly threads: number | null;
  /** Bytes that drivers account as pinned for this process (VmPin: io_uring and RDMA; nothing for privileged callers of some). */
  readonly pinnedBytes: number | null;
}

export function parseStatus(text: ByteString): ProcessStatus {
  const integer = (name: string): number | null => {
    const digits = value(text, name)?.match(/^\d+/)?.[0];
    return digits === undefined ? null : Number(digits);
  };
  const pinned = integer('VmPin');
  return { uid: integer('Uid'), state: value(text, 'State')?.[0] ?? null, threads: integer('Threads'), pinnedBytes: pinned === null ? null : pinned * 1024 };
}

/** The rest of the line that begins with `NAME:`, without the blanks around it. The first line has no newline before it. */
function value(text: ByteString, name: string): string | null {
  const at = text.startsWith(`${name}:`) ? 0 : text.indexOf(`\n${name}:`) + 1;
  if (at === 0 && !text.startsWith(`${name}:`)) return null;
  const from = at + name.length + 1;
  const end = text.indexOf('\n', from);
  return text.slice(from, end < 0 ? text.length : end).trim();
}
