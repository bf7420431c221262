/**
 * Pipes with something in them, of a process that maps the device: pages given to a pipe by vmsplice(2) stay in use after
 * the mapping is gone, and what reads or closes the pipe then touches freed struct pages (KERNEL-TRUTH B 2). Most pipes
 * carry copies, so this is possible and no more; an empty pipe holds nothing.
 */
import { isMissing } from '../../../host/fact.ts';
import type { ProcessRef } from '../../../host/actions.ts';
import type { Host } from '../../../host/host.ts';
import type { Trace } from '../../../host/trace.ts';

/** One sentence where a pin by a pipe is possible; null where none is, or the host cannot tell. */
export function fullPipes(host: Host, trace: Trace | undefined, process: ProcessRef, devices: ReadonlySet<string>): string | null {
  if (trace?.pipeBytes === undefined) return null;
  const mapped = host.processes.mappings(process.pid, devices);
  const files = host.processes.openFiles(process.pid);
  if (isMissing(files) || (!isMissing(mapped) && mapped.length === 0)) return null;
  const full = files.filter((f) => f.target.startsWith('pipe:[')).flatMap((f) => {
    const bytes = trace.pipeBytes?.(process, f.fd) ?? 0;
    if (isMissing(bytes)) return bytes.missing === 'vanished' ? [] : [`fd ${f.fd} (${bytes.detail ?? bytes.missing})`];
    return bytes === 0 ? [] : [`fd ${f.fd} (${bytes} bytes)`];
  });
  return full.length === 0 ? null : `there is something in its pipes ${full.join(', ')}: pages given to a pipe by vmsplice would outlive the device`;
}
