/** What one process holds of a device, and what a decision about it needs: read from the host, while the process stands still. */
import { isMissing } from '../../../host/fact.ts';
import type { Missing } from '../../../host/fact.ts';
import type { Host } from '../../../host/host.ts';
import type { Mapping, OpenFile } from '../../../host/processes.ts';
import { parseStat } from '../../../machine/holders/stat.ts';

/** A mapping with what is known of its file. */
export interface HeldMapping extends Mapping {
  /** Bytes of the file; null where the host cannot tell. Pages behind it raise SIGBUS, before and after. */
  readonly fileSize: number | null;
}

export interface HeldDescriptor {
  readonly fd: number;
  /** Close-on-exec, to be kept. */
  readonly closeOnExec: boolean;
}

/** What threads hold that have descriptors or directories of their own. */
export interface HeldApart {
  /** Any of them can let go of it, and no other thread. */
  readonly threads: readonly number[];
  readonly descriptors: readonly HeldDescriptor[];
  readonly cwd: boolean;
  readonly root: boolean;
  /** Of their own table, ascending; that of the process where they share it. */
  readonly usedDescriptors: readonly number[];
}

export interface Held {
  readonly pid: number;
  /** Pid as the process itself sees it (its own pid namespace); looked up only where something is mapped privately. */
  readonly ownPid: number;
  readonly mappings: readonly HeldMapping[];
  readonly descriptors: readonly HeldDescriptor[];
  readonly cwd: boolean;
  readonly root: boolean;
  readonly exe: boolean;
  /** It has CAP_SYS_RESOURCE, which changing its program file takes; false where `exe` is, without a look. */
  readonly mayChangeExe: boolean;
  /** Every mapping, ascending: for finding free addresses for private copies. Empty where nothing is mapped privately. */
  readonly layout: readonly { readonly start: number; readonly end: number }[];
  /** Descriptor numbers in use, ascending. */
  readonly usedDescriptors: readonly number[];
  /** Soft limit of descriptors. */
  readonly descriptorLimit: number;
  readonly pageSize: number;
  /** Threads that share not all with the process, whether they hold something or not: none of them can let go for the process. */
  readonly apart: readonly HeldApart[];
}

const O_CLOEXEC = 0o2000000;

/** All that a decision needs, and no more: the process stands still meanwhile. */
export function readHeld(host: Host, process: number, devices: ReadonlySet<string>): Held | Missing {
  const { processes } = host;
  const { pid, threads } = readableThread(host, process);
  const mappings = mappingsOn(host, pid, devices);
  if (isMissing(mappings)) return mappings;
  const copies = mappings.some(isPrivate);
  const all = copies ? processes.mappings(pid) : [];
  if (isMissing(all)) return all;
  const files = processes.openFiles(pid);
  if (isMissing(files)) return files;
  const apart = threads === 1 ? [] : readApart(host, pid, devices, files);
  if (isMissing(apart)) return apart;
  const pageSize = host.identity.pageSize;
  const exe = isOn(host, pid, 'exe', devices);
  return {
    pid: process,
    ownPid: copies ? ownPid(host, process) : process,
    mappings: mappings.map((m) => ({ ...m, fileSize: isPrivate(m) ? fileSize(host, pid, m) : null })),
    descriptors: heldOf(host, pid, files, devices),
    cwd: isOn(host, pid, 'cwd', devices),
    root: isOn(host, pid, 'root', devices),
    exe,
    mayChangeExe: exe && hasResourceCapability(host, pid),
    layout: all.map(({ start, end }) => ({ start, end })),
    usedDescriptors: files.map((f) => f.fd),
    descriptorLimit: descriptorLimit(host, pid),
    pageSize: isMissing(pageSize) ? 4096 : pageSize,
    apart,
  };
}

/**
 * Whether it has anything of the devices: the looks of `readHeld` without what only a decision needs. `allShare`: no thread was apart a
 * moment ago, and none has run since but to carry our calls, so that each need not be compared again.
 */
export function holdsAny(host: Host, process: number, devices: ReadonlySet<string>, allShare = false): boolean | Missing {
  const { processes } = host;
  const { pid, threads } = readableThread(host, process);
  const mappings = mappingsOn(host, pid, devices);
  if (isMissing(mappings)) return mappings;
  const files = processes.openFiles(pid);
  if (isMissing(files)) return files;
  if (mappings.length > 0 || files.some((file) => isOneOf(file, devices))) return true;
  const apart = threads === 1 || allShare ? [] : readApart(host, pid, devices, files);
  if (isMissing(apart)) return apart;
  return isOn(host, pid, 'cwd', devices) || isOn(host, pid, 'root', devices) || isOn(host, pid, 'exe', devices) || !apart.every(nothingApart);
}

