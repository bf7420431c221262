/**
 * Pipes with something in them, of a process that maps the device: pages given to a pipe by vmsplice(2) stay in use after
 * the mapping is gone, and what reads or closes the pipe then touches freed struct pages (KERNEL-TRUTH B 2). Most pipes
 * carry copies, so this is possible and no more; an empty pipe holds nothing.
 */
import { isMissing } from '../../../host/fact.ts';
import type { ProcessRef } from '../../../host/actions.ts';
import type { Host } from '../../../host/host.ts';
import type { Trace } from '../../../host/trace.ts';
import { readableThread } from './held.ts';

/** One sentence where a pin by a pipe is possible; null where none is, or the host cannot tell. */
export function fullPipes(host: Host, trace: Trace | undefined, process: ProcessRef, devices: ReadonlySet<string>): string | null {
  if (trace?.pipeBytes === undefined) return null;
  const { pid } = readableThread(host, process.pid);
  const mapped = host.processes.mappings(pid, devices);
  if (!isMissing(mapped) && mapped.length === 0) return null;
  const full = pipesOf(host, pid).flatMap(({ fd, thread }) => {
    const bytes = trace.pipeBytes?.(process, fd, thread === process.pid ? undefined : thread) ?? 0;
    const name = thread === process.pid ? `fd ${fd}` : `fd ${fd} of thread ${thread}`;
    if (isMissing(bytes)) return bytes.missing === 'vanished' ? [] : [`${name} (${bytes.detail ?? bytes.missing})`];
    return bytes === 0 ? [] : [`${name} (${bytes} bytes)`];
  });
  return full.length === 0 ? null : `there is something in its pipes ${full.join(', ')}: pages given to a pipe by vmsplice would outlive the device`;
}

/** Each pipe once: a table that a thread has for itself began as a copy. */
function pipesOf(host: Host, pid: number): { fd: number; thread: number }[] {
  const apart = host.processes.threadsApart?.(pid) ?? [];
  const tables = [pid, ...(isMissing(apart) ? [] : apart.flatMap(({ threads, files }) => (files ? threads.slice(0, 1) : [])))];
  const found = new Map<string, { fd: number; thread: number }>();
  for (const thread of tables) {
    const files = host.processes.openFiles(thread);
    for (const { fd, target } of isMissing(files) ? [] : files) if (target.startsWith('pipe:[') && !found.has(target)) found.set(target, { fd, thread });
  }
  return [...found.values()];
}
