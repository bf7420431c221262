/** What threads with descriptors or directories of their own have of the devices (unshare(2), clone(2)). */
import { isMissing, type Fact } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import type { OpenFile, Place } from '../../host/processes.ts';
import type { HeldFile } from '../types/holder.ts';
import type { DeviceIndex } from './device-index.ts';

export interface Apart {
  readonly tid: number;
  /** By device id. */
  readonly files: ReadonlyMap<string, readonly OpenFile[]>;
  readonly places: ReadonlyMap<string, Partial<Record<'cwd' | 'root', Place>>>;
  /** Every descriptor of the thread, for what it may have pinned; none where they are those of the process. */
  readonly everyFile: readonly OpenFile[];
}

/** `keep` takes what could not be read. Only threads that have something of a device are told, or that have descriptors of their own. */
export function threadsApart(host: Host, index: DeviceIndex, tid: number, keep: <T>(what: 'fd' | 'cwd' | 'root', fact: Fact<T>) => T | null): Apart[] {
  const found: Apart[] = [];
  for (const { threads: [first], files: ownFiles, places: ownPlaces } of keep('fd', host.processes.threadsApart?.(tid) ?? []) ?? []) {
    if (first === undefined || (!ownFiles && !ownPlaces)) continue;
    const told = <T>(what: 'fd' | 'cwd' | 'root', fact: Fact<T>): T | null => (isMissing(fact) && fact.missing === 'vanished' ? null : keep(what, fact));
    const everyFile = ownFiles ? (told('fd', host.processes.openFiles(first)) ?? []) : [];
    const namespace = namespaceOf(host, first);
    const files = new Map<string, OpenFile[]>();
    for (const file of everyFile) for (const id of index.ofFile(file, namespace)) files.set(id, [...(files.get(id) ?? []), file]);
    const places = new Map<string, Partial<Record<'cwd' | 'root', Place>>>();
    for (const where of ownPlaces ? ['cwd', 'root'] as const : []) {
      const place = told(where, host.processes.place(first, where));
      for (const id of place === null ? [] : index.ofPlace(place, namespace)) places.set(id, { ...places.get(id), [where]: place });
    }
    found.push({ tid: first, files, places, everyFile });
  }
  return found;
}

function namespaceOf(host: Host, tid: number): number | null {
  const namespace = host.processes.namespace(tid, 'mnt');
  return isMissing(namespace) ? null : namespace;
}

/** A descriptor as people name it: threads may have their own. */
export const fdName = ({ fd, thread }: HeldFile): string => (thread === undefined ? `fd ${fd}` : `fd ${fd} of thread ${thread}`);
