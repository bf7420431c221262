/** Processes that run in one address space (CLONE_VM without CLONE_THREAD): one detach serves them all. */
import type { Host } from '../../host/host.ts';
import type { Portrait } from './process-holder.ts';

/**
 * Groups portraits by address space. Only the host (kcmp) can tell: a child after fork() has the same addresses and the
 * same mappings. Where it cannot, and for processes without memory of a device, every process stands alone.
 */
export function groupBySharedMemory(host: Host, portraits: readonly Portrait[]): Portrait[][] {
  const withMemory = portraits.filter(({ candidate }) => candidate.mappings.size > 0);
  const spaces = withMemory.length < 2 ? undefined : host.processes.addressSpaces?.(withMemory.map(({ candidate }) => candidate.tid));
  const groups: Portrait[][] = [];
  const bySpace = new Map<number, Portrait[]>();
  for (const portrait of portraits) {
    const space = portrait.candidate.mappings.size > 0 ? spaces?.get(portrait.candidate.tid) : undefined;
    const group = space === undefined ? undefined : bySpace.get(space);
    if (group !== undefined) {
      group.push(portrait);
      continue;
    }
    const own = [portrait];
    groups.push(own);
    if (space !== undefined) bySpace.set(space, own);
  }
  return groups;
}
