/** Every mount namespace of the live machine: those of processes, and those that only a file keeps. */
import { isMissing, missing, orElse, type Fact } from '../fact.ts';
import type { Files, MountNamespace, MountNamespaces } from '../host.ts';
import type { Processes } from '../processes.ts';
import { childEntry } from './entry.ts';
import { keptNamespaces } from './kept-namespaces.ts';
import type { Answer, NamespaceDoor, Operation } from './operations.ts';
import { mountTableOf } from './statmount.ts';

const CHILD_DEADLINE = 30_000;

export class LiveMountNamespaces implements MountNamespaces {
  private readonly files: Files;
  private readonly processes: Processes;
  private doors = new Map<number, NamespaceDoor>();
  private listed = false;

  constructor(files: Files, processes: Processes) {
    this.files = files;
    this.processes = processes;
  }

  all(): Fact<readonly MountNamespace[]> {
    const pids = this.processes.pids();
    if (isMissing(pids)) return pids;
    const found = this.ofProcesses(pids);
    this.doors = new Map([...found.values()].map(({ id, pid }) => [id, { id, file: `/proc/${pid}/ns/mnt` }]));
    this.addKept(found, pids);
    return [...found.values()];
  }

  complete(): boolean {
    return this.listed;
  }

  /** How a child gets into a namespace; `ours` when it need not; undefined when nobody keeps it any more. */
  door(id: number): NamespaceDoor | 'ours' | undefined {
    if (this.processes.namespace(process.pid, 'mnt') === id) return 'ours';
    // Pids come and go: looked up anew for each act, and the child compares the inode once more.
    this.all();
    return this.doors.get(id);
  }

  /**
   * One process for each namespace; preferably one whose root is the namespace's own: the mount table of a process in
   * a chroot shows only what lies below that.
   */
  private ofProcesses(pids: readonly number[]): Map<number, MountNamespace> {
    const found = new Map<number, MountNamespace>();
    const partial = new Set<number>();
    for (const pid of pids) {
      const id = this.processes.namespace(pid, 'mnt');
      if (isMissing(id) || (found.has(id) && !partial.has(id))) continue;
      const whole = orElse(this.files.link(`/proc/${pid}/root`), '') === '/';
      if (!whole && partial.has(id)) continue;
      const mountinfo = this.files.read(`/proc/${pid}/mountinfo`);
      if (isMissing(mountinfo) && mountinfo.missing !== 'denied') continue;
      found.set(id, { id, pid, mountinfo });
      if (whole) partial.delete(id);
      else partial.add(id);
    }
    return found;
  }

  /** A kept namespace may hold the file that keeps the next one: until none is new. */
  private addKept(found: Map<number, MountNamespace>, pids: readonly number[]): void {
    for (;;) {
      const kept = keptNamespaces(this.files, pids, found, this.doors);
      this.listed = kept.listed;
      const fresh = kept.doors.filter((door) => !found.has(door.id));
      if (fresh.length === 0) return;
      const told = new Map(kept.listed ? fresh.map((door) => [door.id, mountTableOf(door.id)]) : []);
      const tables = fresh.some((door) => told.get(door.id) === undefined) ? readTables(fresh.filter((door) => told.get(door.id) === undefined)) : undefined;
      for (const door of fresh) {
        this.doors.set(door.id, door);
        const text = told.get(door.id);
        found.set(door.id, { id: door.id, keptBy: door.file, mountinfo: text === undefined ? tableOf(door, tables) : Buffer.from(text, 'latin1') });
      }
    }
  }
}

function readTables(doors: readonly NamespaceDoor[]): Answer {
  const request: Operation = { do: 'mountinfo', doors };
  const run = process.getBuiltinModule('node:child_process').spawnSync(process.execPath, [...childEntry('child.ts'), JSON.stringify(request)], { timeout: CHILD_DEADLINE, killSignal: 'SIGKILL', maxBuffer: 1 << 28 });
  try {
    return JSON.parse(run.stdout.toString('utf8')) as Answer;
  } catch {
    return { ok: false, errno: run.error === undefined ? 'EIO' : 'ETIMEDOUT' };
  }
}

function tableOf(door: NamespaceDoor, answer: Answer | undefined): Fact<Uint8Array> {
  const text = answer?.texts?.[door.id] ?? `!${answer?.errno ?? 'EIO'}`;
  if (!text.startsWith('!')) return Buffer.from(text, 'latin1');
  const errno = text.slice(1);
  return missing(errno === 'EPERM' || errno === 'EACCES' ? 'denied' : 'unreadable', `${door.file} (mountinfo)`, errno);
}
