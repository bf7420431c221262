/** Devices of the dax bus: character devices, System RAM by kmem, and what has no driver. */
import type { DaxDevice } from '../types/dax.ts';
import type { Device } from '../types/device.ts';
import { displayName } from '../../host/names.ts';
import { draft, type Parts } from './draft.ts';
import { claimantAlias, daxKind } from './pmem.ts';
import { ramUse } from './ram-use.ts';

export const daxDevices = (parts: Parts): Device[] => parts.dax.map((dax) => daxDevice(parts, dax));

function daxDevice(parts: Parts, dax: DaxDevice): Device {
  const namespace = parts.nvdimm.flatMap((b) => b.regions.flatMap((r) => r.namespaces)).find((n) => n.chardev === dax.name);
  // famfs and its like mount the character device.
  const mounts = parts.mounts.filter((m) => m.source === `/dev/${dax.name}`);
  return draft(daxKind(dax.driver), dax.name, {
    aliases: [`/dev/${dax.name}`, namespace?.name ?? null, namespace ? claimantAlias(parts, namespace) : null, ...mounts.map((m) => m.mountPoint)],
    ranges: dax.ranges,
    size: dax.size,
    use: useOf(parts, dax, mounts.map((m) => `${m.fsType} on ${displayName(m.mountPoint)}`)),
    deviceNumbers: [dax.dev, ...mounts.map((m) => m.dev)],
    blocks: dax.blocks,
    nodes: [dax.targetNode ?? dax.numaNode],
    driver: dax.driver,
    path: dax.path,
  });
}

function useOf(parts: Parts, dax: DaxDevice, mounts: readonly string[]): string {
  if (dax.driver === null) return 'not in use: no driver bound';
  if (mounts.length > 0) return mounts.join('; ');
  if (dax.driver !== 'kmem') return `character device /dev/${dax.name}`;
  if (dax.blocks.length > 0) return ramUse(parts.memory, dax.blocks);
  const nodes = parts.memory.nodes;
  const absent = dax.targetNode !== null && nodes.length > 0 && !nodes.some((n) => n.id === dax.targetNode);
  return `bound to kmem${dax.targetNode === null ? '' : ` for node ${dax.targetNode}`}${absent ? ', which is not there' : ''}; no memory block is known`;
}
