/**
 * Mount namespaces in which no process is: kept by a bind mount of their file (nsfs), by an open descriptor, or by a
 * thread that went elsewhere. Kernels from 6.12 list all namespaces themselves (NS_MNT_GET_NEXT, fs/nsfs.c); that
 * tells whether there is anything to look for, and leads to what has no name anywhere.
 */
import { closeSync, fstatSync, openSync, readdirSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { isMissing } from '../fact.ts';
import type { Files, MountNamespace } from '../host.ts';
import { quietly } from './absence.ts';
import { native } from './native.ts';
import type { NamespaceDoor } from './operations.ts';

/** _IOR(0xb7, 11 and 12, struct mnt_ns_info), 16 bytes. */
const NS_MNT_GET_NEXT = 0x8010b70b;
const NS_MNT_GET_PREV = 0x8010b70c;
/** _IO(0xb7, 3): the CLONE_ flag of the kind of namespace (4.11 and later). */
const NS_GET_NSTYPE = 0xb703;
const CLONE_NEWNS = 0x20000;

export interface KeptNamespaces {
  /** To namespaces that are not known yet. */
  readonly doors: readonly NamespaceDoor[];
  /** Whether the kernel listed them itself: then none was missed. */
  readonly listed: boolean;
}

export function keptNamespaces(files: Files, pids: readonly number[], known: ReadonlyMap<number, MountNamespace>, doors: ReadonlyMap<number, NamespaceDoor>): KeptNamespaces {
  const found = new Map<number, NamespaceDoor>();
  const add = (door: NamespaceDoor): void => {
    if (!known.has(door.id) && !found.has(door.id)) found.set(door.id, door);
  };
  for (const namespace of known.values()) {
    if (!isMissing(namespace.mountinfo)) for (const door of mountedFiles(namespace, doors)) add(door);
  }
  const every = everyNamespace(files);
  if (every !== undefined && [...every].every((id) => known.has(id) || found.has(id))) return { doors: [...found.values()], listed: true };
  const nsfs = quietly(() => statSync('/proc/self/ns/mnt').dev, () => -1);
  for (const pid of pids) for (const door of [...openFilesOf(pid, nsfs), ...threadsOf(pid)]) add(door);
  for (const id of every ?? []) add({ id, file: 'a thread or descriptor that was not found', listed: true });
  return { doors: [...found.values()], listed: every !== undefined };
}

/** Lines of mountinfo for bind mounts of ns/mnt files: the root is `mnt:[INODE]`, the type nsfs. */
function mountedFiles(namespace: MountNamespace, doors: ReadonlyMap<number, NamespaceDoor>): NamespaceDoor[] {
  const table = namespace.mountinfo;
  if (isMissing(table) || Buffer.from(table.buffer, table.byteOffset, table.byteLength).indexOf(' - nsfs ') < 0) return [];
  const found: NamespaceDoor[] = [];
  for (const line of new TextDecoder('latin1').decode(table).split('\n')) {
    const [, , , root = '', mountPoint = ''] = line.split(' ');
    const id = /^mnt:\[(\d+)\]$/.exec(root)?.[1];
    if (id === undefined || !line.includes(' - nsfs ')) continue;
    const path = mountPoint.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    const via = namespace.pid === undefined ? doors.get(namespace.id) : undefined;
    if (namespace.pid !== undefined) found.push({ id: Number(id), file: `/proc/${namespace.pid}/root${path}` });
    else if (via !== undefined) found.push({ id: Number(id), file: path, via });
  }
  return found;
}

/** A file opened through a bind mount shows that path as its link, so the file system and type are asked, not the text. */
function openFilesOf(pid: number, nsfs: number): NamespaceDoor[] {
  const directory = `/proc/${pid}/fd`;
  const found: NamespaceDoor[] = [];
  for (const name of quietly<readonly string[]>(() => readdirSync(directory), () => [])) {
    const file = `${directory}/${name}`;
    const stats = look(file);
    if (stats?.dev === nsfs && isMountNamespace(file)) found.push({ id: stats.ino, file });
  }
  return found;
}

/**
 * A thread may have gone to a namespace by itself (unshare(CLONE_FS), setns). The links of task/ are its two own and one
 * for each thread (fs/proc/base.c, proc_task_getattr): most processes have one thread, and need no listing.
 */
function threadsOf(pid: number): NamespaceDoor[] {
  const directory = `/proc/${pid}/task`;
  const links = look(directory)?.nlink;
  if (links === undefined || links === ALONE) return [];
  return quietly<NamespaceDoor[]>(() => {
    const threads = readdirSync(directory);
    return threads.length < 2 ? [] : threads.flatMap((tid) => {
      const file = `${directory}/${tid}/ns/mnt`;
      const id = /\[(\d+)\]/.exec(quietly(() => readlinkSync(file), () => ''))?.[1];
      return id === undefined ? [] : [{ id: Number(id), file }];
    });
  }, () => []);
}

/** Links of the task directory of a process with one thread. */
const ALONE = 3;

/** Descriptors and processes go while we look; no error is made for that, only for what may not be seen. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The kernel's own name of it tells (`net:[4026531840]`: systemd and containers keep many). Only for a path, the file is asked, by FFI. */
function isMountNamespace(file: string): boolean {
  return quietly(() => {
    const kind = /^(\w+):\[\d+\]$/.exec(readlinkSync(file))?.[1];
    if (kind !== undefined) return kind === 'mnt';
    const fd = openSync(file, 'r');
    const type = native().ioctl(fd, NS_GET_NSTYPE, 0);
    closeSync(fd);
    return type === CLONE_NEWNS;
  }, () => false);
}

/** Inodes of all mount namespaces that we have rights over; undefined where this kernel or user cannot list them. */
export function everyNamespace(files: Files): Set<number> | undefined {
  const release = files.text('/proc/sys/kernel/osrelease');
  const [major = 0, minor = 0] = isMissing(release) ? [] : release.split('.').map((part) => Number.parseInt(part, 10));
  if (process.geteuid?.() !== 0 || major < 6 || (major === 6 && minor < 12)) return undefined;
  const seen = new Set<number>();
  const walked = [NS_MNT_GET_NEXT, NS_MNT_GET_PREV].every((request) => eachNamespace(request, (fd) => {
    seen.add(fstatSync(fd).ino);
    return false;
  }) !== 'failed');
  return walked ? seen : undefined;
}

/** A descriptor of the namespace with this inode; the caller closes it. */
export function openListed(id: number): number | undefined {
  for (const request of [NS_MNT_GET_NEXT, NS_MNT_GET_PREV]) {
    const fd = eachNamespace(request, (candidate) => fstatSync(candidate).ino === id);
    if (typeof fd === 'number') return fd;
  }
  return undefined;
}

/** Walks from our own namespace until `stop` says so (then the descriptor stays open) or the list ends. */
function eachNamespace(request: number, stop: (fd: number) => boolean): number | 'end' | 'failed' {
  let fd = openSync('/proc/self/ns/mnt', 'r');
  for (;;) {
    if (stop(fd)) return fd;
    const next = native().ioctl(fd, request, 0);
    const errno = next < 0 ? native().errno() : '';
    closeSync(fd);
    if (next < 0) return errno === 'ENOENT' ? 'end' : 'failed';
    fd = next;
  }
}
