/** A mapping as what a holder has: its file by name, and whether that is deleted. */
import type { Host } from '../../host/host.ts';
import type { Mapping } from '../../host/processes.ts';
import type { HeldMapping } from '../types/holder.ts';
import { splitDeleted } from './deleted.ts';

/** For the mappings of one process in order: neighbours mostly map one file, which is asked for once for a run of them. */
export function heldMappingsOf(host: Host, tid: number): (mapping: Mapping) => HeldMapping {
  let last: Mapping | undefined;
  let named = { file: '', deleted: false };
  return (mapping) => {
    const { start, end, perms, offset, dev, ino, name } = mapping;
    if (last?.name !== name || last.ino !== ino || last.dev !== dev) named = splitDeleted(host.files, tid, { name, dev, ino });
    last = mapping;
    return { start, end, perms, offset, dev, ino, file: named.file, deleted: named.deleted };
  };
}
