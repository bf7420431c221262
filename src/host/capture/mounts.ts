/**
 * Mount namespaces of a capture. Where `ns/mnt` links were not taken, processes are put together by their mountinfo:
 * mount ids are unique on a machine (mnt_alloc_id, fs/namespace.c), so two processes that see a mount of the same id
 * are in one namespace, even where a chroot shows one of them less.
 */
import { isMissing, missing, type Fact } from '../fact.ts';
import type { Files, MountNamespace, MountNamespaces } from '../host.ts';

interface Group {
  id: number;
  pid: number;
  mountinfo: Uint8Array;
}

/** Namespaces kept only by a file, in unseat's own captures: `mountns/INODE.mountinfo` with the file's path in `INODE.txt`. */
export interface KeptNamespace {
  readonly id: number;
  readonly keptBy: string;
  readonly mountinfo: Uint8Array;
}

export class MountGroups implements MountNamespaces {
  private readonly files: Files;
  private readonly kept: readonly KeptNamespace[];
  private readonly groups = new Map<number, Group>();
  private readonly byPid = new Map<number, number>();
  private read = false;

  constructor(files: Files, kept: readonly KeptNamespace[] = []) {
    this.files = files;
    this.kept = kept;
  }

  all(): Fact<readonly MountNamespace[]> {
    this.readOnce();
    const found: MountNamespace[] = [...this.groups.values()].map((g) => ({ id: g.id, pid: g.pid, mountinfo: g.mountinfo }));
    for (const k of this.kept) if (!this.groups.has(k.id)) found.push(k);
    if (found.length > 0) return found.sort((a, b) => a.id - b.id);
    const own = this.files.read('/proc/self/mountinfo');
    return isMissing(own) ? missing('not-captured', '/proc/PID/mountinfo', 'no mountinfo of any process is in the capture') : [{ id: 0, mountinfo: own }];
  }

  /** The namespace of a process, or undefined where its mountinfo is not there. */
  of(pid: number): number | undefined {
    this.readOnce();
    return this.byPid.get(pid);
  }

  private readOnce(): void {
    if (this.read) return;
    this.read = true;
    const names = this.files.list('/proc');
    if (isMissing(names)) return;
    const owners = new Map<number, number>();
    for (const pid of names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number).sort((a, b) => a - b)) this.place(pid, owners);
  }

  private place(pid: number, owners: Map<number, number>): void {
    const link = this.files.link(`/proc/${pid}/ns/mnt`);
    const inode = isMissing(link) ? undefined : /\[(\d+)\]/.exec(link)?.[1];
    if (inode !== undefined) this.byPid.set(pid, Number(inode));
    const mountinfo = this.files.read(`/proc/${pid}/mountinfo`);
    if (isMissing(mountinfo) || mountinfo.length === 0) return;
    const mounts = mountIds(mountinfo);
    const id = inode !== undefined ? Number(inode) : (mounts.map((m) => owners.get(m)).find((owner) => owner !== undefined) ?? pid);
    for (const mount of mounts) owners.set(mount, id);
    this.byPid.set(pid, id);
    const group = this.groups.get(id);
    if (group === undefined) this.groups.set(id, { id, pid, mountinfo });
    else if (mountinfo.length > group.mountinfo.length) Object.assign(group, { pid, mountinfo });
  }
}

/** The first field of each line of mountinfo. */
function mountIds(mountinfo: Uint8Array): number[] {
  return Buffer.from(mountinfo.buffer, mountinfo.byteOffset, mountinfo.byteLength).toString('latin1').split('\n')
    .flatMap((line) => (/^\d+ \d+ \d+:\d+ /.test(line) ? [parseInt(line, 10)] : []));
}
