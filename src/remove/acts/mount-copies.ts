/**
 * Mounts in namespaces that were made while we worked: a container or a service that starts takes a copy of every mount with it
 * (kernel/nsproxy.c, copy_mnt_ns()), after the plan was made, and the file system would stay in use by that copy alone.
 */
import type { Step } from '../../steps/step.ts';
import type { Removal } from '../engine/removal.ts';
import { mountPlaces, placeText } from './state.ts';

/** Unmounts the copies of what the plan unmounts; those that went, for people. What does not go is told by whoever looks next. */
export async function unmountCopies(removal: Removal, step: Step): Promise<string[]> {
  const planned = removal.header.steps.flatMap(({ action }) => (action.kind === 'unmount' ? [action] : []));
  // A plan without an unmount has none to be copied: what is mounted then is not ours.
  if (planned.length === 0) return [];
  const known = new Set(planned.map((p) => p.namespaceId));
  const gone: string[] = [];
  for (const place of mountPlaces(removal.host, removal.devices) ?? []) {
    if (known.has(place.namespaceId)) continue;
    removal.progress(step, `${placeText(place)} came meanwhile`);
    const { ok } = await removal.actions.unmount(place.namespaceId, place.mountPoint, step.deadlineMs);
    if (!ok) continue;
    // It is not mounted there again when the removal is called off.
    removal.latecomers.letGo += 1;
    gone.push(placeText(place));
  }
  return gone;
}