/** Without the AIO rings and mapped sockets that the live machine tells of beside them: those are the process's own, and stay. */
function mappingsOn(host: Host, pid: number, devices: ReadonlySet<string>): readonly Mapping[] | Missing {
  const told = host.processes.mappings(pid, devices);
  return isMissing(told) ? told : told.filter((mapping) => isOneOf(mapping, devices));
}

const isPrivate = ({ perms }: Mapping): boolean => perms[3] === 'p';

function isOn(host: Host, tid: number, which: 'cwd' | 'root' | 'exe', devices: ReadonlySet<string>): boolean {
  const place = host.processes.place(tid, which);
  return !isMissing(place) && place.dev !== undefined && devices.has(place.dev);
}

const isOneOf = ({ dev, rdev }: Pick<OpenFile, 'dev' | 'rdev'>, devices: ReadonlySet<string>): boolean => (dev !== undefined && devices.has(dev)) || (rdev !== undefined && devices.has(rdev));

const heldOf = (host: Host, tid: number, files: readonly OpenFile[], devices: ReadonlySet<string>): HeldDescriptor[] =>
  files.filter((file) => isOneOf(file, devices)).map(({ fd }) => ({ fd, closeOnExec: closesOnExec(host, tid, fd) }));

function readApart(host: Host, pid: number, devices: ReadonlySet<string>, ofProcess: readonly OpenFile[]): HeldApart[] | Missing {
  const apart = host.processes.threadsApart?.(pid) ?? [];
  if (isMissing(apart)) return apart;
  const found: HeldApart[] = [];
  for (const { threads, files: ownFiles, places } of apart) {
    const [tid = pid] = threads;
    const files = ownFiles ? host.processes.openFiles(tid) : ofProcess;
    if (isMissing(files) && files.missing === 'vanished') continue;
    if (isMissing(files)) return files;
    found.push({
      threads, descriptors: ownFiles ? heldOf(host, tid, files, devices) : [], usedDescriptors: files.map((f) => f.fd),
      cwd: places && isOn(host, tid, 'cwd', devices), root: places && isOn(host, tid, 'root', devices),
    });
  }
  return found;
}

/** A process whose first thread has ended shows its memory and files only under another thread's id. `threads`: how many; null where unknown. */
export function readableThread(host: Host, pid: number): { pid: number; threads: number | null } {
  const bytes = host.processes.read(pid, 'stat');
  const stat = isMissing(bytes) ? null : parseStat(text(bytes));
  if (stat?.state !== 'Z' && stat?.state !== 'X') return { pid, threads: stat?.threads ?? null };
  const threads = host.processes.threads(pid);
  return { pid: (isMissing(threads) ? undefined : threads.find((tid) => tid !== pid)) ?? pid, threads: stat.threads };
}

export const holdsNothing = (held: Held): boolean =>
  held.mappings.length === 0 && held.descriptors.length === 0 && !held.cwd && !held.root && !held.exe && held.apart.every(nothingApart);

export const nothingApart = (apart: HeldApart): boolean => apart.descriptors.length === 0 && !apart.cwd && !apart.root;

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function ownPid(host: Host, pid: number): number {
  const status = host.processes.read(pid, 'status');
  if (isMissing(status)) return pid;
  const last = /^NSpid:\s*(.*)$/m.exec(text(status))?.[1]?.trim().split(/\s+/).at(-1);
  return last === undefined || !/^\d+$/.test(last) ? pid : Number(last);
}

const CAP_SYS_RESOURCE = 24n;

/** The kernel asks for it in the first user namespace only (kernel/sys.c, prctl_set_mm()). */
function hasResourceCapability(host: Host, pid: number): boolean {
  const status = host.processes.read(pid, 'status');
  const effective = isMissing(status) ? null : /^CapEff:\s*([0-9a-f]+)/m.exec(text(status));
  const own = host.processes.namespace(pid, 'user');
  const first = host.processes.namespace(1, 'user');
  if (effective === null || (!isMissing(own) && !isMissing(first) && own !== first)) return false;
  return ((BigInt(`0x${effective[1] ?? '0'}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

function closesOnExec(host: Host, pid: number, fd: number): boolean {
  const info = host.processes.fdInfo(pid, fd);
  const flags = isMissing(info) ? null : /^flags:\s*([0-7]+)$/m.exec(text(info));
  return flags !== null && (parseInt(flags[1] ?? '0', 8) & O_CLOEXEC) !== 0;
}

function descriptorLimit(host: Host, pid: number): number {
  const limits = host.processes.read(pid, 'limits');
  const line = isMissing(limits) ? null : /^Max open files\s+(\d+|unlimited)/m.exec(text(limits));
  return line === null || line[1] === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(line[1]);
}

/** By way of map_files, which works for deleted files and in every mount namespace. */
function fileSize(host: Host, pid: number, m: Mapping): number | null {
  const stat = host.files.stat(`/proc/${pid}/map_files/${m.start.toString(16)}-${m.end.toString(16)}`);
  return isMissing(stat) ? null : stat.size ?? null;
}
