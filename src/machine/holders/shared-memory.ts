/** Processes that run in one address space (CLONE_VM without CLONE_THREAD): one detach serves them all. */
import { isMissing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import type { Portrait } from './process-holder.ts';

/**
 * Groups portraits by address space. Processes in one have the same stack address and the same mappings of the devices;
 * so has a child after fork(), so only the host (kcmp) can tell. Where it cannot, every process stands alone.
 */
export function groupBySharedMemory(host: Host, portraits: readonly Portrait[]): Portrait[][] {
  const groups: Portrait[][] = [];
  const byShape = new Map<string, Portrait[][]>();
  for (const portrait of portraits) {
    const shape = shapeOf(portrait);
    const alike = shape === null ? undefined : byShape.get(shape);
    const group = alike?.find(([first]) => first !== undefined && same(host, first, portrait));
    if (group !== undefined) {
      group.push(portrait);
      continue;
    }
    const own = [portrait];
    groups.push(own);
    if (shape !== null) byShape.set(shape, [...(alike ?? []), own]);
  }
  return groups;
}

/** Null for a process without memory of a device: sharing would say nothing. */
function shapeOf({ candidate, stat }: Portrait): string | null {
  if (candidate.mappings.size === 0 || stat === null) return null;
  const held = [...candidate.mappings].map(([id, mappings]) => `${id} ${mappings.map((m) => `${m.start}-${m.end}:${m.ino}:${m.offset}`).join(' ')}`);
  return `${stat.startStack}/${stat.virtualSize}/${held.join('/')}`;
}

function same(host: Host, a: Portrait, b: Portrait): boolean {
  const answer = host.processes.sharesMemory?.(a.candidate.tid, b.candidate.tid);
  return answer !== undefined && !isMissing(answer) && answer;
}
