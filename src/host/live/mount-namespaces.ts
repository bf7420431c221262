/** Every mount namespace of the live machine. */
import { isMissing, type Fact } from '../fact.ts';
import type { Files, MountNamespace, MountNamespaces } from '../host.ts';
import type { Processes } from '../processes.ts';

export class LiveMountNamespaces implements MountNamespaces {
  private readonly files: Files;
  private readonly processes: Processes;

  constructor(files: Files, processes: Processes) {
    this.files = files;
    this.processes = processes;
  }

  all(): Fact<readonly MountNamespace[]> {
    const pids = this.processes.pids();
    if (isMissing(pids)) return pids;
    const found = new Map<number, MountNamespace>();
    for (const pid of pids) {
      const id = this.processes.namespace(pid, 'mnt');
      if (isMissing(id) || found.has(id)) continue;
      const mountinfo = this.files.read(`/proc/${pid}/mountinfo`);
      if (!isMissing(mountinfo) || mountinfo.missing === 'denied') found.set(id, { id, pid, mountinfo });
    }
    return [...found.values()];
  }
}
