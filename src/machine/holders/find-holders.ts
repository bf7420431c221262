/**
 * The holder search: one pass over all processes for all devices at once. What could not be looked at becomes a note;
 * a process that ends meanwhile is no error. Mounts, stacked devices and swap are holders too and are added by the
 * inventory.
 */
import { isMissing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { byteString } from '../../host/names.ts';
import type { Note } from '../machine.ts';
import type { Device } from '../types/device.ts';
import type { Holder, ProcessHolder } from '../types/holder.ts';
import type { Mount } from '../types/stack.ts';
import { lookAt, type Candidate, type Unread } from './candidate.ts';
import { DeviceIndex } from './device-index.ts';
import { searchNotes } from './notes.ts';
import { holderOf, portraitOf, type Portrait } from './process-holder.ts';
import { groupBySharedMemory } from './shared-memory.ts';
import { isKernelThread, parseStat, type ProcessStat } from './stat.ts';

/**
 * `whole`: each holder as fully as the host can tell. `who`: what it holds and pins, and which process it is (pid, start
 * time, name, state); uid, command line, unit, container and mount namespace are left empty, which takes half as long.
 */
export type Detail = 'who' | 'whole';

/** Process holders by `Device.id`, every device that was asked for included. Adds to `notes`. */
export function findHolders(host: Host, devices: readonly Device[], mounts: readonly Mount[], notes: Note[], detail: Detail = 'whole'): Record<string, Holder[]> {
  const holders: Record<string, Holder[]> = Object.fromEntries(devices.map((device) => [device.id, []]));
  const pids = host.processes.pids();
  if (isMissing(pids)) {
    notes.push({ code: pids.missing, text: 'No processes can be seen: who maps or opens the devices is unknown.', subject: '/proc', absence: pids });
    return holders;
  }
  const index = new DeviceIndex(host, devices, mounts);
  const unread: Unread[] = [];
  const vanished: number[] = [];
  const portraits: Portrait[] = [];
  const alone: Alone = new Map();
  if (index.numbers.size > 0) {
    for (const pid of host.processes.suspects?.(pids, index.numbers, detail === 'whole') ?? pids) {
      const before = host.kind === 'capture' ? null : statOf(host, pid);
      if (before !== null && isKernelThread(before)) continue;
      const look = lookAt(host, index, pid, before?.threads ?? null);
      unread.push(...look.unread);
      if (look.vanished) vanished.push(pid);
      const portrait = look.candidate === null ? null : confirmed(host, look.candidate, before, detail);
      if (portrait === 'vanished') vanished.push(pid);
      else if (portrait !== null) {
        portraits.push(portrait);
        // Here, while a host that looks at many processes is at work on the next ones.
        alone.set(portrait, [...devicesOf(portrait)].map((id) => [id, holderOf(host, portrait, id, [])]));
      }
    }
  }
  portraits.sort((a, b) => a.candidate.pid - b.candidate.pid);
  for (const group of groupBySharedMemory(host, portraits)) {
    const [first] = group;
    if (group.length > 1) addGroup(host, holders, group);
    else if (first !== undefined) for (const [id, holder] of alone.get(first) ?? []) holders[id]?.push(holder);
  }
  notes.push(...searchNotes(host, unread, vanished, portraits));
  return holders;
}

/**
 * A pid may have changed hands between the looks: `before` is the start time that was read before the first of them,
 * and it is read again after the last. All of it is then of one process.
 */
function confirmed(host: Host, candidate: Candidate, before: ProcessStat | null, detail: Detail): Portrait | 'vanished' {
  const portrait = portraitOf(host, candidate, before, detail === 'whole');
  if (host.kind === 'capture') return portrait;
  return before === null || statOf(host, candidate.pid)?.startTime !== before.startTime ? 'vanished' : portrait;
}

function statOf(host: Host, pid: number): ProcessStat | null {
  const stat = host.processes.read(pid, 'stat');
  if (isMissing(stat)) return null;
  // A host that knows it to be the same process hands out the same bytes.
  if (lastStat.bytes !== stat) lastStat = { bytes: stat, stat: parseStat(byteString(stat)) };
  return lastStat.stat;
}
let lastStat: { readonly bytes: Uint8Array | null; readonly stat: ProcessStat | null } = { bytes: null, stat: null };

/** What each process is as a holder of each device if it shares its address space with no other, as nearly all of them are. */
type Alone = Map<Portrait, readonly (readonly [device: string, holder: ProcessHolder])[]>;

function devicesOf({ candidate: { mappings, files, places, apart } }: Portrait): Set<string> {
  const ids = new Set([...mappings.keys(), ...files.keys(), ...places.keys()]);
  for (const thread of apart) for (const id of [...thread.files.keys(), ...thread.places.keys()]) ids.add(id);
  return ids;
}

/** Processes of one address space stand as one holder per device; who of them has only a file there stands alone. */
function addGroup(host: Host, holders: Record<string, Holder[]>, group: readonly Portrait[]): void {
  const ids = new Set(group.flatMap((portrait) => [...devicesOf(portrait)]));
  for (const id of ids) {
    const [first, ...others] = group.filter(({ candidate: c }) => c.mappings.has(id));
    if (first !== undefined) holders[id]?.push(holderOf(host, first, id, others.map((other) => other.candidate.pid)));
    for (const portrait of group.filter(({ candidate: c }) => c !== first?.candidate && hasOwnFiles(c, id))) {
      holders[id]?.push(holderOf(host, { ...portrait, candidate: withoutMappings(portrait.candidate, first !== undefined) }, id, first === undefined ? [] : [first.candidate.pid]));
    }
  }
}

const hasOwnFiles = (candidate: Candidate, id: string): boolean => candidate.files.has(id) || candidate.places.has(id) || candidate.apart.some((thread) => thread.files.has(id) || thread.places.has(id));
const withoutMappings = (candidate: Candidate, told: boolean): Candidate => (told ? { ...candidate, mappings: new Map() } : candidate);
