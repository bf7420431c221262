/** Describes a process that holds something: who it is, whose it is, what it has pinned. */
import { isMissing, type Fact } from '../../host/fact.ts';
import type { ByteString, Host } from '../../host/host.ts';
import { byteString } from '../../host/names.ts';
import type { Mapping, OpenFile, Place, ProcessFile } from '../../host/processes.ts';
import type { HeldFile, Pin, ProcessHolder } from '../types/holder.ts';
import type { Apart } from './apart.ts';
import type { Candidate } from './candidate.ts';
import { parseCgroup } from './cgroup.ts';
import { splitDeleted } from './deleted.ts';
import { parseFdInfo } from './fdinfo.ts';
import { isRing, pinsOf, type PinTraits } from './pins.ts';
import { parseStat, type ProcessStat } from './stat.ts';
import { parseStatus } from './status.ts';
import { vmOf } from './vm.ts';

/** Everything about the process that is the same for every device it holds. */
export interface Portrait {
  readonly candidate: Candidate;
  readonly stat: ProcessStat | null;
  readonly base: Omit<ProcessHolder, 'mappings' | 'files' | 'cwd' | 'root' | 'exe' | 'pins' | 'sharesMemoryWith'>;
  readonly whole: boolean;
  readonly pinnedBytes: number | null;
  /** Those of its mappings that tell of pins. */
  readonly rings: readonly Mapping[];
}

const text = (host: Host, pid: number, file: ProcessFile): ByteString | null => {
  const bytes = host.processes.read(pid, file);
  return isMissing(bytes) ? null : byteString(bytes);
};

/** `known`: its stat, where it was read before the candidate was looked at. Not `whole`: nothing more is read than what it holds. */
export function portraitOf(host: Host, candidate: Candidate, known: ProcessStat | null, whole: boolean): Portrait {
  const { pid, tid, exe } = candidate;
  const stat = known ?? parseStat(text(host, pid, 'stat') ?? '');
  const more = (file: ProcessFile): ByteString => (whole ? text(host, tid, file) ?? '' : '');
  const status = parseStatus(more('status'));
  const comm = stat?.comm ?? text(host, pid, 'comm')?.replace(/\n$/, '') ?? '';
  const commandLine = more('cmdline').replace(/\0+$/, '').replaceAll('\0', ' ');
  const files = isMissing(candidate.everyFile) ? [] : candidate.everyFile;
  const namespace = candidate.namespace ?? (whole ? orNull(host.processes.namespace(tid, 'mnt')) : null);
  // The live machine tells of rings and sockets with the mappings of devices: its maps are read once.
  const every = host.kind === 'live' ? candidate.rings : host.processes.mappings(tid);
  return {
    candidate,
    stat,
    whole,
    pinnedBytes: status.pinnedBytes,
    rings: isMissing(every) ? [] : every.filter(isRing),
    base: {
      kind: 'process',
      pid,
      startTime: stat?.startTime ?? null,
      comm,
      commandLine,
      uid: status.uid,
      state: stat?.state ?? status.state,
      threads: stat?.threads ?? status.threads,
      vm: vmOf({ comm, commandLine, exe: isMissing(exe) ? null : exe.target, files }),
      ...parseCgroup(more('cgroup')),
      mountNamespace: namespace,
    },
  };
}

const orNull = <T>(fact: Fact<T>): T | null => (isMissing(fact) ? null : fact);

/** The process as a holder of one device. */
export function holderOf(host: Host, portrait: Portrait, deviceId: string, sharesMemoryWith: readonly number[]): ProcessHolder {
  const { candidate, base } = portrait;
  const held = candidate.mappings.get(deviceId);
  const files = (candidate.files.get(deviceId) ?? []).map((file) => heldFile(host, candidate.tid, file, portrait.whole))
    .concat(candidate.apart.flatMap(({ tid, files: own }) => (own.get(deviceId) ?? []).map((file) => ({ ...heldFile(host, tid, file, portrait.whole), thread: tid }))));
  const places = placesOf(candidate, deviceId);
  const traits = { pid: candidate.tid, files: candidate.everyFile, rings: portrait.rings, held, pinnedBytes: portrait.pinnedBytes, isVm: base.vm !== null };
  const pins = [...pinsOf(host, traits), ...candidate.apart.flatMap((thread) => pinsOfThread(host, traits, thread))];
  const holder: ProcessHolder = {
    ...base,
    mappings: held === undefined || held.late === true ? [] : held.list,
    files,
    cwd: places.cwd?.target ?? null,
    root: places.root?.target ?? null,
    exe: places.exe?.target ?? null,
    // Only memory can be pinned, and what an open file leads to can be mapped at any time.
    pins: held !== undefined || files.length > 0 ? pins : [],
    sharesMemoryWith,
  };
  // A host with many of them has them in a table: the list is made for whoever reads it. Not as a getter of the literal, which would be its last key.
  return held?.late !== true ? holder : Object.defineProperty(holder, 'mappings', { get: () => held.list, enumerable: true, configurable: true });
}

/** A directory that a thread has for itself counts as one of the process: whoever asks wants to know what is in the way. */
function placesOf({ places, apart }: Candidate, deviceId: string): Partial<Record<'cwd' | 'root' | 'exe', Place>> {
  return Object.assign({}, ...apart.map((thread) => thread.places.get(deviceId) ?? {}), places.get(deviceId) ?? {}) as Partial<Record<'cwd' | 'root' | 'exe', Place>>;
}

/** Of its own descriptors alone: a table made by unshare(2) begins as a copy, and what the process has too is told there. */
function pinsOfThread(host: Host, traits: PinTraits, { tid, everyFile }: Apart): Pin[] {
  const known = new Set(isMissing(traits.files) ? [] : traits.files.map((file) => file.target));
  const own = everyFile.filter((file) => !known.has(file.target) || file.target === 'anon_inode:[io_uring]');
  return own.length === 0 ? [] : pinsOf(host, { ...traits, pid: tid, files: own, rings: [], pinnedBytes: null }).map((pin) => ({ ...pin, evidence: `thread ${tid}: ${pin.evidence}` }));
}

function heldFile(host: Host, tid: number, open: OpenFile, whole: boolean): HeldFile {
  const raw = whole ? host.processes.fdInfo(tid, open.fd) : null;
  const named = splitDeleted(host.files, tid, { name: open.target, ...(open.dev === undefined ? {} : { dev: open.dev }), ...(open.ino === undefined ? {} : { ino: open.ino }) });
  return { fd: open.fd, ...named, flags: raw === null || isMissing(raw) ? null : parseFdInfo(byteString(raw)).flags };
}
