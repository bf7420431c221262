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
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const integer = (name: string): number | null => {
    const digits = /^\d+/.exec(fields.get(name) ?? '')?.[0];
    return digits === undefined ? null : Number(digits);
  };
  const pinned = integer('VmPin');
  return { uid: integer('Uid'), state: fields.get('State')?.[0] ?? null, threads: integer('Threads'), pinnedBytes: pinned === null ? null : pinned * 1024 };
}
